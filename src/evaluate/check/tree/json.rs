//! A reader of JSON by RFC 8259 that keeps numbers as they are written. The one of the JSON library rounds them.

use super::node::{MAX_DEPTH, MAX_NODES, Node, Unreadable, map};

/// Reads one value and nothing behind it.
pub(in crate::evaluate::check) fn read_json(text: &[u8]) -> Result<Node, Unreadable> {
    let text = std::str::from_utf8(text)
        .map_err(|error| Unreadable { message: "is not UTF-8".to_owned(), at: Some(error.valid_up_to()) })?;
    let mut reader = Reader { text, at: 0, left: MAX_NODES };
    reader.skip_space();
    if reader.peek().is_none() {
        return Err(reader.fault("is empty"));
    }
    let node = reader.value(0)?;
    reader.skip_space();
    if reader.peek().is_some() { Err(reader.fault("has something behind its JSON value")) } else { Ok(node) }
}

struct Reader<'a> {
    text: &'a str,
    at: usize,
    /// How many more values there may be.
    left: usize,
}

impl<'a> Reader<'a> {
    fn fault(&self, message: impl Into<String>) -> Unreadable {
        Unreadable { message: message.into(), at: Some(self.at) }
    }

    fn peek(&self) -> Option<u8> {
        self.text.as_bytes().get(self.at).copied()
    }

    fn skip_space(&mut self) {
        while self.peek().is_some_and(|byte| matches!(byte, b' ' | b'\t' | b'\n' | b'\r')) {
            self.at += 1;
        }
    }

    /// Takes a byte if it is next.
    fn take(&mut self, byte: u8) -> bool {
        let is_next = self.peek() == Some(byte);
        self.at += usize::from(is_next);
        is_next
    }

    fn value(&mut self, depth: usize) -> Result<Node, Unreadable> {
        if depth > MAX_DEPTH {
            return Err(self.fault(format!("is nested more than {MAX_DEPTH} deep")));
        }
        self.left = self.left.checked_sub(1).ok_or_else(|| self.fault(format!("has more than {MAX_NODES} values")))?;
        match self.peek() {
            Some(b'{') => self.map(depth),
            Some(b'[') => self.list(depth),
            Some(b'"') => self.string().map(|text| Node::Text(text.into())),
            Some(b'-' | b'0'..=b'9') => self.number(),
            _ => {
                for (word, node) in [("null", Node::Null), ("true", Node::Bool(true)), ("false", Node::Bool(false))] {
                    if self.text[self.at..].starts_with(word) {
                        self.at += word.len();
                        return Ok(node);
                    }
                }
                Err(self.fault("is not JSON: no value begins here"))
            }
        }
    }

    fn list(&mut self, depth: usize) -> Result<Node, Unreadable> {
        self.at += 1;
        let mut nodes = Vec::new();
        self.skip_space();
        if self.take(b']') {
            return Ok(Node::List(nodes));
        }
        loop {
            self.skip_space();
            nodes.push(self.value(depth + 1)?);
            self.skip_space();
            if self.take(b']') {
                return Ok(Node::List(nodes));
            }
            if !self.take(b',') {
                return Err(self.fault("is not JSON: a comma or `]` is missing"));
            }
        }
    }

    fn map(&mut self, depth: usize) -> Result<Node, Unreadable> {
        self.at += 1;
        let mut entries = Vec::new();
        self.skip_space();
        if self.take(b'}') {
            return Ok(Node::Map(entries));
        }
        loop {
            self.skip_space();
            if self.peek() != Some(b'"') {
                return Err(self.fault("is not JSON: a key in quotes is missing"));
            }
            let key = self.string()?;
            self.skip_space();
            if !self.take(b':') {
                return Err(self.fault("is not JSON: a colon is missing"));
            }
            self.skip_space();
            entries.push((key.into(), self.value(depth + 1)?));
            self.skip_space();
            if self.take(b'}') {
                return map(entries).map_err(|_| self.fault("has a key twice in one map"));
            }
            if !self.take(b',') {
                return Err(self.fault("is not JSON: a comma or `}` is missing"));
            }
        }
    }

    fn digits(&mut self) -> Result<(), Unreadable> {
        let begin = self.at;
        while self.peek().is_some_and(|byte| byte.is_ascii_digit()) {
            self.at += 1;
        }
        if self.at == begin { Err(self.fault("is not JSON: a digit is missing")) } else { Ok(()) }
    }

    fn number(&mut self) -> Result<Node, Unreadable> {
        let begin = self.at;
        self.take(b'-');
        let zero = self.peek() == Some(b'0');
        let first = self.at;
        self.digits()?;
        if zero && self.at > first + 1 {
            return Err(self.fault("is not JSON: a number begins with 0"));
        }
        if self.take(b'.') {
            self.digits()?;
        }
        if self.take(b'e') || self.take(b'E') {
            if !self.take(b'+') {
                self.take(b'-');
            }
            self.digits()?;
        }
        Ok(Node::Number(self.text[begin..self.at].into()))
    }

    fn string(&mut self) -> Result<String, Unreadable> {
        self.at += 1;
        let mut out = String::new();
        loop {
            let rest = &self.text[self.at..];
            let plain = rest.bytes().position(|byte| matches!(byte, b'"' | b'\\' | 0..=0x1f));
            let Some(plain) = plain else { return Err(self.fault("is not JSON: a text has no end")) };
            out.push_str(&rest[..plain]);
            self.at += plain;
            if self.take(b'"') {
                return Ok(out);
            }
            if !self.take(b'\\') {
                return Err(self.fault("is not JSON: a control character in a text"));
            }
            out.push(self.escape()?);
        }
    }

