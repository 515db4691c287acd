//! The journal of a run: a file of the user, or one without a name.

use std::fs::File;
use std::path::{Path, PathBuf};

use super::args::EvalArgs;
use crate::cli::app::App;
use crate::cli::failure::Usage;
use crate::evaluate::{Journal, JournalHeader};

/// Opens the journal that the flags ask for.
pub(super) fn open(app: &App, args: &EvalArgs, header: &JournalHeader) -> anyhow::Result<Journal> {
    let failed = |path: &Path, error: std::io::Error| {
        Usage::new(format!("the journal `{}` cannot be opened: {error}", path.display()))
    };
    if let Some(path) = &args.resume {
        let file = File::options().read(true).write(true).open(path).map_err(|error| failed(path, error))?;
        return Ok(Journal::resume(file, header)?);
    }
    if let Some(path) = &args.journal {
        let mut options = File::options();
        let file = options.read(true).write(true).create(true).truncate(false).open(path);
        let file = file.map_err(|error| failed(path, error))?;
        if file.metadata().is_ok_and(|meta| meta.len() > 0) {
            let usage = Usage::new(format!("the journal `{}` is not empty", path.display()));
            return Err(usage.with_hint("--resume goes on with it; --journal begins a new one").into());
        }
        return Ok(Journal::create(file, header)?);
    }
    let temp = app.registry.host().dirs.temp.clone().unwrap_or_else(|| PathBuf::from("/tmp"));
    Ok(Journal::open_ambient_temporary(&temp, header)?)
}
