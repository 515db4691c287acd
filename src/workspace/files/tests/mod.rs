//! What typed files keep, refuse and survive.

mod hostile;
mod hostile_databases;
#[cfg(feature = "parquet")]
mod records;
mod round_trips;
mod shapes;

use super::{FileBounds, FileCompression, FileSignature, FileType, FileValue, FormatError};
use serde_json::Value;

pub(super) fn signature(file_type: FileType) -> FileSignature {
    FileSignature::new(file_type, FileCompression::None)
}

pub(super) fn write(file_type: FileType, value: &Value) -> Vec<u8> {
    signature(file_type).write(&FileValue::Value(value.clone())).unwrap()
}

/// Gives why a value cannot be written.
pub(super) fn refused(file_type: FileType, value: &Value) -> String {
    let error = signature(file_type).write(&FileValue::Value(value.clone())).unwrap_err();
    std::error::Error::source(&error).unwrap().to_string()
}

pub(super) fn read(file_type: FileType, bytes: impl AsRef<[u8]>) -> Result<Value, FormatError> {
    read_within(signature(file_type), bytes.as_ref(), &FileBounds::default())
}

pub(super) fn read_within(signature: FileSignature, bytes: &[u8], bounds: &FileBounds) -> Result<Value, FormatError> {
    match signature.read(bytes, bounds) {
        Ok(value) => Ok(value.to_json()),
        Err(super::FileError::Read { source, .. }) => Err(source),
        Err(other) => panic!("{other:?}"),
    }
}
