//! `contains`: the expected text stands somewhere in what came. CRLF is LF; newlines at its end do not count.

use super::text::{Case, plain};
use super::{Mismatch, excerpt};

pub(super) fn compare(case: Case, expected: &[u8], actual: &[u8]) -> Result<(), Mismatch> {
    let (expected, actual) = (plain(expected), plain(actual));
    let (needle, text) = (case.fold(&expected), case.fold(&actual));
    if is_in(&needle, &text) {
        return Ok(());
    }
    Err(Mismatch::new("does not hold the expected text").showing(excerpt::begin(&expected), excerpt::begin(&actual)))
}

/// Says whether a text holds another, in time linear in both: the search of Knuth, Morris and Pratt.
fn is_in(needle: &[u8], text: &[u8]) -> bool {
    // For every begin of the needle, how much of its end is a begin of the needle again.
    let mut again = vec![0; needle.len()];
    let mut length = 0;
    for at in 1..needle.len() {
        while length > 0 && needle[at] != needle[length] {
            length = again[length - 1];
        }
        length += usize::from(needle[at] == needle[length]);
        again[at] = length;
    }
    let mut found = 0;
    for byte in text {
        if found == needle.len() {
            break;
        }
        while found > 0 && *byte != needle[found] {
            found = again[found - 1];
        }
        found += usize::from(*byte == needle[found]);
    }
    found == needle.len()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn line_ends_are_one() {
        let accepts =
            |expected: &str, actual: &str| compare(Case::Matters, expected.as_bytes(), actual.as_bytes()).is_ok();
        assert!(accepts("b\nc\n", "a b\r\nc d"));
        assert!(!accepts("bc", "b\nc"));
        assert!(compare(Case::Ignored, "É".as_bytes(), "caf\u{e9}".as_bytes()).is_ok());
    }

    #[test]
    fn a_hostile_text_takes_linear_time() {
        let text = "a".repeat(1 << 22);
        let needle = "a".repeat(1 << 20) + "b";
        assert!(!is_in(needle.as_bytes(), text.as_bytes()));
    }

    proptest! {
        #[test]
        fn it_finds_what_is_there(text in "[ab]{0,40}", needle in "[ab]{0,6}") {
            prop_assert_eq!(is_in(needle.as_bytes(), text.as_bytes()), text.contains(&needle));
        }
    }
}
