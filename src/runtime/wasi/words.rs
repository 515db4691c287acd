//! Words out of a module that people will read: names of functions and imports, and what a parser says of its text.
//!
//! A module may call things what it likes: here they become short, and nothing in them moves a terminal's cursor.

/// How much of a name is shown, in characters.
const NAME: usize = 200;
/// How much of a message is shown, in characters.
const MESSAGE: usize = 2000;
/// How many names of a list are shown.
const LISTED: usize = 10;

/// Shows a name on one line.
pub(super) fn name(text: &str) -> String {
    cut(text, NAME, false)
}

/// Shows a message, which may have several lines.
pub(super) fn message(text: &str) -> String {
    cut(text, MESSAGE, true)
}

/// Shows the first names of a list, and how many there are beyond.
pub(super) fn list(names: &[String]) -> String {
    let mut shown: Vec<String> = names.iter().take(LISTED).map(|text| name(text)).collect();
    if names.len() > LISTED {
        shown.push(format!("and {} more", names.len() - LISTED));
    }
    shown.join(", ")
}

fn cut(text: &str, length: usize, lines: bool) -> String {
    let mut shown = String::new();
    for (index, sign) in text.chars().enumerate() {
        if index == length {
            shown.push('…');
            break;
        }
        let turns =
            matches!(sign, '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{2069}' | '\u{feff}');
        if turns || (sign.is_control() && !(lines && sign == '\n')) {
            shown.extend(sign.escape_unicode());
        } else {
            shown.push(sign);
        }
    }
    shown
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_short_and_harmless() {
        assert_eq!(name("main"), "main");
        assert_eq!(name("a\u{1b}[31m\nb\u{202e}"), "a\\u{1b}[31m\\u{a}b\\u{202e}");
        assert_eq!(name(&"x".repeat(1 << 20)).chars().count(), NAME + 1);
        assert_eq!(message("two\nlines\u{7}"), "two\nlines\\u{7}");
    }

    #[test]
    fn long_lists_end_with_a_number() {
        let names: Vec<String> = (0..12).map(|n| n.to_string()).collect();
        assert_eq!(list(&names[..2]), "0, 1");
        assert_eq!(list(&names), "0, 1, 2, 3, 4, 5, 6, 7, 8, 9, and 2 more");
    }
}
