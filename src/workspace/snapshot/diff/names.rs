//! Names and link targets as JSON texts, from which the bytes come back.

use std::fmt::Write;

/// What begins the text of bytes that are not UTF-8, or that begin so themselves.
const HEX: &str = "hex:";

/// Writes bytes as they are when they are UTF-8, else as `hex:` and two digits a byte.
pub(super) fn to_text(bytes: &[u8]) -> String {
    match std::str::from_utf8(bytes) {
        Ok(text) if !text.starts_with(HEX) => text.to_owned(),
        _ => bytes.iter().fold(HEX.to_owned(), |mut text, byte| {
            // Writing to a text cannot fail.
            let _ = write!(text, "{byte:02x}");
            text
        }),
    }
}

/// Reads what [`to_text`] wrote; `None` when it did not.
pub(super) fn from_text(text: &str) -> Option<Vec<u8>> {
    let Some(digits) = text.strip_prefix(HEX) else { return Some(text.as_bytes().to_vec()) };
    let digit = |byte: u8| char::from(byte).to_digit(16).and_then(|digit| u8::try_from(digit).ok());
    let (pairs, rest) = digits.as_bytes().as_chunks::<2>();
    let bytes = pairs.iter().map(|[high, low]| Some(digit(*high)? << 4 | digit(*low)?));
    if rest.is_empty() { bytes.collect() } else { None }
}

/// Writes lines as they are when they are UTF-8, else one character a byte (Latin-1); `true` says that it was the latter.
pub(super) fn lines_to_text(lines: &[u8]) -> (String, bool) {
    match std::str::from_utf8(lines) {
        Ok(text) => (text.to_owned(), false),
        Err(_) => (lines.iter().map(|byte| char::from(*byte)).collect(), true),
    }
}

/// Reads what [`lines_to_text`] wrote.
pub(super) fn lines_from_text(text: &str, is_latin: bool) -> Option<Vec<u8>> {
    if is_latin { text.chars().map(|c| u8::try_from(c).ok()).collect() } else { Some(text.as_bytes().to_vec()) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn every_name_comes_back(bytes in prop_oneof![
            proptest::collection::vec(any::<u8>(), 0..8), "(hex:)?[0-9a-f]{0,4}".prop_map(String::into_bytes)
        ]) {
            prop_assert_eq!(from_text(&to_text(&bytes)), Some(bytes.clone()));
            let (text, is_latin) = lines_to_text(&bytes);
            prop_assert_eq!(lines_from_text(&text, is_latin), Some(bytes));
        }
    }

    #[test]
    fn what_is_no_name_is_refused() {
        for text in ["hex:0", "hex:0g", "hex:é"] {
            assert_eq!(from_text(text), None, "{text}");
        }
    }
}
