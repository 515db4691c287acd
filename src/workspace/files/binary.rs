//! Text and bytes: what has no structure.

use serde_json::Value;

use super::value::{from_base64, to_bytes, what};
use super::{FileType, FormatError};

/// Writes a value as text: texts only, since every other value has more than one.
pub(super) fn write_text(value: &Value) -> Result<Vec<u8>, FormatError> {
    match value {
        Value::String(text) => Ok(text.clone().into_bytes()),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::Array(_) | Value::Object(_) => {
            to_bytes(value).ok_or_else(|| shape(FileType::Text, value))
        }
    }
}

/// Writes a value as bytes: base64, or a map that says so.
pub(super) fn write_bytes(value: &Value) -> Result<Vec<u8>, FormatError> {
    match value {
        Value::String(text) => from_base64(text).ok_or_else(|| FormatError::shape("the text is not base64")),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::Array(_) | Value::Object(_) => {
            to_bytes(value).ok_or_else(|| shape(FileType::Binary, value))
        }
    }
}

fn shape(file_type: FileType, value: &Value) -> FormatError {
    FormatError::shape(&format!("{} cannot be written as {}", what(value), file_type.name()))
}
