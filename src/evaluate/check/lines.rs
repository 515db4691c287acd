//! `lines`: the same lines in any order, each as often. Blanks at their ends and empty lines do not count.

use std::borrow::Cow;
use std::collections::HashMap;

use super::text::{Case, trimmed_lines};
use super::{Mismatch, excerpt};

pub(super) fn compare(case: Case, expected: &[u8], actual: &[u8]) -> Result<(), Mismatch> {
    let mut left: HashMap<Cow<'_, [u8]>, usize> = HashMap::new();
    for line in trimmed_lines(expected).filter(|line| !line.is_empty()) {
        *left.entry(case.fold(line)).or_default() += 1;
    }
    for (number, line) in (1..).zip(trimmed_lines(actual)).filter(|(_, line)| !line.is_empty()) {
        match left.get_mut(&case.fold(line)) {
            Some(count) if *count > 0 => *count -= 1,
            counted => {
                let message = if counted.is_some() { "stands too often" } else { "is not among the expected lines" };
                let found = Mismatch::new(message).at(format!("line {number}"));
                return Err(found.showing(String::new(), excerpt::begin(line)));
            }
        }
    }
    // The first in the order of the expected text, so that every run says the same.
    let missing = trimmed_lines(expected).find(|line| left.get(&case.fold(line)).is_some_and(|count| *count > 0));
    match missing {
        None => Ok(()),
        Some(line) => {
            let count: usize = left.values().sum();
            let lines = if count == 1 { "a line is missing".to_owned() } else { format!("{count} lines are missing") };
            Err(Mismatch { expected: Some(excerpt::begin(line)), ..Mismatch::new(lines) })
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn find(expected: &str, actual: &str) -> Result<(), String> {
        compare(Case::Matters, expected.as_bytes(), actual.as_bytes()).map_err(|found| found.message)
    }

    #[test]
    fn order_does_not_count_and_number_does() {
        assert_eq!(find("a\nb\nb\n", "b \r\n\nb\na"), Ok(()));
        assert_eq!(find("a\nb", "a\na\nb"), Err("stands too often".to_owned()));
        assert_eq!(find("a\nb", "a\nc"), Err("is not among the expected lines".to_owned()));
        assert_eq!(find("a\nb\nb", "b"), Err("2 lines are missing".to_owned()));
        assert_eq!(find("a\nb", "b"), Err("a line is missing".to_owned()));
        assert!(compare(Case::Ignored, b"A\nb", b"B\na").is_ok());
    }

    proptest! {
        #[test]
        fn any_order_is_accepted(mut lines in proptest::collection::vec("[ab]{0,3}", 0..8), other in "[ab\n]{0,9}") {
            let expected = lines.join("\n");
            lines.reverse();
            prop_assert_eq!(find(&expected, &lines.join("\n")), Ok(()));
            prop_assert_eq!(find(&expected, &other).is_ok(), find(&other, &expected).is_ok());
        }
    }
}
