//! JSON, and JSON a line.

use serde::de::DeserializeSeed as _;
use serde_json::Value;

use super::bounds::Meter;
use super::tree::{Node, Repeated};
use super::{FileType, FormatError};

/// Reads one value.
pub(super) fn read(bytes: &[u8], meter: &Meter) -> Result<Value, FormatError> {
    one(bytes, meter).map_err(|error| refused(FileType::Json, &error.to_string(), meter))
}

fn one(bytes: &[u8], meter: &Meter) -> Result<Value, serde_json::Error> {
    let mut deserializer = serde_json::Deserializer::from_slice(bytes);
    // The parser's own limit of 128 stands before ours where that is higher.
    let value = Node::root(meter, Repeated::LastWins).deserialize(&mut deserializer)?;
    deserializer.end()?;
    Ok(value)
}

fn refused(file_type: FileType, problem: &str, meter: &Meter) -> FormatError {
    meter.exceeded().unwrap_or_else(|| FormatError::malformed(file_type, problem))
}

/// Reads one value a line; blank lines are passed over.
pub(super) fn read_lines(bytes: &[u8], meter: &Meter) -> Result<Value, FormatError> {
    let lines = bytes.split(|byte| *byte == b'\n').enumerate();
    let wanted = lines.filter(|(_, line)| !line.iter().all(u8::is_ascii_whitespace));
    let values = wanted.map(|(index, line)| {
        one(line, meter).map_err(|error| {
            let text = error.to_string();
            let problem = text.split(" at line ").next().unwrap_or(&text);
            refused(FileType::Jsonl, &format!("line {}: {problem}", index + 1), meter)
        })
    });
    values.collect::<Result<Vec<_>, _>>().map(Value::Array)
}

/// Writes a value with two spaces of indent and without a line end.
pub(super) fn write(value: &Value) -> Vec<u8> {
    format!("{value:#}").into_bytes()
}

/// Writes one value a line; what is no list is the only line.
pub(super) fn write_lines(value: &Value) -> Vec<u8> {
    let values = match value {
        Value::Array(values) => values.as_slice(),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) | Value::Object(_) => {
            std::slice::from_ref(value)
        }
    };
    values.iter().map(|value| format!("{value}\n")).collect::<String>().into_bytes()
}
