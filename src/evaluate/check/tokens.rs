//! `tokens`, `numbers` and `float`: word by word, whatever stands between the words.

use super::decimal::Decimal;
use super::float;
use super::text::{Case, Word, words};
use super::{Mismatch, Tolerances, excerpt};

/// How two words are compared.
#[derive(Clone, Copy, Debug)]
pub(super) enum Rule {
    /// As texts.
    Texts,
    /// As decimal numbers, exactly, where both are; else as texts.
    Decimals,
    /// As numbers, within a tolerance, where both are; else as texts.
    Within(Tolerances),
}

pub(super) fn compare(rule: Rule, case: Case, expected: &[u8], actual: &[u8]) -> Result<(), Mismatch> {
    let (mut wanted, mut came) = (words(expected), words(actual));
    loop {
        match (wanted.next(), came.next()) {
            (None, None) => return Ok(()),
            (Some(want), Some(come)) if rule.same(case, want.text, come.text) => {}
            (Some(want), Some(come)) => return Err(differs(rule, want, come)),
            (Some(want), None) => {
                let count = want.index - 1;
                let found = Mismatch::new(Mismatch::EARLY).at(format!("after word {count}"));
                return Err(found.showing(excerpt::begin(want.text), String::new()));
            }
            (None, Some(come)) => {
                let found = Mismatch::new(Mismatch::MORE).at(place(come));
                return Err(found.showing(String::new(), excerpt::begin(come.text)));
            }
        }
    }
}

fn differs(rule: Rule, want: Word<'_>, come: Word<'_>) -> Mismatch {
    let is_number = |text| match rule {
        Rule::Texts => false,
        Rule::Decimals => Decimal::read(text).is_some(),
        Rule::Within(_) => float::read(text).is_some(),
    };
    let message = match (rule, is_number(come.text)) {
        (Rule::Texts, _) | (Rule::Decimals | Rule::Within(_), false) => Mismatch::DIFFERS,
        (Rule::Decimals, true) => "is another number",
        (Rule::Within(_), true) => "is a number too far off",
    };
    Mismatch::new(message).at(place(come)).showing(excerpt::begin(want.text), excerpt::begin(come.text))
}

fn place(word: Word<'_>) -> String {
    format!("word {}, on line {}", word.index, word.line)
}

impl Rule {
    /// Says whether two words are the same; a tolerance is one of the expected number.
    pub(super) fn same(self, case: Case, expected: &[u8], actual: &[u8]) -> bool {
        case.same(expected, actual)
            || match self {
                Self::Texts => false,
                Self::Decimals => same_decimal(expected, actual),
                Self::Within(tolerances) => float::same(tolerances, expected, actual),
            }
    }
}

/// Says whether both texts are decimal numbers of one value.
pub(super) fn same_decimal(a: &[u8], b: &[u8]) -> bool {
    Decimal::read(a).is_some_and(|a| Decimal::read(b) == Some(a))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn accepts(rule: Rule, expected: &str, actual: &str) -> bool {
        compare(rule, Case::Matters, expected.as_bytes(), actual.as_bytes()).is_ok()
    }

    #[test]
    fn spaces_do_not_count() {
        assert!(accepts(Rule::Texts, "a b\nc", "\x0b a\r\n\r\nb\tc\x0c"));
        assert!(accepts(Rule::Texts, "", " \n"));
        assert!(!accepts(Rule::Texts, "ab", "a b"));
        // The no-break space is a letter here, as in C.
        assert!(!accepts(Rule::Texts, "a b", "a\u{a0}b"));
        assert!(!accepts(Rule::Texts, "1", "1.0"));
    }

    #[test]
    fn the_first_difference_is_named() {
        let find = |expected: &str, actual: &str| {
            compare(Rule::Texts, Case::Matters, expected.as_bytes(), actual.as_bytes()).unwrap_err()
        };
        assert_eq!(find("a b c", "a\nx c").at, "word 2, on line 2");
        assert_eq!(find("a b c", "a b").at, "after word 2");
        assert_eq!(find("a", "a b").message, "has more than was expected");
        let found = find("secret", "guess");
        assert!(!found.message.contains("secret") && !found.at.contains("secret"));
        assert_eq!((found.expected.as_deref(), found.actual.as_deref()), (Some("secret"), Some("guess")));
    }

    #[test]
    fn numbers_are_compared_by_value() {
        assert!(accepts(Rule::Decimals, "yes 10 0.5", "yes 1e1 .50"));
        assert!(!accepts(Rule::Decimals, "10", "11"));
        assert!(!accepts(Rule::Decimals, "10", "10x"));
        assert!(!accepts(Rule::Decimals, "18446744073709551617", "18446744073709551616"));
        assert!(accepts(Rule::Decimals, "inf nan", "inf nan"));
        assert!(!accepts(Rule::Decimals, "inf", "Infinity"));
    }

    proptest! {
        #[test]
        fn equal_is_accepted_and_order_of_sides_does_not_count(a in "[ab1.0 \n]{0,9}", b in "[ab1.0 \n]{0,9}") {
            for rule in [Rule::Texts, Rule::Decimals] {
                prop_assert!(accepts(rule, &a, &a));
                prop_assert_eq!(accepts(rule, &a, &b), accepts(rule, &b, &a));
            }
            prop_assert!(!accepts(Rule::Texts, &a, &b) || accepts(Rule::Decimals, &a, &b));
        }
    }
}
