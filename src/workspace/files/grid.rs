//! CSV and TSV: rows of cells, all of which are texts.

use std::borrow::Cow;
use std::collections::HashSet;

use csv::{ByteRecord, ReaderBuilder, Terminator, WriterBuilder};
use serde_json::{Map, Value};

use super::bounds::Meter;
use super::value::what;
use super::{FileType, FormatError};

fn delimiter(file_type: FileType) -> u8 {
    if file_type == FileType::Tsv { b'\t' } else { b',' }
}

/// Reads rows as maps by the names of the first row. A cell that is not there is null; one too many is an error.
pub(super) fn read(file_type: FileType, bytes: &[u8], meter: &Meter) -> Result<Value, FormatError> {
    let mut reader =
        ReaderBuilder::new().has_headers(false).flexible(true).delimiter(delimiter(file_type)).from_reader(bytes);
    let mut record = ByteRecord::new();
    let failed = |error: csv::Error| FormatError::malformed(file_type, &error.to_string());
    if !reader.read_byte_record(&mut record).map_err(failed)? {
        return Ok(Value::Array(Vec::new()));
    }
    let names = record.iter().map(|name| text(file_type, name, 1)).collect::<Result<Vec<_>, _>>()?;
    let mut seen = HashSet::new();
    if let Some(name) = names.iter().find(|name| !seen.insert(name.as_str())) {
        return Err(FormatError::malformed(file_type, &format!("two columns are called `{name}`")));
    }
    let mut rows = Vec::new();
    while reader.read_byte_record(&mut record).map_err(failed)? {
        meter.value()?;
        let line = record.position().map_or(0, csv::Position::line);
        if record.len() > names.len() {
            let problem = format!("line {line} has {} cells, and the first {}", record.len(), names.len());
            return Err(FormatError::malformed(file_type, &problem));
        }
        let mut row = Map::new();
        for (index, name) in names.iter().enumerate() {
            let cell = record.get(index);
            meter.value()?;
            meter.text(name.len() + cell.map_or(0, <[u8]>::len))?;
            let cell = cell.map(|cell| text(file_type, cell, line)).transpose()?;
            row.insert(name.clone(), cell.map_or(Value::Null, Value::String));
        }
        rows.push(Value::Object(row));
    }
    Ok(Value::Array(rows))
}

fn text(file_type: FileType, cell: &[u8], line: u64) -> Result<String, FormatError> {
    let text = std::str::from_utf8(cell);
    text.map(str::to_owned).map_err(|_| FormatError::malformed(file_type, &format!("line {line} is not UTF-8")))
}

/// Writes rows: maps with the columns of the first, lists as they stand, or a map of `columns` and `rows`.
pub(super) fn write(file_type: FileType, value: &Value) -> Result<Vec<u8>, FormatError> {
    let mut writer = WriterBuilder::new()
        .flexible(true)
        .delimiter(delimiter(file_type))
        .terminator(Terminator::CRLF)
        .from_writer(Vec::new());
    let failed = |error: csv::Error| FormatError::shape(&error.to_string());
    let (columns, rows) = parts(file_type, value)?;
    if let Some(columns) = &columns {
        writer.write_record(columns).map_err(failed)?;
    }
    for (index, row) in rows.iter().enumerate() {
        let cells = cells(columns.as_deref(), row)
            .map_err(|problem| FormatError::shape(&format!("row {} {problem}", index + 1)))?;
        writer.write_record(cells.iter().map(|cell| cell.as_bytes())).map_err(failed)?;
    }
    writer.into_inner().map_err(|error| FormatError::shape(&error.to_string()))
}

type Parts<'v> = (Option<Vec<&'v str>>, &'v [Value]);

/// Gives the columns, where there are some to be written, and the rows.
fn parts(file_type: FileType, value: &Value) -> Result<Parts<'_>, FormatError> {
    match value {
        Value::Array(rows) => match rows.first() {
            Some(Value::Object(first)) if first.is_empty() => Err(FormatError::shape("row 1 has no columns")),
            Some(Value::Object(first)) => Ok((Some(first.keys().map(String::as_str).collect()), rows)),
            Some(_) | None => Ok((None, rows)),
        },
        Value::Object(map) => {
            let columns = map.get("columns").and_then(Value::as_array);
            let columns = columns.and_then(|columns| columns.iter().map(Value::as_str).collect::<Option<Vec<_>>>());
            match (columns, map.get("rows").and_then(Value::as_array)) {
                (Some(columns), Some(rows)) if map.len() == 2 && !columns.is_empty() => Ok((Some(columns), rows)),
                _ => Err(FormatError::shape("a map needs `columns`, a list of texts, and `rows`, a list")),
            }
        }
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {
            Err(FormatError::shape(&format!("a {} file is a list of rows, not {}", file_type.name(), what(value))))
        }
    }
}

/// Gives the cells of a row in the order of the columns, or says what is wrong with it.
fn cells<'v>(columns: Option<&[&str]>, row: &'v Value) -> Result<Vec<Cow<'v, str>>, String> {
    match (columns, row) {
        (Some(columns), Value::Object(row)) => {
            if let Some(unknown) = row.keys().find(|key| !columns.contains(&key.as_str())) {
                return Err(format!("has the column `{unknown}`, which the first row has not"));
            }
            Ok(columns.iter().map(|column| row.get(*column).map_or(Cow::Borrowed(""), cell)).collect())
        }
        (_, Value::Array(row)) => Ok(row.iter().map(cell).collect()),
        (None, Value::Object(_)) => Err("is a map, and the first row is none".to_owned()),
        (_, other) => Err(format!("is {}, not a map or a list", what(other))),
    }
}

/// Writes a cell: null is empty, and what is no text is written as JSON.
fn cell(value: &Value) -> Cow<'_, str> {
    match value {
        Value::Null => Cow::Borrowed(""),
        Value::String(text) => Cow::Borrowed(text),
        Value::Bool(_) | Value::Number(_) | Value::Array(_) | Value::Object(_) => Cow::Owned(value.to_string()),
    }
}
