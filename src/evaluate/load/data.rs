//! Bytes of a case, from what a file says they are made of.

use std::sync::Arc;

use cap_std::fs::Dir;

use super::wire::DataWire;
use crate::evaluate::{Data, DataFile};
use crate::spec::Problem;
use crate::workspace::{InputContent, InputFileConfig};

/// Makes the bytes of something named `name` ready; a file is looked at, and read when it is needed.
///
/// # Errors
/// What is wrong, at the path of the value.
pub(super) fn data(wire: &DataWire, name: &str, at: &str, base: &Arc<Dir>) -> Result<Data, Problem> {
    let config = match wire {
        DataWire::Text(text) => return Ok(Data::text(text.clone())),
        DataWire::Map(config) => &**config,
    };
    if let Some(path) = lazy(config) {
        let data = Data::File(DataFile::new(Arc::clone(base), path));
        data.check().map_err(|error| Problem::new(format!("{at}.file"), with_cause(&error)))?;
        return Ok(data);
    }
    let wrong = |error: &dyn std::error::Error| Problem::new(at, with_cause(error));
    // A name may hold placeholders; only its endings count here.
    let plain = name.rsplit('/').next().unwrap_or_default().replace(['{', '}'], "");
    let plain = if plain.is_empty() { "data" } else { &plain };
    let file = config.resolve(plain, Some(base)).map_err(|error| wrong(&error))?;
    Ok(Data::Inline(match file.content {
        InputContent::Text(text) => text.into(),
        InputContent::Bytes(bytes) => bytes.into(),
        InputContent::Json(value) => format!("{value:#}").into(),
        InputContent::Typed { signature, value } => signature.write(&value).map_err(|error| wrong(&error))?.into(),
    }))
}

/// Gives the file that is taken as it stands, so that it can be read when it is needed.
fn lazy(config: &InputFileConfig) -> Option<String> {
    let path = config.file.clone()?;
    let alone = InputFileConfig { executable: false, ..config.clone() };
    let same = InputFileConfig { file: Some(path.clone()), ..InputFileConfig::default() };
    (alone == same).then_some(path)
}

fn with_cause(error: &dyn std::error::Error) -> String {
    error.source().map_or_else(|| error.to_string(), |cause| format!("{error}: {cause}"))
}
