//! What a solution beside the cases promises: verdicts that it may get, and one of which it must.

use globset::{GlobBuilder, GlobMatcher};

use crate::evaluate::Verdict;

/// What solutions promise: each that the glob matches, on the cases that the other glob matches.
///
/// The words are those of the problem package format: `AC`, `WA`, `TLE` and `RTE`, where what ended by its memory or
/// its output crashed.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Promise {
    /// The solutions, below the directory of solutions.
    pub solutions: PathGlob,
    /// The cases or their directories; all where there is none.
    pub cases: Option<PathGlob>,
    /// Every case has one of these; any of the four words where there is none.
    pub permitted: Option<Vec<Verdict>>,
    /// At least one case has one of these; any of the four words where there is none.
    pub required: Option<Vec<Verdict>>,
    /// What its time says about the time limit.
    pub bound: TimeBound,
}

/// What the time of a solution says about the time limit.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum TimeBound {
    /// Whatever its verdicts say: one that may not be too slow bounds it from below.
    #[default]
    ByVerdicts,
    /// Nothing.
    No,
    /// It bounds the limit from below, and may not be too slow.
    Lower,
    /// It bounds the limit from above, and must be too slow.
    Upper,
}

/// A glob over paths of which `*` stays in one name and `{a,b}` is either; a path is matched by its own name or by that
/// of a directory above it.
#[derive(Clone, Debug)]
pub struct PathGlob {
    text: String,
    matcher: GlobMatcher,
}

/// The verdicts that the format has words for.
const WORDS: [Verdict; 4] = [Verdict::Ac, Verdict::Wa, Verdict::Tle, Verdict::Rte];

impl PathGlob {
    /// Reads a glob.
    ///
    /// # Errors
    /// What is wrong with it, as a fragment: it has what the format does not support, or is no glob.
    pub fn new(text: &str) -> Result<Self, String> {
        if text.contains("**") || text.contains(['[', ']', '?']) {
            return Err("has `**`, `?` or `[…]`, which the format does not have".to_owned());
        }
        let glob = GlobBuilder::new(text).literal_separator(true).build().map_err(|error| error.kind().to_string())?;
        Ok(Self { text: text.to_owned(), matcher: glob.compile_matcher() })
    }

    /// Gives the glob as it was written.
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// Says whether a path or a directory above it is matched.
    pub fn matches(&self, path: &str) -> bool {
        let ends = path.match_indices('/').map(|(end, _)| end).chain([path.len()]);
        ends.into_iter().any(|end| self.matcher.is_match(&path[..end]))
    }
}

impl Promise {
    /// Makes a promise of nothing but the four words, for solutions that a glob matches.
    pub fn new(solutions: PathGlob) -> Self {
        Self { solutions, cases: None, permitted: None, required: None, bound: TimeBound::default() }
    }

    /// Says whether the cases must all be accepted.
    pub fn is_of_accepted(&self) -> bool {
        self.cases.is_none() && self.permitted.as_deref() == Some(&[Verdict::Ac])
    }

    /// Says whether what this solves must leave room below the time limit.
    pub fn bounds_from_below(&self) -> bool {
        match self.bound {
            TimeBound::No | TimeBound::Upper => false,
            TimeBound::Lower => true,
            TimeBound::ByVerdicts => self.permitted.as_ref().is_some_and(|words| !words.contains(&Verdict::Tle)),
        }
    }

    /// Says whether a case is one that this is about.
    pub fn is_about(&self, case: &str) -> bool {
        self.cases.as_ref().is_none_or(|cases| cases.matches(case))
    }

