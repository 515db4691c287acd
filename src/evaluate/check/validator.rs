//! The default validator of problem packages, by its published meaning.
//!
//! Source: the problem package format, "default validator", and the reference implementation that its authors publish.
//! Words are separated by what C calls a space. Case does not count unless asked; the amount and sort of space does not
//! count unless asked. With a tolerance, a word of the judge that is a number is compared as one, and the submission's
//! must be one. What is not finite is near to nothing; since 2025-09 it is no number.

use super::decimal::Decimal;
use super::float;
use super::text::{Word, is_space, place, words};
use super::tokens::same_decimal;
use super::{Mismatch, excerpt};

/// Which words are numbers.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum NumberForms {
    /// What C reads, infinities and what is not a number too: the legacy format.
    #[default]
    AsInC,
    /// Decimals alone: the format since 2025-09.
    Decimals,
}

/// What the flags of the default validator say.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
#[non_exhaustive]
pub struct DefaultValidator {
    /// Which words are numbers, where there is a tolerance.
    pub numbers: NumberForms,
    /// Upper and lower case are different.
    pub case_sensitive: bool,
    /// Every space counts.
    pub space_change_sensitive: bool,
    /// How far a number may be off.
    pub float_absolute_tolerance: Option<f64>,
    /// How far a number may be off, as a part of the judge's.
    pub float_relative_tolerance: Option<f64>,
}

impl DefaultValidator {
    /// Reads flags as packages write them: `case_sensitive float_tolerance 1e-6`.
    ///
    /// # Errors
    /// What is wrong with the first flag that is.
    pub fn read(flags: &[String]) -> Result<Self, String> {
        let mut read = Self::default();
        let mut rest = flags.iter();
        while let Some(flag) = rest.next() {
            let mut tolerance = || -> Result<Option<f64>, String> {
                let text = rest.next().ok_or_else(|| format!("`{flag}` needs a number behind it"))?;
                let value = text.parse::<f64>().ok().filter(|value| value.is_finite() && *value >= 0.0);
                value.map(Some).ok_or_else(|| format!("`{text}` behind `{flag}` is no tolerance"))
            };
            match flag.as_str() {
                "case_sensitive" => read.case_sensitive = true,
                "space_change_sensitive" => read.space_change_sensitive = true,
                "float_absolute_tolerance" => read.float_absolute_tolerance = tolerance()?,
                "float_relative_tolerance" => read.float_relative_tolerance = tolerance()?,
                "float_tolerance" => {
                    read.float_absolute_tolerance = tolerance()?;
                    read.float_relative_tolerance = read.float_absolute_tolerance;
                }
                _ => return Err(format!("`{flag}` is no flag of the default validator")),
            }
        }
        Ok(read)
    }

    pub(super) fn compare(&self, expected: &[u8], actual: &[u8]) -> Result<(), Mismatch> {
        let (mut wanted, mut came) = (words(expected), words(actual));
        if self.space_change_sensitive {
            spaces(expected, actual)?;
        }
        loop {
            match (wanted.next(), came.next()) {
                (None, None) => return Ok(()),
                (Some(want), Some(come)) => self.word(want, come)?,
                (Some(want), None) => {
                    let found = Mismatch::new(Mismatch::EARLY).at(format!("after word {}", want.index - 1));
                    return Err(found.showing(excerpt::begin(want.text), String::new()));
                }
                (None, Some(come)) => {
                    let found = Mismatch::new(Mismatch::MORE).at(at(come));
                    return Err(found.showing(String::new(), excerpt::begin(come.text)));
                }
            }
        }
    }

    fn word(&self, want: Word<'_>, come: Word<'_>) -> Result<(), Mismatch> {
        let is_float = self.float_absolute_tolerance.is_some() || self.float_relative_tolerance.is_some();
        let number = |text| match self.numbers {
            NumberForms::AsInC => float::read(text),
            NumberForms::Decimals => float::read(text).filter(|_| Decimal::read(text).is_some()),
        };
        let judge = if is_float { number(want.text) } else { None };
        let message = match (judge, judge.and_then(|_| number(come.text))) {
            (Some(judge), Some(team)) if self.is_near(judge, team) => return Ok(()),
            (Some(judge), Some(_)) if judge.is_finite() && same_decimal(want.text, come.text) => return Ok(()),
            (Some(_), Some(_)) => "is a number too far off",
            (Some(_), None) => "is not a number",
            (None, _) if self.case_sensitive && want.text == come.text => return Ok(()),
            (None, _) if !self.case_sensitive && want.text.eq_ignore_ascii_case(come.text) => return Ok(()),
            (None, _) => Mismatch::DIFFERS,
        };
        Err(Mismatch::new(message).at(at(come)).showing(excerpt::begin(want.text), excerpt::begin(come.text)))
    }

