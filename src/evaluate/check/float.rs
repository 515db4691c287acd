//! Numbers that may be off by a tolerance, and what holds for those that are not finite.

use super::Tolerances;
use super::tokens::same_decimal;

impl Tolerances {
    /// What `float` allows where a file names no tolerance: a millionth, of the number or of one.
    pub const DEFAULT: Self = Self { relative: 1e-6, absolute: 1e-6 };

    /// Says whether a number is near enough to the expected one.
    ///
    /// Both are numbers of the machine, and so is the border: 1.01 is more than 0.01 away from 1.00 by a rounding.
    /// What is infinite is near to the same infinity alone, and what is not a number to another that is none.
    pub fn allow(&self, expected: f64, actual: f64) -> bool {
        if expected.is_nan() || actual.is_nan() {
            return expected.is_nan() && actual.is_nan();
        }
        if expected.is_infinite() || actual.is_infinite() {
            return expected == actual;
        }
        // Halves, so that the difference of two finite numbers is one too.
        let off = (expected / 2.0 - actual / 2.0).abs();
        off <= self.absolute / 2.0 || off <= self.relative * (expected.abs() / 2.0)
    }
}

/// Reads a number: decimal, or `inf`, `infinity`, `nan` with or without a sign, in any case.
pub(super) fn read(text: &[u8]) -> Option<f64> {
    // What Rust reads is just that; no spaces, no hexadecimal.
    std::str::from_utf8(text).ok()?.parse().ok()
}

/// Says whether both texts are numbers that are near enough.
pub(super) fn same(tolerances: Tolerances, expected: &[u8], actual: &[u8]) -> bool {
    let (Some(want), Some(come)) = (read(expected), read(actual)) else { return false };
    // A decimal that is too large for the machine is read as infinite, and is it not.
    let is_beyond = |value: f64, text: &[u8]| value.is_infinite() && text.iter().any(u8::is_ascii_digit);
    if is_beyond(want, expected) || is_beyond(come, actual) {
        return same_decimal(expected, actual);
    }
    tolerances.allow(want, come) || same_decimal(expected, actual)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn within(relative: f64, absolute: f64, expected: &str, actual: &str) -> bool {
        same(Tolerances { relative, absolute }, expected.as_bytes(), actual.as_bytes())
    }

    #[test]
    fn either_tolerance_suffices() {
        assert!(within(0.0, 0.25, "1.00", "1.25"));
        assert!(!within(0.0, 0.25, "1.00", "1.2500001"));
        assert!(within(0.01, 0.0, "1000", "1010"));
        assert!(!within(0.01, 0.0, "0", "0.0001"));
        assert!(within(0.01, 0.001, "0", "0.0001"));
        // Of the expected number, never of the other one.
        assert!(!within(0.5, 0.0, "1", "2"));
        assert!(within(0.5, 0.0, "2", "1"));
    }

    #[test]
    fn what_is_not_finite_has_rules() {
        for (expected, actual) in [("nan", "-NaN"), ("inf", "Infinity"), ("-inf", "-INF"), ("1e400", "10e399")] {
            assert!(within(1e300, 1e300, expected, actual), "{expected} {actual}");
        }
        for (expected, actual) in [
            ("nan", "0"),
            ("0", "nan"),
            ("inf", "-inf"),
            ("inf", "1e308"),
            ("1e308", "inf"),
            ("1e400", "inf"),
            ("1e400", "2e400"),
        ] {
            assert!(!within(1.0, 1e300, expected, actual), "{expected} {actual}");
        }
    }

    #[test]
    fn large_numbers_do_not_overflow() {
        assert!(!within(0.0, 1.0, "1.7e308", "-1.7e308"));
        assert!(within(0.0, 0.0, "9007199254740993", "9007199254740993.0"));
        // Without a tolerance what the machine cannot tell apart is the same.
        assert!(within(0.0, 0.0, "9007199254740993", "9007199254740992"));
    }

    #[test]
    fn what_is_no_number_is_not_near_to_any() {
        for text in ["", "1,5", "0x1", "1 ", "one", "1e", "١"] {
            assert!(!within(1e9, 1e9, "1", text), "{text}");
        }
    }

    proptest! {
        #[test]
        fn every_number_is_near_to_itself(value: f64, tolerance in 0.0..1.0) {
            let text = value.to_string();
            prop_assert!(within(tolerance, 0.0, &text, &text));
            prop_assert!(Tolerances::default().allow(value, value));
        }

        #[test]
        fn absolute_tolerance_is_symmetric(a: f64, b: f64, absolute in 0.0..1e300) {
            let tolerances = Tolerances { relative: 0.0, absolute };
            prop_assert_eq!(tolerances.allow(a, b), tolerances.allow(b, a));
        }
    }
}
