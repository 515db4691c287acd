//! `regex`: a regular expression is found in what came. No expression takes more than linear time.

use regex::bytes::{Regex, RegexBuilder};

use super::text::{Case, plain};
use super::{Mismatch, excerpt};

/// Makes an expression ready; `^` and `$` are the begin and the end of the whole, `(?m)` makes them those of lines.
pub(super) fn read(pattern: &str, case: Case) -> Result<Regex, String> {
    // A newline at the end is that of the file it stands in.
    let pattern = pattern.trim_end_matches(['\n', '\r']);
    if pattern.is_empty() {
        return Err("is an empty expression, which every output has".to_owned());
    }
    let mut builder = RegexBuilder::new(pattern);
    builder.case_insensitive(case == Case::Ignored).build().map_err(|error| {
        if matches!(error, regex::Error::CompiledTooBig(_)) {
            return "is too large an expression".to_owned();
        }
        // The library draws the expression over several lines; the last says what is wrong.
        let text = error.to_string();
        let last = text.lines().last().unwrap_or_default();
        format!("is not a regular expression: {}", last.trim_start_matches("error: "))
    })
}

pub(super) fn compare(regex: &Regex, actual: &[u8]) -> Result<(), Mismatch> {
    let actual = plain(actual);
    if regex.is_match(&actual) {
        return Ok(());
    }
    let found = Mismatch::new("does not match the expression");
    Err(found.showing(excerpt::begin(regex.as_str().as_bytes()), excerpt::begin(&actual)))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn accepts(pattern: &str, actual: &str) -> bool {
        compare(&read(pattern, Case::Matters).unwrap(), actual.as_bytes()).is_ok()
    }

    #[test]
    fn newlines_at_the_end_do_not_stand_in_the_way() {
        assert!(accepts("^[0-9]+$", "42\r\n"));
        assert!(!accepts("^[0-9]+$", "x\n42"));
        assert!(accepts("(?m)^[0-9]+$", "x\r\n42\r\ny"));
        assert!(compare(&read("ABC", Case::Ignored).unwrap(), b"xabcx").is_ok());
    }

    #[test]
    fn bytes_that_are_no_text_are_no_obstacle() {
        assert!(accepts("b$", "a\u{fffd}b"));
        assert!(compare(&read("(?-u)\\xff", Case::Matters).unwrap(), b"\xff").is_ok());
    }

    #[test]
    fn what_is_no_expression_says_why() {
        assert_eq!(read("a(", Case::Matters).unwrap_err(), "is not a regular expression: unclosed group");
        assert!(read("(a{1000}){1000}", Case::Matters).unwrap_err().contains("too large"));
        assert!(read("(?=a)", Case::Matters).unwrap_err().contains("not supported"));
        assert!(read("\n", Case::Matters).is_err());
    }

    #[test]
    fn what_blows_up_elsewhere_takes_linear_time() {
        assert!(!accepts("^(a+)+$", &("a".repeat(1 << 20) + "!")));
    }
}
