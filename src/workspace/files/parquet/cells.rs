//! The cells of one column, some rows at a time.

use parquet::column::reader::{ColumnReader, ColumnReaderImpl, get_column_reader};
use parquet::data_type::DataType;
use parquet::file::metadata::ColumnChunkMetaData;
use serde_json::Value;

use super::footer::{failed, malformed};
use super::meaning::{Meaning, float, julian};
use super::page::pages;
use crate::workspace::files::FormatError;
use crate::workspace::files::bounds::Meter;

/// One column of one row group.
pub(super) struct Column {
    reader: ColumnReader,
    meaning: Meaning,
    is_optional: bool,
}

impl Column {
    pub(super) fn open(bytes: &[u8], chunk: &ColumnChunkMetaData, meter: &Meter) -> Result<Self, FormatError> {
        let described = chunk.column_descr_ptr();
        if described.max_rep_level() > 0 || described.max_def_level() > 1 {
            return Err(malformed("it has nested columns, and records here are flat"));
        }
        let (meaning, is_optional) = (Meaning::of(&described), described.max_def_level() > 0);
        let reader = get_column_reader(described, Box::new(pages(bytes, chunk, meter)?));
        Ok(Self { reader, meaning, is_optional })
    }

    /// Reads the next cells, exactly so many.
    pub(super) fn next(&mut self, rows: usize, meter: &Meter) -> Result<Vec<Value>, FormatError> {
        let (meaning, is_optional) = (self.meaning, self.is_optional);
        match &mut self.reader {
            ColumnReader::BoolColumnReader(reader) => batch(reader, rows, is_optional, |cell| Ok(Value::Bool(*cell))),
            ColumnReader::Int32ColumnReader(reader) => {
                batch(reader, rows, is_optional, |cell| meaning.integer((*cell).into(), cell.cast_unsigned().into()))
            }
            ColumnReader::Int64ColumnReader(reader) => {
                batch(reader, rows, is_optional, |cell| meaning.integer(*cell, cell.cast_unsigned()))
            }
            ColumnReader::Int96ColumnReader(reader) => batch(reader, rows, is_optional, |cell| julian(cell.data())),
            ColumnReader::FloatColumnReader(reader) => batch(reader, rows, is_optional, |cell| float((*cell).into())),
            ColumnReader::DoubleColumnReader(reader) => batch(reader, rows, is_optional, |cell| float(*cell)),
            ColumnReader::ByteArrayColumnReader(reader) => {
                batch(reader, rows, is_optional, |cell| meaning.bytes(cell.data(), meter))
            }
            ColumnReader::FixedLenByteArrayColumnReader(reader) => {
                batch(reader, rows, is_optional, |cell| meaning.bytes(cell.data(), meter))
            }
        }
    }
}

fn batch<T: DataType>(
    reader: &mut ColumnReaderImpl<T>,
    rows: usize,
    is_optional: bool,
    cell: impl Fn(&T::T) -> Result<Value, FormatError>,
) -> Result<Vec<Value>, FormatError> {
    let (mut levels, mut values) = (Vec::new(), Vec::new());
    let read = reader.read_records(rows, Some(&mut levels), None, &mut values);
    let (records, _, _) = read.map_err(|error| failed(&error))?;
    if records != rows {
        return Err(malformed("a column has fewer cells than there are rows"));
    }
    let mut values = values.iter();
    let mut next = || values.next().map_or_else(|| Err(malformed("a cell is missing")), &cell);
    if !is_optional {
        return (0..rows).map(|_| next()).collect();
    }
    levels.iter().map(|level| if *level > 0 { next() } else { Ok(Value::Null) }).collect()
}
