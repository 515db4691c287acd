//! Bytes of a case, from what a file says they are made of.

use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use cap_std::fs::Dir;

use super::wire::{DataMap, DataWire};
use crate::evaluate::{Data, DataFile};
use crate::spec::Problem;

/// Makes the bytes ready; a file is looked at, and read when it is needed.
///
/// # Errors
/// What is wrong, at the path of the value.
pub(super) fn data(wire: &DataWire, at: &str, base: &Arc<Dir>) -> Result<Data, Problem> {
    let map = match wire {
        DataWire::Text(text) => return Ok(Data::text(text.clone())),
        DataWire::Map(map) => &**map,
    };
    match map {
        DataMap { text: Some(text), file: None, base64: None, json: None, jsonl: None } => Ok(Data::text(text.clone())),
        DataMap { file: Some(path), text: None, base64: None, json: None, jsonl: None } => {
            let data = Data::File(DataFile::new(Arc::clone(base), path.clone()));
            data.check().map_err(|error| {
                let cause = std::error::Error::source(&error).map(|cause| format!(": {cause}")).unwrap_or_default();
                Problem::new(format!("{at}.file"), format!("{error}{cause}"))
            })?;
            Ok(data)
        }
        DataMap { base64: Some(text), text: None, file: None, json: None, jsonl: None } => {
            let bytes = STANDARD.decode(text.split_whitespace().collect::<String>());
            let bytes =
                bytes.map_err(|error| Problem::new(format!("{at}.base64"), format!("is not base64: {error}")))?;
            Ok(Data::Inline(bytes.into()))
        }
        DataMap { json: Some(value), text: None, file: None, base64: None, jsonl: None } => {
            Ok(Data::text(format!("{value:#}")))
        }
        DataMap { jsonl: Some(values), text: None, file: None, base64: None, json: None } => {
            Ok(Data::text(values.iter().map(|value| format!("{value}\n")).collect::<String>()))
        }
        DataMap { .. } => Err(Problem::new(at, "must have exactly one of `text`, `file`, `base64`, `json`, `jsonl`")),
    }
}
