//! Decimal numbers by value, exactly and at any length.

/// A decimal number as it is written: `-12.50e3`. Two are equal when their values are.
#[derive(Clone, Copy, Debug)]
pub(super) struct Decimal<'a> {
    negative: bool,
    /// The digits before and behind the point, from the first that is not 0 on, to the last that is not 0.
    whole: &'a [u8],
    fraction: &'a [u8],
    /// The power of ten of the first digit; 0 where the number is.
    exponent: i128,
}

impl<'a> Decimal<'a> {
    /// Reads a number; none when the text is none: digits with at most one sign, point and exponent.
    pub(super) fn read(text: &'a [u8]) -> Option<Self> {
        let (negative, rest) = match text {
            [b'-', rest @ ..] => (true, rest),
            [b'+', rest @ ..] => (false, rest),
            rest => (false, rest),
        };
        let mantissa_end = rest.iter().position(|byte| matches!(byte, b'e' | b'E')).unwrap_or(rest.len());
        let (mantissa, exponent) = rest.split_at(mantissa_end);
        let point = mantissa.iter().position(|byte| *byte == b'.');
        let (whole, fraction) = match point {
            Some(point) => (&mantissa[..point], &mantissa[point + 1..]),
            None => (mantissa, &[][..]),
        };
        let is_digits = |digits: &[u8]| digits.iter().all(u8::is_ascii_digit);
        if whole.len() + fraction.len() == 0 || !is_digits(whole) || !is_digits(fraction) {
            return None;
        }
        let exponent = if exponent.is_empty() { 0 } else { read_exponent(&exponent[1..])? };
        Some(Self::normal(negative, whole, fraction, exponent))
    }

    fn normal(negative: bool, whole: &'a [u8], fraction: &'a [u8], exponent: i128) -> Self {
        let leading = |digits: &[u8]| digits.iter().take_while(|digit| **digit == b'0').count();
        let whole = &whole[leading(whole)..];
        // A text in memory is far shorter than this number can count.
        let length = |count: usize| i128::try_from(count).unwrap_or(i128::MAX / 4);
        let (skipped, place) = if whole.is_empty() {
            let skipped = leading(fraction);
            (skipped, -1 - length(skipped))
        } else {
            (0, length(whole.len()) - 1)
        };
        let fraction = trim_zeros(&fraction[skipped..]);
        let whole = if fraction.is_empty() { trim_zeros(whole) } else { whole };
        let is_zero = whole.is_empty() && fraction.is_empty();
        Self { negative: negative && !is_zero, whole, fraction, exponent: if is_zero { 0 } else { exponent + place } }
    }
}

fn trim_zeros(digits: &[u8]) -> &[u8] {
    let end = digits.iter().rposition(|digit| *digit != b'0').map_or(0, |last| last + 1);
    &digits[..end]
}

/// Reads an exponent of at most 18 digits: what is larger is no number here.
fn read_exponent(text: &[u8]) -> Option<i128> {
    let digits = text.strip_prefix(b"-").or_else(|| text.strip_prefix(b"+")).unwrap_or(text);
    if digits.is_empty() || digits.len() > 18 || !digits.iter().all(u8::is_ascii_digit) {
        return None;
    }
    std::str::from_utf8(text).ok()?.parse().ok()
}

impl PartialEq for Decimal<'_> {
    fn eq(&self, other: &Self) -> bool {
        let digits = |number: &Self| number.whole.len() + number.fraction.len();
        self.negative == other.negative
            && self.exponent == other.exponent
            && digits(self) == digits(other)
            && self.whole.iter().chain(self.fraction).eq(other.whole.iter().chain(other.fraction))
    }
}

impl Decimal<'_> {
    /// Gives the one text that every number of this value has.
    pub(super) fn canonical(&self) -> String {
        let digits = self.whole.iter().chain(self.fraction).map(|digit| char::from(*digit));
        let sign = if self.negative { "-" } else { "" };
        format!("{sign}{}e{}", digits.collect::<String>(), self.exponent)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn same(a: &str, b: &str) -> bool {
        let (Some(x), Some(y)) = (Decimal::read(a.as_bytes()), Decimal::read(b.as_bytes())) else { return false };
        assert_eq!(x == y, x.canonical() == y.canonical(), "{a} {b}");
        x == y
    }

    #[test]
    fn values_count_and_not_how_they_are_written() {
        for (a, b) in [
            ("007", "7"),
            ("1.50", "1.5"),
            ("1e2", "100"),
            ("-0", "0.000"),
            ("+5.", "5"),
            (".5", "0.50"),
            ("120e-1", "12"),
            ("0e999", "0"),
            ("0.00012", "1.2E-4"),
            ("10", "1e1"),
        ] {
            assert!(same(a, b), "{a} {b}");
        }
        for (a, b) in [("1", "-1"), ("1.05", "1.5"), ("100", "10"), ("0.1", "0.01"), ("12", "1.2")] {
            assert!(!same(a, b), "{a} {b}");
        }
    }

    #[test]
    fn long_numbers_are_exact() {
        let long = "9".repeat(1 << 20);
        assert!(same(&long, &format!("000{long}.000")));
        assert!(!same(&long, &format!("{}8", &long[1..])));
        assert!(!same("9007199254740993", "9007199254740992"));
    }

    #[test]
    fn what_is_no_number_is_not_read() {
        for text in
            ["", "-", ".", "1.2.3", "1e", "1e+", "e5", "0x10", "nan", "inf", "1_000", "--1", "1e9999999999999999999"]
        {
            assert!(Decimal::read(text.as_bytes()).is_none(), "{text}");
        }
    }

    proptest! {
        #[test]
        fn it_agrees_with_integers(a: i64, b: i64, zeros in 0..4_usize) {
            prop_assert_eq!(same(&a.to_string(), &b.to_string()), a == b);
            let scaled = format!("{a}{}e-{zeros}", "0".repeat(zeros));
            prop_assert!(same(&scaled, &a.to_string()));
        }
    }
}
