//! Text as checkers see it: bytes, in lines and words, with letters folded where case does not count.

use std::borrow::Cow;

/// Whether upper and lower case are different.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum Case {
    /// They are.
    #[default]
    Matters,
    /// They are not: compared by Unicode's mappings to upper and then to lower case.
    Ignored,
}

impl Case {
    /// Says whether two texts are the same.
    pub(super) fn same(self, a: &[u8], b: &[u8]) -> bool {
        match self {
            Self::Matters => a == b,
            Self::Ignored if a.is_ascii() && b.is_ascii() => a.eq_ignore_ascii_case(b),
            Self::Ignored => folded(a).map(|(unit, _)| unit).eq(folded(b).map(|(unit, _)| unit)),
        }
    }

    /// Gives a text in the one form that all texts have that are the same as it.
    pub(super) fn fold(self, text: &[u8]) -> Cow<'_, [u8]> {
        match self {
            Self::Matters => text.into(),
            Self::Ignored if text.is_ascii() => text.to_ascii_lowercase().into(),
            Self::Ignored => {
                let mut out = Vec::with_capacity(text.len());
                for (unit, _) in folded(text) {
                    match unit {
                        Unit::Char(sign) => out.extend_from_slice(sign.encode_utf8(&mut [0; 4]).as_bytes()),
                        Unit::Byte(byte) => out.push(byte),
                    }
                }
                out.into()
            }
        }
    }

    /// Finds where two texts first differ, in each; none when they are the same.
    pub(super) fn difference(self, a: &[u8], b: &[u8]) -> Option<(usize, usize)> {
        match self {
            Self::Matters => {
                let at = a.iter().zip(b).position(|(a, b)| a != b);
                let at = at.or_else(|| (a.len() != b.len()).then(|| a.len().min(b.len())))?;
                Some((at, at))
            }
            Self::Ignored => {
                let (mut left, mut right) = (folded(a), folded(b));
                loop {
                    match (left.next(), right.next()) {
                        (None, None) => return None,
                        (Some((x, _)), Some((y, _))) if x == y => {}
                        (x, y) => return Some((x.map_or(a.len(), |x| x.1), y.map_or(b.len(), |y| y.1))),
                    }
                }
            }
        }
    }
}

/// What a text consists of: letters, and bytes that are none.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Unit {
    Char(char),
    Byte(u8),
}

/// Lists the folded units of a text, each with where in the text it comes from.
fn folded(text: &[u8]) -> impl Iterator<Item = (Unit, usize)> + '_ {
    let mut start = 0;
    text.utf8_chunks().flat_map(move |chunk| {
        let begin = start;
        let invalid = begin + chunk.valid().len();
        start = invalid + chunk.invalid().len();
        let chars = chunk.valid().char_indices().flat_map(move |(at, sign)| {
            let lower = sign.to_uppercase().flat_map(char::to_lowercase);
            lower.map(move |sign| (Unit::Char(sign), begin + at))
        });
        let bytes = chunk.invalid().iter().enumerate();
        chars.chain(bytes.map(move |(at, byte)| (Unit::Byte(*byte), invalid + at)))
    })
}

/// Gives the lines of a text, without their ends and the blanks before these. The one after the last end is a line too.
pub(super) fn trimmed_lines(text: &[u8]) -> impl Iterator<Item = &[u8]> {
    // CRLF ends a line; a carriage return elsewhere is a sign like any other.
    text.split_inclusive(|byte| *byte == b'\n').chain(text.ends_with(b"\n").then_some(&b""[..])).map(|line| {
        let line = match line.strip_suffix(b"\n") {
            Some(line) => line.strip_suffix(b"\r").unwrap_or(line),
            None => line,
        };
        trim_blanks_end(line)
    })
}

fn trim_blanks_end(line: &[u8]) -> &[u8] {
    let end = line.iter().rposition(|byte| !matches!(byte, b' ' | b'\t')).map_or(0, |last| last + 1);
    &line[..end]
}

/// Gives a text with every CRLF as LF, and without newlines at its end.
pub(super) fn plain(text: &[u8]) -> Cow<'_, [u8]> {
    let mut end = text.len();
    while end > 0 && text[end - 1] == b'\n' {
        end -= 1;
        if end > 0 && text[end - 1] == b'\r' {
            end -= 1;
        }
    }
    let text = &text[..end];
    if !text.windows(2).any(|two| two == b"\r\n") {
        return text.into();
    }
    let mut out = Vec::with_capacity(text.len());
    let mut bytes = text.iter().copied().peekable();
    while let Some(byte) = bytes.next() {
        if byte != b'\r' || bytes.peek() != Some(&b'\n') {
            out.push(byte);
        }
    }
    out.into()
}

