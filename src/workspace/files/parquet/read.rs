//! From columns to a list of records.

use std::collections::HashSet;
use std::panic::{AssertUnwindSafe, catch_unwind};

use parquet::file::metadata::{ParquetMetaData, RowGroupMetaData};
use serde_json::{Map, Value};

use super::cells::Column;
use super::footer::{self, malformed};
use crate::workspace::files::FormatError;
use crate::workspace::files::bounds::Meter;

/// How many rows are read at a time.
const STEP: u64 = 1_024;

/// Reads the records as maps by the names of the columns.
pub(in crate::workspace::files) fn read(bytes: &[u8], meter: &Meter) -> Result<Value, FormatError> {
    // The library asserts things of what a file holds; to a guest's file that is damage as any other.
    let caught = catch_unwind(AssertUnwindSafe(|| records(bytes, meter)));
    caught.unwrap_or_else(|_| Err(malformed("its pages are damaged"))).map(Value::Array)
}

fn records(bytes: &[u8], meter: &Meter) -> Result<Vec<Value>, FormatError> {
    let structure = footer::read(bytes, meter)?;
    let names = names(&structure, meter)?;
    let mut rows: Vec<Map<String, Value>> = Vec::new();
    for group in structure.row_groups() {
        group_rows(bytes, group, &names, meter, &mut rows)?;
    }
    Ok(rows.into_iter().map(Value::Object).collect())
}

fn names(structure: &ParquetMetaData, meter: &Meter) -> Result<Vec<String>, FormatError> {
    let mut seen = HashSet::new();
    let columns = structure.file_metadata().schema_descr().columns().iter();
    let names = columns.map(|column| {
        meter.value()?;
        meter.text(column.name().len())?;
        if seen.insert(column.name().to_owned()) {
            return Ok(column.name().to_owned());
        }
        Err(malformed(&format!("two columns are called `{}`", column.name())))
    });
    names.collect()
}

fn group_rows(
    bytes: &[u8],
    group: &RowGroupMetaData,
    names: &[String],
    meter: &Meter,
    rows: &mut Vec<Map<String, Value>>,
) -> Result<(), FormatError> {
    if group.num_columns() != names.len() {
        return Err(malformed("a row group has other columns than the file"));
    }
    let mut left = u64::try_from(group.num_rows()).map_err(|_| malformed("a row group has fewer rows than none"))?;
    if left > meter.bounds().values {
        return Err(meter.exceed("values", meter.bounds().values));
    }
    let mut columns =
        group.columns().iter().map(|chunk| Column::open(bytes, chunk, meter)).collect::<Result<Vec<_>, _>>()?;
    while left > 0 {
        let step = left.min(STEP);
        left -= step;
        let begin = rows.len();
        for _ in 0..step {
            meter.value()?;
            rows.push(Map::new());
        }
        for (column, name) in columns.iter_mut().zip(names) {
            for _ in begin..rows.len() {
                meter.value()?;
                meter.text(name.len())?;
            }
            let cells = column.next(rows.len() - begin, meter)?;
            for (row, cell) in rows[begin..].iter_mut().zip(cells) {
                row.insert(name.clone(), cell);
            }
        }
    }
    Ok(())
}
