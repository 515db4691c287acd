//! `exact`: the same bytes.

use super::text::{Case, place};
use super::{Mismatch, excerpt};

pub(super) fn compare(case: Case, expected: &[u8], actual: &[u8]) -> Result<(), Mismatch> {
    match case.difference(expected, actual) {
        None => Ok(()),
        Some((in_expected, in_actual)) => Err(Mismatch::new(ending(expected, in_expected, actual, in_actual))
            .at(place(actual, in_actual))
            .showing(excerpt::around(expected, in_expected), excerpt::around(actual, in_actual))),
    }
}

/// Says how two texts differ at a place.
pub(super) fn ending(expected: &[u8], in_expected: usize, actual: &[u8], in_actual: usize) -> &'static str {
    match (in_expected < expected.len(), in_actual < actual.len()) {
        (true, false) => Mismatch::EARLY,
        (false, true) => Mismatch::MORE,
        (true, true) | (false, false) => Mismatch::DIFFERS,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_byte_counts() {
        assert_eq!(compare(Case::Matters, b"a\n", b"a\n"), Ok(()));
        let found = compare(Case::Matters, b"a\nb", b"a\n").unwrap_err();
        assert_eq!((found.message.as_str(), found.at.as_str()), ("ends too early", "line 2, column 1"));
        let found = compare(Case::Matters, b"a", b"a\r\n").unwrap_err();
        assert_eq!((found.message.as_str(), found.at.as_str()), ("has more than was expected", "line 1, column 2"));
        let found = compare(Case::Matters, b"abc", b"abd").unwrap_err();
        assert_eq!(found.actual.as_deref(), Some("abd"));
        assert_eq!(found.expected.as_deref(), Some("abc"));
        assert_eq!(found.without_expected().expected, None);
        assert!(compare(Case::Ignored, b"ABC", b"abc").is_ok());
        assert!(compare(Case::Matters, b"ABC", b"abc").is_err());
    }
}
