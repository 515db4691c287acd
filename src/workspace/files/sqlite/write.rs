//! From tables to a database.

use rusqlite::types::Value as Cell;
use rusqlite::{Connection, OpenFlags, params_from_iter};
use serde_json::{Map, Value};

use super::read::quoted;
use crate::workspace::files::FormatError;
use crate::workspace::files::value::{to_bytes, what};

/// What a list of rows without a name is called.
const UNNAMED: &str = "table";

/// The most columns that a table may have, SQLite's own default.
const MOST_COLUMNS: usize = 2_000;

/// Writes a database: a map of tables, the same below `tables`, or a list of rows for one table called `table`.
///
/// A table is a list of maps, or a map with `rows` and, where their order or an empty table matters, `columns`.
pub(in crate::workspace::files) fn write(value: &Value) -> Result<Vec<u8>, FormatError> {
    let tables = tables(value)?;
    let failed = |error: rusqlite::Error| FormatError::shape(&error.to_string());
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_CREATE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let mut connection = Connection::open_in_memory_with_flags(flags).map_err(failed)?;
    // One transaction: nobody sees half of it, and a page is written once.
    connection.execute_batch("PRAGMA temp_store=MEMORY; BEGIN").map_err(failed)?;
    for (name, payload) in tables {
        Table::read(name, payload)?.write(&connection).map_err(failed)?;
    }
    connection.execute_batch("COMMIT").map_err(failed)?;
    connection.serialize("main").map(|data| data.to_vec()).map_err(failed)
}

fn tables(value: &Value) -> Result<Vec<(&str, &Value)>, FormatError> {
    let named = |map: &'_ Map<String, Value>| map.is_empty();
    match value {
        Value::Array(_) => Ok(vec![(UNNAMED, value)]),
        Value::Object(map) => {
            let map = match map.get("tables") {
                Some(Value::Object(tables)) if map.len() == 1 || named(tables) => tables,
                _ => map,
            };
            Ok(map.iter().map(|(name, payload)| (name.as_str(), payload)).collect())
        }
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {
            Err(FormatError::shape(&format!("a database is a map of tables or a list of rows, not {}", what(value))))
        }
    }
}

/// One table that can be written.
struct Table<'v> {
    name: &'v str,
    columns: Vec<&'v str>,
    rows: Vec<&'v Map<String, Value>>,
}

impl<'v> Table<'v> {
    /// Checks the name, the payload, its rows, each row and the columns.
    fn read(name: &'v str, payload: &'v Value) -> Result<Self, FormatError> {
        let wrong = |problem: String| FormatError::shape(&format!("the table `{name}` {problem}"));
        if name.is_empty() || name.contains('\0') || name.to_ascii_lowercase().starts_with("sqlite_") {
            return Err(wrong("cannot have this name".to_owned()));
        }
        let (columns, rows) = match payload {
            Value::Array(rows) => (None, rows.as_slice()),
            Value::Object(map) => (map.get("columns"), rows_of(map).map_err(wrong)?),
            Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {
                return Err(wrong(format!("is {}, not a list of rows or a map", what(payload))));
            }
        };
        let rows: Vec<&Map<String, Value>> = rows
            .iter()
            .enumerate()
            .map(|(index, row)| match row {
                Value::Object(row) if row.is_empty() => Err(wrong(format!("has no cells in row {}", index + 1))),
                Value::Object(row) => Ok(row),
                Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) | Value::Array(_) => {
                    Err(wrong(format!("has {} as row {}, not a map", what(row), index + 1)))
                }
            })
            .collect::<Result<_, _>>()?;
        let columns = match columns {
            Some(columns) => named_columns(columns).map_err(wrong)?,
            None => first_seen(rows.iter().flat_map(|row| row.keys().map(String::as_str))),
        };
        if columns.is_empty() {
            return Err(wrong("has no columns".to_owned()));
        }
        if columns.len() > MOST_COLUMNS {
            return Err(wrong(format!("has more than {MOST_COLUMNS} columns")));
        }
        Ok(Self { name, columns, rows })
    }

    fn write(&self, connection: &Connection) -> rusqlite::Result<()> {
        let table = quoted(self.name);
        let columns: Vec<String> = self.columns.iter().map(|name| self.column(name)).collect();
        connection.execute_batch(&format!("CREATE TABLE {table} ({})", columns.join(", ")))?;
        let places = vec!["?"; self.columns.len()].join(", ");
        let mut insert = connection.prepare(&format!("INSERT INTO {table} VALUES ({places})"))?;
        for row in &self.rows {
            let cells = self.columns.iter().map(|column| cell(row.get(*column).unwrap_or(&Value::Null)));
            insert.execute(params_from_iter(cells.collect::<rusqlite::Result<Vec<_>>>()?))?;
        }
        Ok(())
    }

    /// Gives a column with the type of its first value.
    fn column(&self, name: &str) -> String {
        let first = self.rows.iter().filter_map(|row| row.get(name)).find(|value| !value.is_null());
        let ty = match first {
            Some(Value::Bool(_)) => "INTEGER",
            Some(Value::Number(number)) if number.is_f64() => "REAL",
            Some(Value::Number(_)) => "INTEGER",
            Some(value) if to_bytes(value).is_some() => "BLOB",
            Some(Value::Null | Value::String(_) | Value::Array(_) | Value::Object(_)) | None => "TEXT",
        };
        format!("{} {ty}", quoted(name))
    }
}

fn rows_of(map: &Map<String, Value>) -> Result<&[Value], String> {
    if let Some(other) = map.keys().find(|key| *key != "rows" && *key != "columns") {
        return Err(format!("has the key `{other}` beside `rows` and `columns`"));
    }
    match map.get("rows") {
        Some(Value::Array(rows)) => Ok(rows),
        Some(other) => Err(format!("has rows that are {}, not a list", what(other))),
        None => Ok(&[]),
    }
}

fn named_columns(columns: &Value) -> Result<Vec<&str>, String> {
    let names = columns.as_array().and_then(|names| names.iter().map(Value::as_str).collect::<Option<Vec<_>>>());
    match names {
        Some(names) if names.iter().any(|name| name.is_empty()) => Err("has a column without a name".to_owned()),
        Some(names) if !names.is_empty() => Ok(first_seen(names.into_iter())),
        Some(_) | None => Err("has columns that are not a list of names".to_owned()),
    }
}

/// Gives each name once, where it is first.
fn first_seen<'v>(names: impl Iterator<Item = &'v str>) -> Vec<&'v str> {
    let mut seen = std::collections::HashSet::new();
    names.filter(|name| seen.insert(*name)).collect()
}

/// Gives a cell: booleans as 0 and 1, lists and maps as JSON.
fn cell(value: &Value) -> rusqlite::Result<Cell> {
    Ok(match value {
        Value::Null => Cell::Null,
        Value::Bool(value) => Cell::Integer((*value).into()),
        Value::Number(number) => match (number.as_i64(), number.as_f64()) {
            (Some(number), _) => Cell::Integer(number),
            (None, Some(float)) if number.is_f64() => Cell::Real(float),
            (None, _) => return Err(rusqlite::Error::ToSqlConversionFailure("an integer is too large".into())),
        },
        Value::String(text) => Cell::Text(text.clone()),
        Value::Array(_) | Value::Object(_) => match to_bytes(value) {
            Some(bytes) => Cell::Blob(bytes),
            None => Cell::Text(value.to_string()),
        },
    })
}
