//! From a value to the bytes that mean it.

use serde_json::Value;

#[cfg(feature = "parquet")]
use super::parquet;
use super::{FileError, FileSignature, FileType, FileValue, FormatError, codec};
use super::{binary, grid, json, sqlite, toml, yaml};

impl FileSignature {
    /// Writes content as this sort of file. Text and bytes are the unpacked file as it stands, whatever its type.
    ///
    /// The same content gives the same bytes.
    ///
    /// # Errors
    /// [`FileError::Write`]: a value that has no form in this type.
    pub fn write(self, content: &FileValue) -> Result<Vec<u8>, FileError> {
        let plain = match content {
            FileValue::Text(text) => Ok(text.clone().into_bytes()),
            FileValue::Bytes(bytes) => Ok(bytes.clone()),
            FileValue::Value(value) => self.write_plain(value),
        };
        let packed = plain.and_then(|plain| codec::pack(self.compression, plain));
        packed.map_err(|source| FileError::Write { signature: self, source })
    }

    fn write_plain(self, value: &Value) -> Result<Vec<u8>, FormatError> {
        match self.file_type {
            FileType::Text => binary::write_text(value),
            FileType::Binary => binary::write_bytes(value),
            FileType::Json => Ok(json::write(value)),
            FileType::Jsonl => Ok(json::write_lines(value)),
            FileType::Csv | FileType::Tsv => grid::write(self.file_type, value),
            FileType::Yaml => yaml::write(value),
            FileType::Toml => toml::write(value),
            FileType::Sqlite => sqlite::write(value),
            #[cfg(feature = "parquet")]
            FileType::Parquet => parquet::write(value),
        }
    }
}