    /// Lists what of it is not kept by the verdicts of the cases.
    pub fn broken<'a>(&self, verdicts: impl IntoIterator<Item = (&'a str, Verdict)>) -> Vec<String> {
        let mut permitted = self.permitted.clone().unwrap_or_else(|| WORDS.to_vec());
        let mut required = self.required.clone().unwrap_or_else(|| WORDS.to_vec());
        match self.bound {
            TimeBound::ByVerdicts | TimeBound::No => {}
            TimeBound::Lower => permitted.retain(|word| *word != Verdict::Tle),
            TimeBound::Upper => required.retain(|word| *word == Verdict::Tle),
        }
        let about = verdicts.into_iter().filter(|(case, _)| self.is_about(case));
        let (mut broken, mut has_required, mut count) = (Vec::new(), false, 0_usize);
        for (case, verdict) in about {
            let word = word(verdict);
            count += 1;
            has_required |= required.contains(&word);
            if !permitted.contains(&word) {
                broken.push(format!("{case} is {verdict}, and may be {}", or(&permitted)));
            }
        }
        let on = self.cases.as_ref().map(|cases| format!(" of `{}`", cases.text)).unwrap_or_default();
        if count == 0 {
            broken.push(format!("there is no case{on}"));
        } else if !has_required {
            broken.push(format!("no case{on} is {}", or(&required)));
        }
        broken
    }
}

/// Gives the format's word for a verdict: what died of its memory or its output crashed.
fn word(verdict: Verdict) -> Verdict {
    match verdict {
        Verdict::Mle | Verdict::Ole => Verdict::Rte,
        Verdict::Ie | Verdict::Sk | Verdict::Ce | Verdict::Tle | Verdict::Rte | Verdict::Wa | Verdict::Ac => verdict,
    }
}

fn or(words: &[Verdict]) -> String {
    match words.is_empty() {
        true => "nothing".to_owned(),
        false => words.iter().map(|word| word.name()).collect::<Vec<_>>().join(" or "),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn promise(permitted: &[Verdict], required: &[Verdict]) -> Promise {
        let mut promise = Promise::new(PathGlob::new("*").unwrap());
        promise.permitted = Some(permitted.to_vec());
        promise.required = Some(required.to_vec());
        promise
    }

    #[test]
    fn globs_stay_in_one_name_and_reach_what_is_below() {
        let matches = |glob: &str, path: &str| PathGlob::new(glob).unwrap().matches(path);
        assert!(matches("accepted", "accepted/a.py") && matches("accepted/*", "accepted/a.py"));
        assert!(matches("*/{a,b}.py", "accepted/b.py") && matches("secret/*-easy", "secret/1-easy/2"));
        assert!(!matches("*.py", "accepted/a.py") && !matches("accepted/a", "accepted/a.py"));
        for wrong in ["**/a", "[ab]", "a?", "{a"] {
            assert!(PathGlob::new(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn every_case_is_permitted_and_one_is_required() {
        use Verdict::{Ac, Ce, Mle, Rte, Tle, Wa};
        let slow = promise(&[Ac, Tle], &[Tle]);
        assert!(slow.broken([("a", Ac), ("b", Tle)]).is_empty());
        assert_eq!(slow.broken([("a", Ac)]), ["no case is TLE"]);
        assert_eq!(slow.broken([("a", Wa), ("b", Tle)]), ["a is WA, and may be AC or TLE"]);
        assert!(promise(&[Ac, Rte], &[Rte]).broken([("a", Mle)]).is_empty());
        assert_eq!(slow.broken([]), ["there is no case"]);
        let any = Promise::new(PathGlob::new("*").unwrap());
        assert_eq!(any.broken([("a", Ce)]).len(), 2);
    }

    #[test]
    fn a_promise_may_be_about_some_cases_and_about_time() {
        use Verdict::{Ac, Tle, Wa};
        let mut hard = promise(&[Ac], &[Ac]);
        hard.cases = Some(PathGlob::new("secret/easy").unwrap());
        assert!(hard.broken([("secret/easy/1", Ac), ("secret/hard/1", Wa)]).is_empty());
        assert_eq!(hard.broken([("secret/hard/1", Ac)]), ["there is no case of `secret/easy`"]);
        let mut timed = Promise::new(PathGlob::new("*").unwrap());
        timed.bound = TimeBound::Upper;
        assert_eq!(timed.broken([("a", Wa)]), ["no case is TLE"]);
        timed.bound = TimeBound::Lower;
        assert!(timed.bounds_from_below() && timed.broken([("a", Tle)]).len() == 1);
    }
}
