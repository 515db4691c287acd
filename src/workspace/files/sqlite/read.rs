//! From a database that a guest may have made to its tables.

use std::io::Read as _;

use rusqlite::config::DbConfig;
use rusqlite::hooks::{AuthAction, AuthContext, Authorization};
use rusqlite::limits::Limit;
use rusqlite::types::ValueRef;
use rusqlite::{Connection, OpenFlags, Row};
use serde_json::{Map, Number, Value};

use crate::workspace::files::bounds::Meter;
use crate::workspace::files::value::from_bytes;
use crate::workspace::files::{FileType, FormatError};

/// How a database begins: <https://www.sqlite.org/fileformat.html>.
const MAGIC: &[u8] = b"SQLite format 3\0";

/// Where the header says whether there is a write-ahead log, and the value for none.
const JOURNAL: std::ops::Range<usize> = 18..20;
const NO_LOG: [u8; 2] = [1, 1];

/// How many instructions run between two looks at the bound.
const STEP: u64 = 1_000;

/// Reads all tables of the user's as lists of rows. Left out is what is not stored: views, virtual tables and columns
/// that are computed when they are read; and SQLite's own tables.
pub(in crate::workspace::files) fn read(bytes: &[u8], meter: &Meter) -> Result<Value, FormatError> {
    let mut tables = Map::new();
    // An empty file is a database without tables.
    if !bytes.is_empty() {
        let connection = open(bytes, meter)?;
        let refused = |error: &rusqlite::Error| refused(error, meter);
        let mut names = names(&connection).map_err(|error| refused(&error))?;
        names.sort_unstable();
        for name in names {
            meter.value()?;
            meter.text(name.len())?;
            let rows = rows(&connection, &name, meter).map_err(|error| match error {
                Failed::Sqlite(error) => refused(&error),
                Failed::Format(error) => error,
            })?;
            tables.insert(name, Value::Array(rows));
        }
    }
    let mut database = Map::new();
    database.insert("tables".to_owned(), Value::Object(tables));
    Ok(Value::Object(database))
}

enum Failed {
    Sqlite(rusqlite::Error),
    Format(FormatError),
}

impl From<rusqlite::Error> for Failed {
    fn from(error: rusqlite::Error) -> Self {
        Self::Sqlite(error)
    }
}

impl From<FormatError> for Failed {
    fn from(error: FormatError) -> Self {
        Self::Format(error)
    }
}

fn refused(error: &rusqlite::Error, meter: &Meter) -> FormatError {
    match error.sqlite_error_code() {
        Some(rusqlite::ErrorCode::OperationInterrupted) => meter.exceed("steps of work", meter.bounds().steps),
        Some(rusqlite::ErrorCode::TooBig) => meter.exceed("bytes in one cell", meter.bounds().bytes),
        _ => FormatError::malformed(FileType::Sqlite, &error.to_string()),
    }
}

/// Opens the bytes as a database that cannot be written, with everything closed that a file could bring along.
fn open(bytes: &[u8], meter: &Meter) -> Result<Connection, FormatError> {
    if !bytes.starts_with(MAGIC) || bytes.len() < JOURNAL.end {
        return Err(FormatError::malformed(FileType::Sqlite, "it does not begin as one"));
    }
    let mut connection = Connection::open_in_memory_with_flags(
        OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_CREATE | OpenFlags::SQLITE_OPEN_NO_MUTEX,
    )
    .map_err(|error| refused(&error, meter))?;
    // A database in memory has no log beside it: what the file itself holds is what it says.
    let (before, after) = (&bytes[..JOURNAL.start], &bytes[JOURNAL.end..]);
    let whole = before.chain(NO_LOG.as_slice()).chain(after);
    let closed = settle(&connection)
        // Taking the bytes in is an `ATTACH` inside of SQLite, and reads nothing of the schema yet.
        .and_then(|()| connection.deserialize_read_exact("main", whole, bytes.len(), true))
        .and_then(|()| close_down(&mut connection, meter));
    closed.map_err(|error| refused(&error, meter))?;
    Ok(connection)
}

/// Follows <https://www.sqlite.org/security.html> as far as connections are told how to behave.
fn settle(connection: &Connection) -> rusqlite::Result<()> {
    // A sorter or a temporary table would be a file of the host.
    connection.execute_batch("PRAGMA temp_store=MEMORY; PRAGMA cell_size_check=ON; PRAGMA mmap_size=0;")?;
    for (config, value) in [
        (DbConfig::SQLITE_DBCONFIG_DEFENSIVE, true),
        (DbConfig::SQLITE_DBCONFIG_TRUSTED_SCHEMA, false),
        (DbConfig::SQLITE_DBCONFIG_ENABLE_TRIGGER, false),
        (DbConfig::SQLITE_DBCONFIG_ENABLE_VIEW, false),
    ] {
        connection.set_db_config(config, value)?;
    }
    Ok(())
}