    fn escape(&mut self) -> Result<char, Unreadable> {
        let sign = self.peek();
        let simple = match sign {
            Some(b'"') => '"',
            Some(b'\\') => '\\',
            Some(b'/') => '/',
            Some(b'b') => '\u{8}',
            Some(b'f') => '\u{c}',
            Some(b'n') => '\n',
            Some(b'r') => '\r',
            Some(b't') => '\t',
            Some(b'u') => return self.unicode(),
            _ => return Err(self.fault("is not JSON: an unknown escape in a text")),
        };
        self.at += 1;
        Ok(simple)
    }

    /// Reads `uXXXX`, and the second half of a pair. Half a pair is no letter: it becomes the replacement character.
    fn unicode(&mut self) -> Result<char, Unreadable> {
        let first = self.hex()?;
        if !(0xd800..0xdc00).contains(&first) {
            return Ok(char::from_u32(first).unwrap_or(char::REPLACEMENT_CHARACTER));
        }
        let before = self.at;
        if self.take(b'\\') && self.peek() == Some(b'u') {
            let second = self.hex()?;
            if (0xdc00..0xe000).contains(&second) {
                let code = 0x10000 + ((first - 0xd800) << 10) + (second - 0xdc00);
                return Ok(char::from_u32(code).unwrap_or(char::REPLACEMENT_CHARACTER));
            }
        }
        self.at = before;
        Ok(char::REPLACEMENT_CHARACTER)
    }

    fn hex(&mut self) -> Result<u32, Unreadable> {
        let digits: &'a str = self.text.get(self.at + 1..self.at + 5).unwrap_or_default();
        let is_hex = digits.len() == 4 && digits.bytes().all(|digit| digit.is_ascii_hexdigit());
        let code = u32::from_str_radix(digits, 16).ok().filter(|_| is_hex);
        let code = code.ok_or_else(|| self.fault("is not JSON: `\\u` without four digits"))?;
        self.at += 5;
        Ok(code)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use serde_json::Value;

    fn fault(text: &str) -> String {
        read_json(text.as_bytes()).unwrap_err().message
    }

    #[test]
    fn it_reads_what_the_library_reads() {
        for text in [
            r#" {"a": [1, -2.5e+3, true, false, null, "x\n\u00e9\ud83d\ude00\/"], "": {}} "#,
            "[]",
            "0",
            "-0.0",
            "\"\"",
            r#"{"b":1,"a":2}"#,
        ] {
            let value: Value = serde_json::from_str(text).unwrap();
            assert_eq!(read_json(text.as_bytes()).unwrap().to_value(), value, "{text}");
        }
        assert_eq!(read_json(b"\"\\ud800x\"").unwrap(), Node::Text("\u{fffd}x".into()));
        assert_eq!(read_json(b"\"\\ud800\\u0041\"").unwrap(), Node::Text("\u{fffd}A".into()));
    }

    #[test]
    fn it_refuses_what_the_library_refuses() {
        for text in [
            "",
            "{",
            "[1,]",
            "[1 2]",
            "{\"a\" 1}",
            "{a: 1}",
            "01",
            "1.",
            ".5",
            "1e",
            "-",
            "+1",
            "NaN",
            "Infinity",
            "'a'",
            "\"a",
            "\"\n\"",
            "\"\\x\"",
            "\"\\u00g0\"",
            "\"\\u+123\"",
            "tru",
            "1 2",
            "[1],",
            "{\"a\":1,}",
        ] {
            assert!(serde_json::from_str::<Value>(text).is_err(), "{text}");
            assert!(read_json(text.as_bytes()).is_err(), "{text}");
        }
        assert_eq!(fault("{\"a\":1,\"a\":2}"), "has a key twice in one map");
        assert_eq!(fault("NaN"), "is not JSON: no value begins here");
        assert_eq!(read_json(b"[\xff]").unwrap_err().at, Some(1));
    }

    #[test]
    fn numbers_keep_every_digit() {
        let long = "1".repeat(10_000);
        assert_eq!(read_json(long.as_bytes()).unwrap(), Node::Number(long.as_str().into()));
        assert_eq!(read_json(b"1e400").unwrap(), Node::Number("1e400".into()));
    }

    #[test]
    fn hostile_texts_are_refused_early() {
        assert!(fault(&"[".repeat(16 << 20)).contains("nested more than"));
        assert!(fault(&"{\"\":".repeat(1 << 20)).contains("nested more than"));
        assert!(fault(&format!("[{}0]", "0,".repeat(8 << 20))).contains("more than 1000000 values"));
        let deep = "[".repeat(MAX_DEPTH) + &"]".repeat(MAX_DEPTH);
        assert!(read_json(deep.as_bytes()).is_ok());
    }

    proptest! {
        #[test]
        fn no_text_panics(text in "[\\[\\]{}:,\"\\\\u0-9eE.+\\-ntrue ]{0,24}") {
            let ours = read_json(text.as_bytes());
            let theirs = serde_json::from_str::<Value>(&text);
            // The library takes keys twice and refuses half a pair and numbers beyond its own.
            if let (Err(_), Ok(value)) = (&ours, &theirs) {
                prop_assert!(value.to_string().contains('{'), "{}", text);
            }
        }

        #[test]
        fn every_text_survives(text: String) {
            let written = Value::from(text.as_str()).to_string();
            prop_assert_eq!(read_json(written.as_bytes()).unwrap(), Node::Text(text.into()));
        }
    }
}
