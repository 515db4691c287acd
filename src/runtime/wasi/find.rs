//! Which module a command's first word names: a file of the guest's own view, else a program.

use std::fs::File;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use bytes::Bytes;

use super::compile::CompileBounds;
use super::digests::{open_regular, read_bounded};
use super::installed::advice;
use super::key::ModuleKey;
use super::load_error::LoadError;
use super::program::{Program, UnknownImports};
use super::spawn::WasiGuest;
use crate::runtime::{NotStarted, ProgramUsed, SolutionRuntimeError};
use crate::spec::ByteSize;

/// A module that was found, and how it is started.
pub(super) struct Found {
    pub(super) used: ProgramUsed,
    pub(super) key: ModuleKey,
    pub(super) source: Source,
    pub(super) program: Arc<Program>,
    /// What compiling is held to; nothing for a program, which the host trusts.
    pub(super) bounds: Option<CompileBounds>,
}

/// Where the bytes of a module come from.
#[derive(Clone)]
pub(super) enum Source {
    /// They are here.
    Bytes(Bytes),
    /// They stand in a file of the host that the digest names; read only when nothing compiled is kept.
    Host { path: PathBuf, digest: ModuleKey },
}

impl Source {
    /// Reads the module.
    pub(super) fn read(self) -> Result<Bytes, LoadError> {
        let (path, digest) = match self {
            Self::Bytes(bytes) => return Ok(bytes),
            Self::Host { path, digest } => (path, digest),
        };
        let bytes = open_regular(&path).and_then(read_bounded);
        let bytes =
            bytes.map_err(SolutionRuntimeError::host("read the program's module")).map_err(LoadError::Failed)?;
        if ModuleKey::of(&bytes) == digest {
            return Ok(bytes.into());
        }
        let source = std::io::Error::other("its content is not what its digest says; add it again");
        Err(LoadError::Failed(SolutionRuntimeError::host("read the program's module")(source)))
    }
}

/// Says whether a word is a path of the guest, not the name of a program.
pub(super) fn is_path(word: &str) -> bool {
    word.contains('/') || is_module_name(word)
}

fn is_module_name(word: &str) -> bool {
    [".wasm", ".wat"].iter().any(|ending| word.ends_with(ending))
}

impl WasiGuest {
    /// Finds the module of a word, as a command in that directory would.
    pub(super) fn find(&self, word: &str, cwd: &str) -> Result<Found, LoadError> {
        let in_view = if is_path(word) { self.view().read_file(word, cwd) } else { None };
        if let Some(file) = in_view {
            return self.own_module(word, file).map_err(|error| {
                LoadError::Refused(NotStarted::NotExecutable, format!("`{word}` cannot be read: {error}"))
            })?;
        }
        if self.options.program_file.as_deref() == Some(word) {
            let failed = SolutionRuntimeError::host("read the module");
            return self.own_module(word, open_regular(Path::new(word))).map_err(failed).map_err(LoadError::Failed)?;
        }
        if !is_path(word)
            && let Some(found) = self.program(word)?
        {
            return Ok(found);
        }
        Err(LoadError::Refused(NotStarted::Missing, self.missing(word)))
    }

    /// Reads a module of the submission's own, which has bounds. The outer error is the host's.
    fn own_module(&self, word: &str, file: std::io::Result<File>) -> std::io::Result<Result<Found, LoadError>> {
        let bounds = self.config.compile.bounds();
        let file = file?;
        if file.metadata()?.len() > bounds.size {
            let most = ByteSize(bounds.size);
            let message = format!("`{word}` is larger than the {most} of a module that are compiled");
            return Ok(Err(LoadError::Refused(NotStarted::CompileLimit, message)));
        }
        let bytes = read_bounded(file)?;
        let key = ModuleKey::of(&bytes);
        let program = Program { unknown_imports: self.config.unknown_imports.clone(), ..Program::default() };
        let used = ProgramUsed::new(word, None, key.hex());
        let (source, program) = (Source::Bytes(bytes.into()), Arc::new(program));
        Ok(Ok(Found { used, key, source, program, bounds: Some(bounds) }))
    }

    /// Finds a program of the spec, then one of the catalogue.
    fn program(&self, name: &str) -> Result<Option<Found>, LoadError> {
        let config = self.config.programs.get(name);
        if let Some((config, module)) = config.and_then(|config| Some((config, config.module.as_ref()?))) {
            let path = PathBuf::from(module);
            let failed = SolutionRuntimeError::host("read the program's module");
            let key = self.digests.of(&path, read_bounded).map_err(failed).map_err(LoadError::Failed)?;
            let used = ProgramUsed::new(name, config.program.version.clone(), key.hex());
            let program = Arc::new(config.program.clone());
            return Ok(Some(Found { used, key, source: Source::Host { path, digest: key }, program, bounds: None }));
        }
        let wanted = config.and_then(|config| config.installed.as_deref()).unwrap_or(name);
        let Some(entry) = self.catalogue.find(wanted) else { return Ok(None) };
        let Some(digest) = ModuleKey::from_hex(&entry.digest) else { return Ok(None) };
        let used = ProgramUsed::new(name, entry.program.version.clone(), entry.digest.clone());
        let source = Source::Host { path: entry.module(), digest };
        Ok(Some(Found { used, key: digest, source, program: Arc::new(entry.program), bounds: None }))
    }

    fn missing(&self, word: &str) -> String {
        if is_path(word) {
            return format!("there is no file `{word}` in what the guest sees");
        }
        match advice(word) {
            Some(advice) => format!("there is no program `{word}`; {advice}"),
            None => format!("there is no program `{word}`"),
        }
    }

    /// Lists the names that commands may use here.
    pub(super) fn known(&self) -> Vec<String> {
        let mut names: Vec<String> = self.config.programs.keys().cloned().collect();
        names.extend(self.catalogue.list().into_iter().map(|entry| entry.name));
        names.sort();
        names.dedup();
        names
    }
}

impl Found {
    /// Gives what becomes of its unknown imports.
    pub(super) fn unknown_imports(&self) -> &UnknownImports {
        &self.program.unknown_imports
    }
}
