//! `trimmed`, the default: the same text, but for CRLF, blanks at line ends and newlines at the end.

use super::exact::ending;
use super::text::{Case, column, trimmed_lines};
use super::{Mismatch, excerpt};

pub(super) fn compare(case: Case, expected: &[u8], actual: &[u8]) -> Result<(), Mismatch> {
    let (mut wanted, mut came) = (trimmed_lines(expected), trimmed_lines(actual));
    let mut number = 0;
    loop {
        number += 1;
        let is_blank = |line: &&[u8]| line.is_empty();
        match (wanted.next(), came.next()) {
            (None, None) => return Ok(()),
            (Some(want), Some(come)) => {
                if let Some(found) = line(case, number, want, come) {
                    return Err(found);
                }
            }
            // Empty lines at the end do not count, on either side.
            (Some(want), None) => {
                return match std::iter::once(want).chain(wanted).find(|line| !is_blank(line)) {
                    None => Ok(()),
                    Some(line) => {
                        let found = Mismatch::new(Mismatch::EARLY).at(format!("line {number}"));
                        Err(found.showing(excerpt::begin(line), String::new()))
                    }
                };
            }
            (None, Some(come)) => {
                let mut rest = (number..).zip(std::iter::once(come).chain(came));
                return match rest.find(|(_, line)| !is_blank(line)) {
                    None => Ok(()),
                    Some((number, line)) => {
                        let found = Mismatch::new(Mismatch::MORE).at(format!("line {number}"));
                        Err(found.showing(String::new(), excerpt::begin(line)))
                    }
                };
            }
        }
    }
}

/// Compares two lines.
pub(super) fn line(case: Case, number: usize, want: &[u8], come: &[u8]) -> Option<Mismatch> {
    let (in_want, in_come) = case.difference(want, come)?;
    let how = match ending(want, in_want, come, in_come) {
        Mismatch::EARLY => "the line ends too early",
        Mismatch::MORE => "the line has more than was expected",
        how => how,
    };
    let found = Mismatch::new(how).at(format!("line {number}, column {}", column(&come[..in_come])));
    Some(found.showing(excerpt::around(want, in_want), excerpt::around(come, in_come)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn accepts(expected: &str, actual: &str) -> bool {
        compare(Case::Matters, expected.as_bytes(), actual.as_bytes()).is_ok()
    }

    #[test]
    fn ends_of_lines_and_of_the_text_do_not_count() {
        for (expected, actual) in [
            ("a\nb\n", "a\nb"),
            ("a\nb", "a \t\r\nb\r\n\r\n  \n"),
            ("", "\n \n"),
            ("\n\n", ""),
            ("a\n\nb", "a\n  \nb\n"),
        ] {
            assert!(accepts(expected, actual), "{expected:?} {actual:?}");
            assert!(accepts(actual, expected), "{actual:?} {expected:?}");
        }
    }

    #[test]
    fn everything_else_counts() {
        for (expected, actual, at) in [
            ("a\nb", "a\n\nb", "line 2, column 1"),
            (" a", "a", "line 1, column 1"),
            ("a  b", "a b", "line 1, column 3"),
            ("a\nb", "a", "line 2"),
            ("a", "a\n\nb", "line 3"),
            ("a\rb", "a\nb", "line 1, column 2"),
            ("ab", "aB", "line 1, column 2"),
        ] {
            let found = compare(Case::Matters, expected.as_bytes(), actual.as_bytes()).unwrap_err();
            assert_eq!(found.at, at, "{expected:?} {actual:?}");
        }
    }

    proptest! {
        #[test]
        fn what_does_not_count_does_not(lines in proptest::collection::vec("[ab\t ]{0,4}", 0..6)) {
            let plain = lines.iter().map(|line| line.trim_end()).collect::<Vec<_>>().join("\n");
            let odd = lines.join("\r\n") + "\r\n\n";
            prop_assert!(accepts(&plain, &odd));
            prop_assert!(accepts(&odd, &plain));
        }

        #[test]
        fn it_is_symmetric(a in "[ab\r\n ]{0,12}", b in "[ab\r\n ]{0,12}") {
            prop_assert_eq!(accepts(&a, &b), accepts(&b, &a));
            prop_assert!(accepts(&a, &a));
        }
    }
}