/// Bounds what can be asked, and allows nothing but looking at tables.
fn close_down(connection: &mut Connection, meter: &Meter) -> rusqlite::Result<()> {
    let cell = i32::try_from(meter.bounds().bytes).unwrap_or(i32::MAX);
    for (limit, value) in [
        (Limit::SQLITE_LIMIT_LENGTH, cell),
        (Limit::SQLITE_LIMIT_SQL_LENGTH, 1 << 20),
        (Limit::SQLITE_LIMIT_EXPR_DEPTH, 100),
        (Limit::SQLITE_LIMIT_COMPOUND_SELECT, 10),
        (Limit::SQLITE_LIMIT_ATTACHED, 0),
        (Limit::SQLITE_LIMIT_TRIGGER_DEPTH, 1),
        (Limit::SQLITE_LIMIT_WORKER_THREADS, 0),
    ] {
        connection.set_limit(limit, value)?;
    }
    let mut left = meter.bounds().steps / STEP;
    let spent = move || {
        left = left.saturating_sub(1);
        left == 0
    };
    connection.progress_handler(i32::try_from(STEP).unwrap_or(i32::MAX), Some(spent))?;
    connection.authorizer(Some(|asked: AuthContext<'_>| {
        let is_look = matches!(
            asked.action,
            AuthAction::Select | AuthAction::Read { .. } | AuthAction::Pragma { pragma_name: "table_xinfo", .. }
        );
        if is_look { Authorization::Allow } else { Authorization::Deny }
    }))
}

/// Lists the tables of the user's that have pages of their own: virtual ones have none.
fn names(connection: &Connection) -> rusqlite::Result<Vec<String>> {
    let mut statement = connection.prepare("SELECT name, rootpage FROM sqlite_schema WHERE type = 'table'")?;
    let mut rows = statement.query([])?;
    let mut names = Vec::new();
    while let Some(row) = rows.next()? {
        let name: String = row.get(0)?;
        let page: Option<i64> = row.get(1)?;
        if page.unwrap_or(0) > 0 && !name.to_ascii_lowercase().starts_with("sqlite_") {
            names.push(name);
        }
    }
    Ok(names)
}

/// Lists the columns that are stored. What a column computes when it is read is SQL of the file's.
fn columns(connection: &Connection, table: &str) -> rusqlite::Result<Vec<String>> {
    const COMPUTED: i64 = 2;
    let mut statement = connection.prepare(&format!("PRAGMA table_xinfo({})", quoted(table)))?;
    let mut rows = statement.query([])?;
    let mut columns = Vec::new();
    while let Some(row) = rows.next()? {
        let (name, hidden): (String, i64) = (row.get("name")?, row.get("hidden")?);
        if hidden != COMPUTED {
            columns.push(name);
        }
    }
    Ok(columns)
}

fn rows(connection: &Connection, table: &str, meter: &Meter) -> Result<Vec<Value>, Failed> {
    let columns = columns(connection, table)?;
    if columns.is_empty() {
        return Err(FormatError::malformed(FileType::Sqlite, &format!("the table `{table}` has no columns")).into());
    }
    let list: Vec<String> = columns.iter().map(|column| quoted(column)).collect();
    let select = format!("SELECT {} FROM {} NOT INDEXED", list.join(", "), quoted(table));
    let mut statement = connection.prepare(&select)?;
    let mut found = statement.query([])?;
    let mut rows = Vec::new();
    while let Some(row) = found.next()? {
        meter.value()?;
        rows.push(Value::Object(cells(row, &columns, meter)?));
    }
    Ok(rows)
}

fn cells(row: &Row<'_>, columns: &[String], meter: &Meter) -> Result<Map<String, Value>, Failed> {
    let mut cells = Map::new();
    for (index, column) in columns.iter().enumerate() {
        meter.value()?;
        meter.text(column.len())?;
        let cell = match row.get_ref(index)? {
            ValueRef::Null => Value::Null,
            ValueRef::Integer(number) => Value::Number(number.into()),
            ValueRef::Real(number) => Value::Number(
                Number::from_f64(number)
                    .ok_or_else(|| FormatError::malformed(FileType::Sqlite, "a number is not finite"))?,
            ),
            ValueRef::Text(text) => {
                meter.text(text.len())?;
                // A text may hold any bytes; those that are none come as bytes.
                std::str::from_utf8(text).map_or_else(|_| from_bytes(text), |text| Value::String(text.to_owned()))
            }
            ValueRef::Blob(bytes) => {
                meter.text(bytes.len())?;
                from_bytes(bytes)
            }
        };
        cells.insert(column.clone(), cell);
    }
    Ok(cells)
}

/// Writes a name as SQL does.
pub(super) fn quoted(name: &str) -> String {
    format!("\"{}\"", name.replace('"', "\"\""))
}
