//! Comparing long lists of lines in bounded time: between the lines that occur once on both sides.
//!
//! The comparison itself takes, at its worst, time in proportion to the product of both lengths, and cannot be
//! stopped. So it gets pieces of bounded size, and what cannot be cut into such pieces is shown as replaced whole.

use std::collections::HashMap;
use std::ops::Range;

use imara_diff::{Algorithm, Diff, Hunk, InternedInput, Token};

use super::bounds::{GoOn, Halt};

/// The largest product of the lengths of a piece: about a third of a second at its worst.
const PIECE: u64 = 100_000_000;

/// The sum of all products of one file. It is a count, so that a diff is the same on a slow machine.
const WORK: u64 = 10 * PIECE;

/// What looking for common lines costs for one line, in the same unit.
const LOOK: u64 = 256;

/// Finds what changed.
pub(super) fn hunks(input: &InternedInput<&[u8]>, go_on: GoOn<'_>) -> Result<Vec<Hunk>, Halt> {
    let whole = Piece::new(0..input.before.len(), 0..input.after.len()).without_common_ends(input);
    if whole.work() <= PIECE {
        let mut diff = Diff::compute(Algorithm::Histogram, input);
        diff.postprocess_lines(input);
        return Ok(diff.hunks().collect());
    }
    let mut found = Found { gone: vec![false; input.before.len()], came: vec![false; input.after.len()] };
    let mut left = WORK;
    let mut pieces = vec![whole];
    while let Some(piece) = pieces.pop() {
        go_on()?;
        let piece = piece.without_common_ends(input);
        let work = piece.work();
        let look = LOOK.saturating_mul((piece.before.len() + piece.after.len()) as u64);
        if work <= PIECE && work <= left {
            left -= work;
            found.compare(input, &piece);
            continue;
        }
        let anchors = if look <= left { piece.anchors(input) } else { Vec::new() };
        left = left.saturating_sub(look);
        if anchors.is_empty() {
            found.replace(&piece);
        }
        piece.cut(&anchors, &mut pieces);
    }
    Ok(found.hunks())
}

/// Some lines of one side and those of the other that may stand in their place.
struct Piece {
    before: Range<usize>,
    after: Range<usize>,
}

impl Piece {
    fn new(before: Range<usize>, after: Range<usize>) -> Self {
        Self { before, after }
    }

    fn work(&self) -> u64 {
        (self.before.len() as u64).saturating_mul(self.after.len() as u64)
    }

    fn without_common_ends(self, input: &InternedInput<&[u8]>) -> Self {
        let Self { mut before, mut after } = self;
        while !before.is_empty() && !after.is_empty() && input.before[before.start] == input.after[after.start] {
            (before.start, after.start) = (before.start + 1, after.start + 1);
        }
        while !before.is_empty() && !after.is_empty() && input.before[before.end - 1] == input.after[after.end - 1] {
            (before.end, after.end) = (before.end - 1, after.end - 1);
        }
        Self { before, after }
    }

    /// Lists pairs of lines that occur once on both sides, the most that stand in the same order on both.
    fn anchors(&self, input: &InternedInput<&[u8]>) -> Vec<(usize, usize)> {
        let mut seen: HashMap<Token, [Option<usize>; 2]> = HashMap::new();
        let mut often: HashMap<Token, [u32; 2]> = HashMap::new();
        for (side, (range, tokens)) in [(&self.before, &input.before), (&self.after, &input.after)].iter().enumerate() {
            for at in (*range).clone() {
                let token = tokens[at];
                often.entry(token).or_default()[side] += 1;
                seen.entry(token).or_default()[side] = Some(at);
            }
        }
        let pair = |(token, places): (Token, [Option<usize>; 2])| match (often[&token], places) {
            ([1, 1], [Some(before), Some(after)]) => Some((before, after)),
            _ => None,
        };
        let mut pairs: Vec<(usize, usize)> = seen.into_iter().filter_map(pair).collect();
        pairs.sort_unstable();
        longest_rising(&pairs)
    }

    /// Cuts out what lies between the anchors; nothing when there are none.
    fn cut(&self, anchors: &[(usize, usize)], pieces: &mut Vec<Self>) {
        let (mut before, mut after) = (self.before.start, self.after.start);
        for (at, other) in anchors {
            pieces.push(Self::new(before..*at, after..*other));
            (before, after) = (at + 1, other + 1);
        }
        if !anchors.is_empty() {
            pieces.push(Self::new(before..self.before.end, after..self.after.end));
        }
    }
}

/// Picks the most pairs whose second numbers rise; the first ones rise already.
fn longest_rising(pairs: &[(usize, usize)]) -> Vec<(usize, usize)> {
    // For each length, the pair that ends the best row of that length; for each pair, the one before it in its row.
    let mut ends: Vec<usize> = Vec::new();
    let mut before: Vec<Option<usize>> = Vec::with_capacity(pairs.len());
    for (index, (_, after)) in pairs.iter().enumerate() {
        let length = ends.partition_point(|end| pairs[*end].1 < *after);
        before.push(length.checked_sub(1).map(|shorter| ends[shorter]));
        ends.truncate(ends.len().max(length));
        match ends.get_mut(length) {
            Some(end) => *end = index,
            None => ends.push(index),
        }
    }
    let mut row = Vec::new();
    let mut next = ends.last().copied();
    while let Some(index) = next {
        row.push(pairs[index]);
        next = before[index];
    }
    row.reverse();
    row
}

