//! From bytes to what they mean.

use super::bounds::Meter;
#[cfg(feature = "parquet")]
use super::parquet;
use super::{FileBounds, FileError, FileSignature, FileType, FileValue, FormatError, codec};
use super::{grid, json, sqlite, toml, yaml};

impl FileSignature {
    /// Reads bytes as this sort of file. What is text by its name and not UTF-8 comes as bytes.
    ///
    /// Takes time that grows with the bytes: call it where blocking is allowed.
    ///
    /// # Errors
    /// [`FileError::Read`]: bytes that are damaged, mean nothing in this type, or exceed a bound.
    pub fn read(self, bytes: &[u8], bounds: &FileBounds) -> Result<FileValue, FileError> {
        self.read_metered(bytes, &Meter::new(*bounds)).map_err(|source| FileError::Read { signature: self, source })
    }

    /// Reads bytes, counting them together with those of other files.
    pub(super) fn read_metered(self, bytes: &[u8], meter: &Meter) -> Result<FileValue, FormatError> {
        let plain = codec::unpack(self.compression, bytes, meter)?;
        Ok(FileValue::Value(match self.file_type {
            FileType::Text => return Ok(FileValue::from_text(plain.into_owned())),
            FileType::Binary => return Ok(FileValue::Bytes(plain.into_owned())),
            FileType::Json => json::read(&plain, meter)?,
            FileType::Jsonl => json::read_lines(&plain, meter)?,
            FileType::Csv | FileType::Tsv => grid::read(self.file_type, &plain, meter)?,
            FileType::Yaml => yaml::read(&plain, meter)?,
            FileType::Toml => toml::read(&plain, meter)?,
            FileType::Sqlite => sqlite::read(&plain, meter)?,
            #[cfg(feature = "parquet")]
            FileType::Parquet => parquet::read(&plain, meter)?,
        }))
    }
}
