//! The journals of a run: files of the user, or files without a name.

use std::fs::File;
use std::path::{Path, PathBuf};

use super::args::EvalArgs;
use super::place;
use crate::cli::app::App;
use crate::cli::failure::Usage;
use crate::evaluate::{Journal, JournalHeader};

/// Where journals are, as the flags ask for it.
#[derive(Clone, Debug)]
pub(super) struct Journals {
    resume: Option<PathBuf>,
    begin: Option<PathBuf>,
    temp: PathBuf,
}

impl Journals {
    pub(super) fn new(app: &App, args: &EvalArgs) -> Self {
        let temp = app.registry.host().dirs.temp.clone().unwrap_or_else(|| PathBuf::from("/tmp"));
        Self { resume: args.resume.clone(), begin: args.journal.clone(), temp }
    }

    /// Refuses one file for the journals of many submissions.
    pub(super) fn check_class(&self) -> Result<(), Usage> {
        match self.resume.iter().chain(&self.begin).find(|path| !place::is_each(path)) {
            None => Ok(()),
            Some(path) => {
                let usage = Usage::new(format!("`{}` is one journal for many submissions", path.display()));
                Err(usage.with_hint(format!("write `{}` into its name", place::EACH)))
            }
        }
    }

    /// Opens the journal of the one submission.
    pub(super) fn open(&self, header: &JournalHeader) -> anyhow::Result<Journal> {
        if let Some(path) = &self.resume {
            let file = File::options().read(true).write(true).open(path).map_err(|error| failed(path, &error))?;
            return Ok(Journal::resume(file, header)?);
        }
        if let Some(path) = &self.begin {
            return begin(path, header);
        }
        Ok(Journal::open_ambient_temporary(&self.temp, header)?)
    }

    /// Opens the journal of a submission of a class; one that was not begun is begun when the class is resumed.
    pub(super) fn open_of(&self, submission: &str, header: &JournalHeader) -> anyhow::Result<Journal> {
        let filled = |path: &Option<PathBuf>| path.as_deref().map(|path| place::fill(path, submission));
        let own = Self { resume: filled(&self.resume), begin: filled(&self.begin), temp: self.temp.clone() };
        if let Some(path) = own.resume.iter().chain(&own.begin).next() {
            place::make_parents(path, self.resume.as_deref().or(self.begin.as_deref()).unwrap_or(path))?;
        }
        match &own.resume {
            Some(path) if !path.exists() => begin(path, header),
            Some(_) | None => own.open(header),
        }
    }
}

fn begin(path: &Path, header: &JournalHeader) -> anyhow::Result<Journal> {
    let mut options = File::options();
    let file = options.read(true).write(true).create(true).truncate(false).open(path);
    let file = file.map_err(|error| failed(path, &error))?;
    if file.metadata().is_ok_and(|meta| meta.len() > 0) {
        let usage = Usage::new(format!("the journal `{}` is not empty", path.display()));
        return Err(usage.with_hint("--resume goes on with it; --journal begins a new one").into());
    }
    Ok(Journal::create(file, header)?)
}

fn failed(path: &Path, error: &std::io::Error) -> Usage {
    Usage::new(format!("the journal `{}` cannot be opened: {error}", path.display()))
}
