//! What a typed file holds.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Map, Value};

use crate::workspace::{PlaceholderError, Placeholders};

/// The one key of a map that stands for bytes where a value cannot hold them.
pub(super) const BASE64: &str = "base64";

/// The content of a typed file: as text, as bytes, or as the value that it means.
#[derive(Clone, Debug, PartialEq)]
pub enum FileValue {
    /// Text, without a byte changed.
    Text(String),
    /// Bytes.
    Bytes(Vec<u8>),
    /// What the text or the bytes mean.
    Value(Value),
}

impl FileValue {
    /// Gives the content as JSON: a text, `{"base64": "…"}` for bytes, or the value.
    pub fn to_json(&self) -> Value {
        match self {
            Self::Text(text) => Value::String(text.clone()),
            Self::Bytes(bytes) => from_bytes(bytes),
            Self::Value(value) => value.clone(),
        }
    }

    /// Resolves the placeholders of what it holds.
    pub(in crate::workspace) fn resolve(self, placeholders: &Placeholders) -> Result<Self, PlaceholderError> {
        Ok(match self {
            Self::Text(text) => Self::Text(placeholders.resolve_str(&text)?),
            Self::Bytes(bytes) => Self::Bytes(placeholders.resolve_bytes(&bytes)?),
            Self::Value(value) => Self::Value(placeholders.resolve_value(&value)?),
        })
    }

    /// Makes text of what is UTF-8, and bytes of what is not.
    pub(super) fn from_text(bytes: Vec<u8>) -> Self {
        String::from_utf8(bytes).map_or_else(|error| Self::Bytes(error.into_bytes()), Self::Text)
    }
}

/// Writes bytes as a value.
pub(super) fn from_bytes(bytes: &[u8]) -> Value {
    let mut map = Map::new();
    map.insert(BASE64.to_owned(), Value::String(STANDARD.encode(bytes)));
    Value::Object(map)
}

/// Reads bytes that were written as a value; `None`: it is something else.
pub(super) fn to_bytes(value: &Value) -> Option<Vec<u8>> {
    let map = value.as_object().filter(|map| map.len() == 1)?;
    from_base64(map.get(BASE64)?.as_str()?)
}

/// Decodes base64 with padding; blanks and line ends between its characters are passed over.
pub(super) fn from_base64(text: &str) -> Option<Vec<u8>> {
    let packed: String = text.split_ascii_whitespace().collect();
    STANDARD.decode(packed).ok()
}

/// Says in a word what a value is, for messages.
pub(super) fn what(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "a boolean",
        Value::Number(_) => "a number",
        Value::String(_) => "a text",
        Value::Array(_) => "a list",
        Value::Object(_) => "a map",
    }
}
