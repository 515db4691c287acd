//! From a list of records to columns.

use std::collections::HashSet;
use std::sync::Arc;

use parquet::basic::{Compression, ConvertedType, Repetition, Type as Physical, ZstdLevel};
use parquet::data_type::{BoolType, ByteArray, ByteArrayType, DataType, DoubleType, Int64Type};
use parquet::errors::ParquetError;
use parquet::file::properties::{EnabledStatistics, WriterProperties};
use parquet::file::writer::{SerializedColumnWriter, SerializedFileWriter};
use parquet::schema::types::Type;
use serde_json::{Map, Value};

use crate::workspace::files::FormatError;
use crate::workspace::files::value::{to_bytes, what};

/// The level that pages are packed with.
const ZSTD_LEVEL: i32 = 10;

/// The largest integer up to which each has a double of its own.
const EXACT: u64 = 1 << 53;

/// Writes a list of maps, one row group, every column optional; a cell that is not there is null.
pub(in crate::workspace::files) fn write(value: &Value) -> Result<Vec<u8>, FormatError> {
    let rows = rows(value)?;
    let columns = columns(&rows)?;
    if columns.is_empty() && !rows.is_empty() {
        return Err(FormatError::shape("the rows have no cells"));
    }
    file(&rows, &columns).map_err(|error| FormatError::shape(&error.to_string()))
}

fn rows(value: &Value) -> Result<Vec<&Map<String, Value>>, FormatError> {
    let Value::Array(rows) = value else {
        return Err(FormatError::shape(&format!("a Parquet file is a list of maps, not {}", what(value))));
    };
    let rows = rows.iter().enumerate().map(|(index, row)| {
        let problem = || format!("row {} is {}, not a map", index + 1, what(row));
        row.as_object().ok_or_else(|| FormatError::shape(&problem()))
    });
    rows.collect()
}

/// What all cells of a column are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Sort {
    Boolean,
    Integer,
    /// Integers of which one needs 64 bits without a sign.
    Unsigned,
    Float,
    Text,
    Bytes,
}

struct Column<'v> {
    name: &'v str,
    sort: Sort,
}

fn columns<'v>(rows: &[&'v Map<String, Value>]) -> Result<Vec<Column<'v>>, FormatError> {
    let mut seen = HashSet::new();
    let names = rows.iter().flat_map(|row| row.keys()).filter(|name| seen.insert(name.as_str()));
    names.map(|name| Ok(Column { name, sort: sort(name, rows)? })).collect()
}

/// Tells the one sort of a column; one of nulls alone is of texts.
fn sort(name: &str, rows: &[&Map<String, Value>]) -> Result<Sort, FormatError> {
    let wrong = |problem: &str| FormatError::shape(&format!("the column `{name}` {problem}"));
    let mut sort = None;
    for cell in rows.iter().filter_map(|row| row.get(name)) {
        let one = match cell {
            Value::Null => continue,
            Value::Bool(_) => Sort::Boolean,
            Value::Number(number) if number.is_f64() => Sort::Float,
            Value::Number(number) if number.is_i64() => Sort::Integer,
            Value::Number(_) => Sort::Unsigned,
            Value::String(_) => Sort::Text,
            Value::Object(_) if to_bytes(cell).is_some() => Sort::Bytes,
            Value::Array(_) | Value::Object(_) => return Err(wrong("holds a list or a map, and records are flat")),
        };
        sort = Some(match (sort, one) {
            (None, one) => one,
            (Some(before), one) if before == one => one,
            (Some(Sort::Integer | Sort::Unsigned), Sort::Integer | Sort::Unsigned) => Sort::Unsigned,
            (Some(Sort::Integer | Sort::Unsigned | Sort::Float), Sort::Integer | Sort::Unsigned | Sort::Float) => {
                Sort::Float
            }
            (Some(_), _) => return Err(wrong("holds cells of different types")),
        });
    }
    let sort = sort.unwrap_or(Sort::Text);
    let cells = || rows.iter().filter_map(|row| row.get(name)).filter_map(Value::as_number);
    match sort {
        Sort::Unsigned if cells().any(|number| !number.is_u64()) => Err(wrong("needs integers of more than 64 bits")),
        Sort::Float if cells().any(|number| !is_exact(number)) => Err(wrong("holds an integer that is no double")),
        Sort::Boolean | Sort::Integer | Sort::Unsigned | Sort::Float | Sort::Text | Sort::Bytes => Ok(sort),
    }
}