/// For each line, whether it is part of a change.
struct Found {
    gone: Vec<bool>,
    came: Vec<bool>,
}

impl Found {
    fn replace(&mut self, piece: &Piece) {
        self.gone[piece.before.clone()].fill(true);
        self.came[piece.after.clone()].fill(true);
    }

    fn compare(&mut self, input: &InternedInput<&[u8]>, piece: &Piece) {
        if piece.work() == 0 {
            return self.replace(piece);
        }
        let (before, after) = (&input.before[piece.before.clone()], &input.after[piece.after.clone()]);
        // The histogram takes time for every line of the file, however short the piece.
        let is_short = piece.work() < u64::from(input.interner.num_tokens());
        let algorithm = if is_short { Algorithm::Myers } else { Algorithm::Histogram };
        let mut diff = Diff::default();
        diff.compute_with(algorithm, before, after, input.interner.num_tokens());
        for hunk in diff.hunks() {
            let shift = |range: &Range<u32>, by: usize| by + range.start as usize..by + range.end as usize;
            self.gone[shift(&hunk.before, piece.before.start)].fill(true);
            self.came[shift(&hunk.after, piece.after.start)].fill(true);
        }
    }

    fn hunks(&self) -> Vec<Hunk> {
        let (mut before, mut after) = (0, 0);
        let mut hunks = Vec::new();
        let number = |at: usize| u32::try_from(at).unwrap_or(u32::MAX);
        while before < self.gone.len() || after < self.came.len() {
            let start = (before, after);
            while self.gone.get(before) == Some(&true) {
                before += 1;
            }
            while self.came.get(after) == Some(&true) {
                after += 1;
            }
            if start == (before, after) {
                (before, after) = (before + 1, after + 1);
            } else {
                let after = number(start.1)..number(after);
                hunks.push(Hunk { before: number(start.0)..number(before), after });
            }
        }
        hunks
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn lines(numbers: impl IntoIterator<Item = u64>) -> Vec<u8> {
        numbers.into_iter().flat_map(|number| format!("{number}\n").into_bytes()).collect()
    }

    /// Says whether what is left of both sides without the hunks is the same.
    fn is_right(input: &InternedInput<&[u8]>, hunks: &[Hunk]) -> bool {
        let kept = |tokens: &[Token], side: fn(&Hunk) -> Range<u32>| -> Vec<Token> {
            let is_out = |at: u32| hunks.iter().any(|hunk| side(hunk).contains(&at));
            (0..).zip(tokens).filter(|(at, _)| !is_out(*at)).map(|(_, token)| *token).collect()
        };
        kept(&input.before, |hunk| hunk.before.clone()) == kept(&input.after, |hunk| hunk.after.clone())
    }

    #[test]
    fn a_long_file_is_cut_at_its_own_lines() {
        let old: Vec<u64> = (0..30_000).collect();
        let mut new = old.clone();
        (new[10], new[15_000], new[29_990]) = (1_000_000, 1_000_001, 1_000_002);
        let (old, new) = (lines(old), lines(new));
        let input = InternedInput::new(old.as_slice(), new.as_slice());
        let found = hunks(&input, &mut || Ok(())).unwrap();
        assert_eq!(found.iter().map(|hunk| hunk.before.start).collect::<Vec<_>>(), [10, 15_000, 29_990]);
    }

    /// Two kinds of lines in no order are what takes longest, and no line can be cut at.
    #[test]
    fn h24_lines_without_an_anchor_are_replaced_whole() {
        let noise = |seed: u64| (0..20_000u64).map(move |at| (at * at * seed % 1009) % 2);
        let (old, new) = (lines(noise(7)), lines(noise(11)));
        let input = InternedInput::new(old.as_slice(), new.as_slice());
        let found = hunks(&input, &mut || Ok(())).unwrap();
        assert_eq!(found.len(), 1);
        assert!(is_right(&input, &found));
        for halt in [Halt::OutOfTime, Halt::Stopped] {
            assert_eq!(hunks(&input, &mut || Err(halt)), Err(halt));
        }
    }

    proptest! {
        #[test]
        fn what_is_left_is_the_same_on_both_sides(
            old in proptest::collection::vec(0u64..12, 0..40), new in proptest::collection::vec(0u64..12, 0..40)
        ) {
            let (old, new) = (lines(old), lines(new));
            let input = InternedInput::new(old.as_slice(), new.as_slice());
            let mut found = Found { gone: vec![false; input.before.len()], came: vec![false; input.after.len()] };
            let whole = Piece::new(0..input.before.len(), 0..input.after.len()).without_common_ends(&input);
            let anchors = whole.anchors(&input);
            prop_assert!(anchors.is_sorted_by(|one, next| one.0 < next.0 && one.1 < next.1));
            let mut pieces = Vec::new();
            whole.cut(&anchors, &mut pieces);
            if anchors.is_empty() {
                pieces.push(whole);
            }
            for (index, piece) in pieces.iter().enumerate() {
                if index % 2 == 0 { found.compare(&input, piece) } else { found.replace(piece) }
            }
            prop_assert!(is_right(&input, &found.hunks()));
        }
    }
}