/// Gives the last lines of a text with their ends; newlines at the end of the text count as no lines.
pub(super) fn last_lines(text: &[u8], count: u64) -> &[u8] {
    let end = text.iter().rposition(|byte| !matches!(byte, b'\n' | b'\r')).map_or(0, |last| last + 1);
    let mut left = count;
    let begin = text[..end].iter().rposition(|byte| {
        left -= u64::from(*byte == b'\n');
        left == 0
    });
    &text[begin.map_or(0, |newline| newline + 1)..]
}

/// A word of a text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Word<'a> {
    pub(super) text: &'a [u8],
    /// Its place among the words, from 1.
    pub(super) index: usize,
    /// Its line, from 1.
    pub(super) line: usize,
}

/// Says whether a byte separates words: what C calls a space.
pub(super) fn is_space(byte: u8) -> bool {
    matches!(byte, b' ' | b'\t' | b'\n' | b'\r' | 0x0b | 0x0c)
}

/// Gives the words of a text.
pub(super) fn words(text: &[u8]) -> impl Iterator<Item = Word<'_>> {
    let (mut at, mut line, mut index) = (0, 1, 0);
    std::iter::from_fn(move || {
        while text.get(at).is_some_and(|byte| is_space(*byte)) {
            line += usize::from(text[at] == b'\n');
            at += 1;
        }
        let rest = text.get(at..).filter(|rest| !rest.is_empty())?;
        let length = rest.iter().position(|byte| is_space(*byte)).unwrap_or(rest.len());
        at += length;
        index += 1;
        Some(Word { text: &rest[..length], index, line })
    })
}

/// Writes the place of a byte in a text: `line 3, column 7`, both from 1, columns in letters.
pub(super) fn place(text: &[u8], at: usize) -> String {
    let before = &text[..at.min(text.len())];
    let line = 1 + before.iter().filter(|byte| **byte == b'\n').count();
    let begin = before.iter().rposition(|byte| *byte == b'\n').map_or(0, |newline| newline + 1);
    format!("line {line}, column {}", column(&before[begin..]))
}

/// Gives the column, from 1, that stands behind the begin of a line.
pub(super) fn column(before: &[u8]) -> usize {
    1 + before.iter().filter(|byte| **byte & 0xc0 != 0x80).count()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn case_is_folded_as_unicode_has_it() {
        for (a, b) in [("Straße", "STRASSE"), ("ΣΑΣ", "σας"), ("ÉTÉ", "été"), ("abc", "ABC")] {
            assert!(Case::Ignored.same(a.as_bytes(), b.as_bytes()), "{a} {b}");
            assert_eq!(Case::Ignored.fold(a.as_bytes()), Case::Ignored.fold(b.as_bytes()));
            assert!(!Case::Matters.same(a.as_bytes(), b.as_bytes()), "{a} {b}");
        }
        assert!(!Case::Ignored.same(b"\xff", b"\xfe"));
        assert_eq!(Case::Ignored.difference("aÉ\u{ff}x".as_bytes(), "Aé\u{ff}y".as_bytes()), Some((5, 5)));
    }

    #[test]
    fn lines_end_with_lf_or_crlf() {
        let lines = |text: &'static str| trimmed_lines(text.as_bytes()).map(|l| std::str::from_utf8(l).unwrap());
        assert_eq!(lines("a \t\r\nb\r\n\nc\rd").collect::<Vec<_>>(), ["a", "b", "", "c\rd"]);
        assert_eq!(lines("a\n").collect::<Vec<_>>(), ["a", ""]);
        assert_eq!(lines("").count(), 0);
    }

    #[test]
    fn the_last_lines_are_those_with_text_behind_them() {
        let last = |text: &'static str, count| std::str::from_utf8(last_lines(text.as_bytes(), count)).unwrap();
        assert_eq!(last("a\nb\nc\n\r\n\n", 2), "b\nc\n\r\n\n");
        assert_eq!(last("a\nb", 1), "b");
        assert_eq!(last("a\nb", 9), "a\nb");
        assert_eq!(last("\n\n", 1), "\n\n");
        assert_eq!(last("", 1), "");
    }

    #[test]
    fn words_know_their_line() {
        let found: Vec<_> = words(b" a\n\nbb\tc\n").map(|w| (w.text.to_vec(), w.index, w.line)).collect();
        assert_eq!(found, [(b"a".to_vec(), 1, 1), (b"bb".to_vec(), 2, 3), (b"c".to_vec(), 3, 3)]);
    }

    #[test]
    fn places_count_letters() {
        assert_eq!(place("a\nßüx".as_bytes(), 6), "line 2, column 3");
        assert_eq!(place(b"", 0), "line 1, column 1");
    }

    proptest! {
        #[test]
        fn the_same_have_no_difference(a: Vec<u8>, b: Vec<u8>) {
            for case in [Case::Matters, Case::Ignored] {
                prop_assert_eq!(case.same(&a, &b), case.difference(&a, &b).is_none());
                prop_assert_eq!(case.same(&a, &b), case.fold(&a) == case.fold(&b));
                prop_assert!(case.same(&a, &a));
            }
        }
    }
}