    fn is_near(&self, judge: f64, team: f64) -> bool {
        let off = (judge - team).abs();
        // What is not a number fails every comparison, and infinite less infinite is not a number.
        self.float_absolute_tolerance.is_some_and(|tolerance| off <= tolerance)
            || self
                .float_relative_tolerance
                .is_some_and(|tolerance| judge.is_finite() && off <= tolerance * judge.abs())
    }
}

fn at(word: Word<'_>) -> String {
    format!("word {}, on line {}", word.index, word.line)
}

/// Compares the spaces before, between and behind the words, as far as both have words.
fn spaces(expected: &[u8], actual: &[u8]) -> Result<(), Mismatch> {
    let (mut want, mut come) = (0, 0);
    loop {
        while expected.get(want).is_some_and(|byte| is_space(*byte)) {
            if actual.get(come) != expected.get(want) {
                return Err(space(expected, want, actual, come));
            }
            want += 1;
            come += 1;
        }
        if actual.get(come).is_some_and(|byte| is_space(*byte)) {
            return Err(space(expected, want, actual, come));
        }
        if want >= expected.len() || come >= actual.len() {
            return Ok(());
        }
        let word = |text: &[u8], at: usize| text[at..].iter().take_while(|byte| !is_space(**byte)).count();
        want += word(expected, want);
        come += word(actual, come);
    }
}

fn space(expected: &[u8], want: usize, actual: &[u8], come: usize) -> Mismatch {
    let found = Mismatch::new("has other spaces than were expected").at(place(actual, come));
    found.showing(excerpt::around(expected, want), excerpt::around(actual, come))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn with(flags: &str) -> DefaultValidator {
        DefaultValidator::read(&flags.split_whitespace().map(str::to_owned).collect::<Vec<_>>()).unwrap()
    }

    fn accepts(flags: &str, judge: &str, team: &str) -> bool {
        with(flags).compare(judge.as_bytes(), team.as_bytes()).is_ok()
    }

    #[test]
    fn case_and_spaces_do_not_count_unless_asked() {
        assert!(accepts("", "Yes 1\n", "yes\n\n1"));
        assert!(!accepts("case_sensitive", "Yes", "yes"));
        assert!(accepts("case_sensitive", "Yes", " Yes\n"));
        assert!(!accepts("space_change_sensitive", "a b\n", "a  b\n"));
        assert!(!accepts("space_change_sensitive", "a b\n", "a b"));
        assert!(!accepts("space_change_sensitive", "a b", "a b\n"));
        assert!(!accepts("space_change_sensitive", "a b\n", "a\tb\n"));
        assert!(accepts("space_change_sensitive", "a b\n", "A b\n"));
        assert!(!accepts("", "a b", "a"));
        assert!(!accepts("", "a", "a b"));
        assert!(!accepts("", "1.0", "1"));
    }

    #[test]
    fn numbers_may_be_off_by_either_tolerance() {
        assert!(accepts("float_tolerance 1e-6", "1000000 x", "1000000.9 X"));
        assert!(!accepts("float_absolute_tolerance 1e-6", "1000000", "1000000.9"));
        assert!(accepts("float_relative_tolerance 1e-6", "1000000", "1000000.9"));
        assert!(accepts("float_absolute_tolerance 0.5", "0", "0.5"));
        assert!(!accepts("float_relative_tolerance 0.5", "0", "0.1"));
        assert!(accepts("float_relative_tolerance 0", "0.10", "1e-1"));
        assert!(!accepts("float_tolerance 1", "1", "one"));
        // The judge's word decides whether it is a number.
        assert!(!accepts("float_tolerance 1", "one", "1"));
    }

    #[test]
    fn what_is_not_finite_is_near_to_nothing() {
        for (judge, team) in [("nan", "nan"), ("inf", "inf"), ("1", "nan"), ("1", "inf"), ("inf", "1")] {
            assert!(!accepts("float_tolerance 1e300", judge, team), "{judge} {team}");
        }
        assert!(accepts("", "nan", "NaN"));
        let decimals = DefaultValidator { numbers: NumberForms::Decimals, ..with("float_tolerance 1") };
        for (judge, team, accepted) in
            [("nan", "NaN", true), ("inf", "1", false), ("1", "inf", false), ("1", "1.5e0", true)]
        {
            assert_eq!(decimals.compare(judge.as_bytes(), team.as_bytes()).is_ok(), accepted, "{judge} {team}");
        }
    }

    #[test]
    fn flags_are_checked() {
        for flags in ["float_tolerance", "float_tolerance x", "float_tolerance -1", "float_tolerance nan", "strict"] {
            let flags: Vec<String> = flags.split(' ').map(str::to_owned).collect();
            assert!(DefaultValidator::read(&flags).is_err(), "{flags:?}");
        }
    }

    proptest! {
        #[test]
        fn what_the_judge_wrote_is_accepted(text in "[aB1.\n \t]{0,16}") {
            for flags in ["", "case_sensitive space_change_sensitive", "float_tolerance 0"] {
                prop_assert!(accepts(flags, &text, &text), "{:?} {}", text, flags);
            }
        }
    }
}