fn is_exact(number: &serde_json::Number) -> bool {
    let size = number.as_u64().or_else(|| number.as_i64().map(i64::unsigned_abs));
    number.is_f64() || size.is_some_and(|size| size <= EXACT)
}

fn file(rows: &[&Map<String, Value>], columns: &[Column<'_>]) -> Result<Vec<u8>, ParquetError> {
    let fields = columns.iter().map(|column| column.schema().map(Arc::new)).collect::<Result<Vec<_>, _>>()?;
    let schema = Arc::new(Type::group_type_builder("schema").with_fields(fields).build()?);
    let properties = WriterProperties::builder()
        .set_compression(Compression::ZSTD(ZstdLevel::try_new(ZSTD_LEVEL)?))
        .set_created_by("bailiwick".to_owned())
        .set_statistics_enabled(EnabledStatistics::None)
        .set_offset_index_disabled(true)
        .build();
    let mut writer = SerializedFileWriter::new(Vec::new(), schema, Arc::new(properties))?;
    if !rows.is_empty() {
        let mut group = writer.next_row_group()?;
        let mut columns = columns.iter();
        while let Some((mut target, column)) = group.next_column()?.zip(columns.next()) {
            column.write(rows, &mut target)?;
            target.close()?;
        }
        group.close()?;
    }
    writer.into_inner()
}

impl Column<'_> {
    fn schema(&self) -> Result<Type, ParquetError> {
        let (physical, converted) = match self.sort {
            Sort::Boolean => (Physical::BOOLEAN, ConvertedType::NONE),
            Sort::Integer => (Physical::INT64, ConvertedType::NONE),
            Sort::Unsigned => (Physical::INT64, ConvertedType::UINT_64),
            Sort::Float => (Physical::DOUBLE, ConvertedType::NONE),
            Sort::Text => (Physical::BYTE_ARRAY, ConvertedType::UTF8),
            Sort::Bytes => (Physical::BYTE_ARRAY, ConvertedType::NONE),
        };
        let builder = Type::primitive_type_builder(self.name, physical);
        builder.with_repetition(Repetition::OPTIONAL).with_converted_type(converted).build()
    }

    fn write(&self, rows: &[&Map<String, Value>], to: &mut SerializedColumnWriter<'_>) -> Result<(), ParquetError> {
        let cells = || rows.iter().map(|row| row.get(self.name).unwrap_or(&Value::Null));
        match self.sort {
            Sort::Boolean => put::<BoolType>(to, cells(), Value::as_bool),
            Sort::Integer => put::<Int64Type>(to, cells(), Value::as_i64),
            Sort::Unsigned => put::<Int64Type>(to, cells(), |cell| cell.as_u64().map(u64::cast_signed)),
            Sort::Float => put::<DoubleType>(to, cells(), Value::as_f64),
            Sort::Text => put::<ByteArrayType>(to, cells(), |cell| cell.as_str().map(ByteArray::from)),
            Sort::Bytes => put::<ByteArrayType>(to, cells(), |cell| to_bytes(cell).map(ByteArray::from)),
        }
    }
}

/// Writes cells of one type; what is none of it is null, and was told apart before.
fn put<'v, T: DataType>(
    to: &mut SerializedColumnWriter<'_>,
    cells: impl Iterator<Item = &'v Value>,
    as_cell: impl Fn(&Value) -> Option<T::T>,
) -> Result<(), ParquetError> {
    let cells: Vec<Option<T::T>> = cells.map(as_cell).collect();
    let levels: Vec<i16> = cells.iter().map(|cell| i16::from(cell.is_some())).collect();
    let values: Vec<T::T> = cells.into_iter().flatten().collect();
    to.typed::<T>().write_batch(&values, Some(&levels), None).map(drop)
}
