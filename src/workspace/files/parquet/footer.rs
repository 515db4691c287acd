//! The structure at the end of a file: found, looked at, then read by the library.

use parquet::file::metadata::{ParquetMetaData, ParquetMetaDataReader};

use super::thrift::{Item, walk};
use crate::workspace::files::bounds::Meter;
use crate::workspace::files::{FileBounds, FileType, FormatError};

const MAGIC: &[u8] = b"PAR1";

/// The magic number of files whose structure is encrypted.
const ENCRYPTED: &[u8] = b"PARE";

/// The most row groups: the format numbers them in 16 bits.
const ROW_GROUPS: usize = 1 << 15;

/// Where the structure has its parts.
const SCHEMA: usize = 2;
const GROUPS: usize = 4;
const CHILDREN: usize = 5;

pub(super) fn malformed(problem: &str) -> FormatError {
    FormatError::malformed(FileType::Parquet, problem)
}

pub(super) fn failed(error: &parquet::errors::ParquetError) -> FormatError {
    malformed(&error.to_string())
}

/// Reads the structure of a file.
pub(super) fn read(bytes: &[u8], meter: &Meter) -> Result<ParquetMetaData, FormatError> {
    let structure = find(bytes, meter)?;
    check(structure)?;
    ParquetMetaDataReader::decode_metadata(structure).map_err(|error| failed(&error))
}

fn find<'b>(bytes: &'b [u8], meter: &Meter) -> Result<&'b [u8], FormatError> {
    if bytes.ends_with(ENCRYPTED) {
        return Err(malformed("it is encrypted"));
    }
    let inner = bytes.strip_prefix(MAGIC).and_then(|rest| rest.strip_suffix(MAGIC));
    let (before, length) = inner.and_then(<[u8]>::split_last_chunk).ok_or_else(|| malformed("it is cut off"))?;
    let length = u32::from_le_bytes(*length) as usize;
    if length > FileBounds::PARSED_TEXT {
        return Err(meter.exceed("bytes of structure", FileBounds::PARSED_TEXT as u64));
    }
    let begin = before.len().checked_sub(length).ok_or_else(|| malformed("its structure is cut off"))?;
    Ok(&before[begin..])
}

/// Looks at what the library would recurse over, or make room for, before it sees it.
fn check(structure: &[u8]) -> Result<(), FormatError> {
    let (mut elements, mut children, mut groups, mut is_nested) = (0, 0, 0, false);
    let walked = walk(structure, &mut |place, item| match (place, item) {
        ([SCHEMA], Item::List(count)) => elements = count,
        ([GROUPS], Item::List(count)) => groups = count,
        ([SCHEMA, 0, CHILDREN], Item::Number(count)) => children = count,
        ([SCHEMA, _, CHILDREN], Item::Number(count)) => is_nested |= count != 0,
        _ => {}
    });
    if walked.is_none() {
        return Err(malformed("its structure is damaged"));
    }
    if is_nested {
        return Err(malformed("it has nested columns, and records here are flat"));
    }
    if usize::try_from(children).ok() != elements.checked_sub(1) {
        return Err(malformed("its columns are not as many as it says"));
    }
    if groups > ROW_GROUPS {
        return Err(malformed("it has more row groups than the format numbers"));
    }
    Ok(())
}
