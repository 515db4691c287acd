//! A little of a text, for people: on one line, bounded, with everything visible.

use std::fmt::Write as _;

/// How much is shown before the place that matters, in bytes.
const BEFORE: usize = 20;
/// How much is shown from the place that matters on, in bytes.
const AFTER: usize = 60;

/// Shows the text around a place; `…` where something is left out.
///
/// Control characters, what is not UTF-8 and what has no shape of its own are escaped, so that no terminal obeys it.
pub(super) fn around(text: &[u8], at: usize) -> String {
    let at = at.min(text.len());
    let begin = boundary(text, at.saturating_sub(BEFORE));
    let end = boundary(text, at.saturating_add(AFTER).min(text.len()));
    let mut out = String::new();
    out.push_str(if begin > 0 { "…" } else { "" });
    escape(&text[begin..end], &mut out);
    out.push_str(if end < text.len() { "…" } else { "" });
    out
}

/// Shows the begin of a text.
pub(super) fn begin(text: &[u8]) -> String {
    around(text, 0)
}

/// Shows the begin of a text that is for people already: cut, and on one line.
pub(super) fn begin_of_text(text: &str) -> String {
    let mut shown: String =
        text.chars().take(BEFORE + AFTER).map(|sign| if is_visible(sign) { sign } else { '?' }).collect();
    if shown.len() < text.len() {
        shown.push('…');
    }
    shown
}

/// Says whether a letter has a shape, and changes nothing around it.
fn is_visible(sign: char) -> bool {
    let turns =
        matches!(sign, '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{feff}');
    !sign.is_control() && !turns
}

/// Moves a cut out of a letter, towards the begin.
fn boundary(text: &[u8], at: usize) -> usize {
    let is_inside = |at: &usize| *at < text.len() && text[*at] & 0xc0 == 0x80;
    (at.saturating_sub(3)..=at).rev().find(|at| !is_inside(at)).unwrap_or(at)
}

fn escape(text: &[u8], out: &mut String) {
    for chunk in text.utf8_chunks() {
        for sign in chunk.valid().chars() {
            match sign {
                '"' | '\'' => out.push(sign),
                _ if sign.is_control() || is_visible(sign) => out.extend(sign.escape_debug()),
                // Direction marks and the like would change what stands around them.
                _ => out.extend(sign.escape_unicode()),
            }
        }
        for byte in chunk.invalid() {
            // Writing to a text does not fail.
            let _ = write!(out, "\\x{byte:02x}");
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn everything_is_visible() {
        assert_eq!(begin(b"a\tb\r\n\x1b[31m\xff\\\"'"), "a\\tb\\r\\n\\u{1b}[31m\\xff\\\\\"'");
        assert_eq!(begin("a\u{202e}b".as_bytes()), "a\\u{202e}b");
    }

    #[test]
    fn what_is_left_out_is_declared() {
        let text = "ü".repeat(100);
        let shown = around(text.as_bytes(), 101);
        assert!(shown.starts_with("…ü") && shown.ends_with("ü…"), "{shown}");
        assert!(!shown.contains("\\x"), "{shown}");
    }

    proptest! {
        #[test]
        fn every_excerpt_is_bounded_and_on_one_line(text: Vec<u8>, at: usize) {
            let shown = around(&text, at % 200);
            prop_assert!(shown.len() <= 12 * (BEFORE + AFTER + 3) + 6);
            prop_assert!(!shown.chars().any(char::is_control));
        }
    }
}
