//! Names in patches, as git writes and reads them.

/// Writes a name behind a prefix (`a/`, `b/`); in quotes and escaped when it holds a blank, a quote, a backslash, a control character or
/// anything beyond ASCII.
///
/// git itself leaves blanks unquoted, and reads them quoted as well; `patch` cannot tell where such a name ends.
pub(super) fn quote(prefix: &str, name: &[u8]) -> String {
    let is_plain = |byte: &u8| byte.is_ascii_graphic() && !b"\"\\".contains(byte);
    if name.iter().all(is_plain) {
        return format!("{prefix}{}", String::from_utf8_lossy(name));
    }
    let escape = |byte: &u8| match byte {
        b'"' | b'\\' => format!("\\{}", char::from(*byte)),
        b'\n' => "\\n".to_owned(),
        b'\t' => "\\t".to_owned(),
        b' '..=b'~' => char::from(*byte).to_string(),
        other => format!("\\{other:03o}"),
    };
    format!("\"{prefix}{}\"", name.iter().map(escape).collect::<String>())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn odd_names_are_quoted() {
        assert_eq!(quote("a/", b"src/main.rs"), "a/src/main.rs");
        assert_eq!(quote("a/", b"x y"), "\"a/x y\"");
        assert_eq!(quote("b/", "\u{e9}\"\\\n\t\x01".as_bytes()), "\"b/\\303\\251\\\"\\\\\\n\\t\\001\"");
        assert_eq!(quote("", b"\xff"), "\"\\377\"");
    }
}
