//! TOML: one table.

use serde_json::{Map, Number, Value};

use super::bounds::Meter;
use super::value::what;
use super::{FileBounds, FileType, FormatError};

/// The key by which the parser hands dates and times out; a table that has it is one.
const DATETIME: &str = "$__toml_private_datetime";

/// Reads a table. Dates and times are texts, as TOML writes them.
pub(super) fn read(bytes: &[u8], meter: &Meter) -> Result<Value, FormatError> {
    if bytes.len() > FileBounds::PARSED_TEXT {
        return Err(meter.exceed("bytes of TOML", FileBounds::PARSED_TEXT as u64));
    }
    let refused = |problem: &str| FormatError::malformed(FileType::Toml, problem);
    let text = std::str::from_utf8(bytes).map_err(|_| refused("it is not UTF-8"))?;
    let table: toml::Table = toml::from_str(text).map_err(|error| refused(error.message()))?;
    from_toml(toml::Value::Table(table), 0, meter)
}

fn from_toml(value: toml::Value, depth: u32, meter: &Meter) -> Result<Value, FormatError> {
    meter.value()?;
    meter.depth(depth)?;
    Ok(match value {
        toml::Value::String(text) => {
            meter.text(text.len())?;
            Value::String(text)
        }
        toml::Value::Integer(number) => Value::Number(number.into()),
        toml::Value::Float(number) => Value::Number(
            Number::from_f64(number).ok_or_else(|| FormatError::malformed(FileType::Toml, "a number is not finite"))?,
        ),
        toml::Value::Boolean(value) => Value::Bool(value),
        toml::Value::Datetime(moment) => Value::String(moment.to_string()),
        toml::Value::Array(values) => {
            let values = values.into_iter().map(|value| from_toml(value, depth + 1, meter));
            Value::Array(values.collect::<Result<_, _>>()?)
        }
        toml::Value::Table(table) => {
            let mut map = Map::new();
            for (key, value) in table {
                meter.text(key.len())?;
                map.insert(key, from_toml(value, depth + 1, meter)?);
            }
            Value::Object(map)
        }
    })
}

/// Writes a table.
pub(super) fn write(value: &Value) -> Result<Vec<u8>, FormatError> {
    let Value::Object(map) = value else {
        return Err(FormatError::shape(&format!("a TOML file is a map, and this is {}", what(value))));
    };
    let table = to_table(map)?;
    let text = toml::to_string_pretty(&table).map_err(|error| FormatError::shape(&error.to_string()))?;
    Ok(text.into_bytes())
}

fn to_table(map: &Map<String, Value>) -> Result<toml::Table, FormatError> {
    let members = map.iter().map(|(key, value)| match key.as_str() {
        DATETIME => Err(FormatError::shape(&format!("TOML keeps the key `{key}` for itself"))),
        _ => Ok((key.clone(), to_toml(value)?)),
    });
    members.collect()
}

fn to_toml(value: &Value) -> Result<toml::Value, FormatError> {
    Ok(match value {
        Value::Null => return Err(FormatError::shape("TOML has no null")),
        Value::Bool(value) => toml::Value::Boolean(*value),
        Value::Number(number) => match (number.as_i64(), number.as_f64()) {
            (Some(number), _) => toml::Value::Integer(number),
            (None, Some(float)) if number.is_f64() => toml::Value::Float(float),
            (None, _) => return Err(FormatError::shape(&format!("TOML has no integer as large as {number}"))),
        },
        Value::String(text) => toml::Value::String(text.clone()),
        Value::Array(values) => toml::Value::Array(values.iter().map(to_toml).collect::<Result<_, _>>()?),
        Value::Object(map) => toml::Value::Table(to_table(map)?),
    })
}
