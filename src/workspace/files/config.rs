//! How files of cases write an input file.

use std::io::{self, Read as _};

use cap_std::fs::Dir;
use schemars::JsonSchema;
use serde::{Deserialize, Deserializer, Serialize};
use serde_json::Value;

use super::value::from_base64;
use super::{FileCompression, FileError, FileSignature, FileType, FileValue};
use crate::workspace::host_file::open_below;
use crate::workspace::path::display;
use crate::workspace::{InputContent, InputFile, WorkspacePath};

/// The largest file that a case may take an input from, in bytes: 256 MiB, what is read back out of a workspace at most.
const MAX_SOURCE: u64 = 256 << 20;

/// What an input file holds, as a file of cases writes it: exactly one of the keys for content.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
#[non_exhaustive]
pub struct InputFileConfig {
    /// Text, without a byte changed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub text: Option<String>,
    /// Bytes, in base64.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub base64: Option<String>,
    /// A file beside the one that names it, without a byte changed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub file: Option<String>,
    /// A value, written as JSON.
    #[serde(deserialize_with = "given", skip_serializing_if = "Option::is_none")]
    pub json: Option<Value>,
    /// A list of values, written as JSON a line.
    #[serde(deserialize_with = "given", skip_serializing_if = "Option::is_none")]
    pub jsonl: Option<Value>,
    /// Rows, written with commas.
    #[serde(deserialize_with = "given", skip_serializing_if = "Option::is_none")]
    pub csv: Option<Value>,
    /// Rows, written with tabs.
    #[serde(deserialize_with = "given", skip_serializing_if = "Option::is_none")]
    pub tsv: Option<Value>,
    /// A value, written as YAML.
    #[serde(deserialize_with = "given", skip_serializing_if = "Option::is_none")]
    pub yaml: Option<Value>,
    /// A map, written as TOML.
    #[serde(deserialize_with = "given", skip_serializing_if = "Option::is_none")]
    pub toml: Option<Value>,
    /// Tables, written as a SQLite database.
    #[serde(deserialize_with = "given", skip_serializing_if = "Option::is_none")]
    pub sqlite: Option<Value>,
    /// Flat records, written as Parquet.
    #[cfg(feature = "parquet")]
    #[serde(deserialize_with = "given", skip_serializing_if = "Option::is_none")]
    pub parquet: Option<Value>,
    /// How it is packed. Default: as its name says; `file` and `base64` are taken as they stand.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub compression: Option<FileCompression>,
    /// Whether it can be executed. Default: no.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub executable: bool,
}

/// Tells a null that is written from a key that is not there.
fn given<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Value>, D::Error> {
    Value::deserialize(deserializer).map(Some)
}

impl InputFileConfig {
    /// Makes the input file that goes to `path`; `base` is where `file` is looked up, below which it stays.
    ///
    /// A value is not written yet: what has no form in its type is an error of the write.
    ///
    /// # Errors
    /// A path that is none, no key for content or more than one, text that is not base64, a file that cannot be read.
    pub fn resolve(&self, path: &str, base: Option<&Dir>) -> Result<InputFile, FileError> {
        let place = WorkspacePath::new(path).map_err(|error| FileError::config(path, error.problem))?;
        let (file_type, value, is_as_it_stands) = self.content(path, base)?;
        let named = if is_as_it_stands { FileCompression::None } else { FileSignature::detect(path).compression };
        let compression = self.compression.unwrap_or(named);
        let content = match (file_type, compression, value) {
            (FileType::Text, FileCompression::None, FileValue::Text(text)) => InputContent::Text(text),
            (_, FileCompression::None, FileValue::Bytes(bytes)) => InputContent::Bytes(bytes),
            (file_type, compression, value) => {
                InputContent::Typed { signature: FileSignature::new(file_type, compression), value }
            }
        };
        let mut file = InputFile::new(place, content);
        file.mode = self.executable.then_some(0o755);
        Ok(file)
    }

    /// Gives the one content that is written, and whether it is the file as it stands, packed or not.
    fn content(&self, path: &str, base: Option<&Dir>) -> Result<(FileType, FileValue, bool), FileError> {
        let given = self.keys();
        let [key] = given.as_slice() else {
            let problem = match given.as_slice() {
                [] => "says not what is in it: write `text`, `file`, `base64` or the name of a type".to_owned(),
                [first, second, ..] => format!("has both `{first}` and `{second}`: write one of them"),
                [_] => unreachable!("one key was matched"),
            };
            return Err(FileError::config(path, problem));
        };
        if let Some(text) = &self.text {
            return Ok((FileType::Text, FileValue::Text(text.clone()), false));
        }
        if let Some(text) = &self.base64 {
            let bytes = from_base64(text).ok_or_else(|| FileError::config(path, "holds what is not base64"))?;
            return Ok((FileType::Binary, FileValue::Bytes(bytes), true));
        }
        if let Some(file) = &self.file {
            return Ok((FileType::Binary, FileValue::Bytes(read(path, file, base)?), true));
        }
        let typed = self.typed().into_iter().find_map(|(file_type, value)| Some((file_type, value?)));
        match typed {
            Some((file_type, value)) => Ok((file_type, FileValue::Value(value.clone()), false)),
            None => Err(FileError::config(path, format!("has nothing below `{key}`"))),
        }
    }

    fn typed(&self) -> Vec<(FileType, Option<&Value>)> {
        vec![
            (FileType::Json, self.json.as_ref()),
            (FileType::Jsonl, self.jsonl.as_ref()),
            (FileType::Csv, self.csv.as_ref()),
            (FileType::Tsv, self.tsv.as_ref()),
            (FileType::Yaml, self.yaml.as_ref()),
            (FileType::Toml, self.toml.as_ref()),
            (FileType::Sqlite, self.sqlite.as_ref()),
            #[cfg(feature = "parquet")]
            (FileType::Parquet, self.parquet.as_ref()),
        ]
    }

    fn keys(&self) -> Vec<&'static str> {
        let plain = [("text", self.text.is_some()), ("base64", self.base64.is_some()), ("file", self.file.is_some())];
        let typed = self.typed().into_iter().map(|(file_type, value)| (file_type.name(), value.is_some()));
        plain.into_iter().chain(typed).filter(|(_, is_given)| *is_given).map(|(key, _)| key).collect()
    }
}

fn read(path: &str, file: &str, base: Option<&Dir>) -> Result<Vec<u8>, FileError> {
    let base = base.ok_or_else(|| FileError::config(path, "names a file, and there is no directory to find it in"))?;
    let failed = |source: io::Error| FileError::Source { path: display(file.as_bytes()), source };
    let source = open_below(base, file).map_err(failed)?;
    let mut bytes = Vec::new();
    source.take(MAX_SOURCE + 1).read_to_end(&mut bytes).map_err(failed)?;
    if bytes.len() as u64 > MAX_SOURCE {
        return Err(FileError::config(path, format!("comes from a file of more than {MAX_SOURCE} bytes")));
    }
    Ok(bytes)
}
