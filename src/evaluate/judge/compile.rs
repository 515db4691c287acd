//! Compilation: once a submission, in a session that holds the submission and nothing else, kept by content.

use std::path::{Path, PathBuf};

use cap_std::ambient_authority;
use cap_std::fs::{Dir, DirBuilder, DirBuilderExt as _};

use crate::error::{ErrorKind, ExecutionError};
use crate::evaluate::report::SetupRecord;
use crate::runtime::{Command, RuntimeRegistry, RuntimeResult, SpawnRequest};
use crate::session::Session;
use crate::spec::{CompileConfig, EnvironmentSpec, Provenance, from_value};
use crate::workspace::Globs;

/// Where compiled submissions are kept, below the cache directory.
const KEPT: &str = "compiled";

/// What came of a compilation.
pub(super) enum Compiled {
    /// There was none to do: the submission is used as it is.
    Nothing,
    /// It succeeded: the files to judge stand here. The record is absent where an earlier run made them.
    Done { path: PathBuf, record: Option<SetupRecord>, scratch: Option<Scratch> },
    /// It failed: the submission's fault.
    Failed { record: SetupRecord, message: String },
}

/// A directory of the host that goes when this does.
#[derive(Debug)]
pub(super) struct Scratch {
    parent: Dir,
    name: String,
}

impl Drop for Scratch {
    fn drop(&mut self) {
        // What cannot be removed is in a private directory of the cache, which may be deleted at any time.
        let _ = self.parent.remove_dir_all(&self.name);
    }
}

/// Compiles a submission if its spec says so; `id` becomes that of its files.
pub(super) async fn compile(
    registry: &RuntimeRegistry,
    spec: &EnvironmentSpec,
    submission: Option<&Path>,
    id: &mut String,
) -> Result<Compiled, ExecutionError> {
    let Some(config) = &spec.compile else { return Ok(Compiled::Nothing) };
    let session = open(registry, spec, config, submission).await?;
    *id = session.start().to_string();
    let place = Place::open(registry, &format!("{id}-{}", key(spec, config)))?;
    if let Some(path) = place.kept() {
        session.close().await?;
        return Ok(Compiled::Done { path, record: None, scratch: None });
    }
    let runtime = session.spawn(SpawnRequest::default()).await?;
    need_compiler(&*runtime, config).await?;
    let result = runtime.execute(Command::line(config.command.clone())).await?;
    runtime.cleanup().await?;
    let record = record(config, &result);
    if !result.termination.is_success() {
        session.close().await?;
        return Ok(Compiled::Failed { record, message: format!("the submission does not compile: {result}") });
    }
    let missing = keep(&session, config, &place).await?;
    session.close().await?;
    if let Some(pattern) = missing {
        let message = format!("the compilation succeeded and made no `{pattern}`");
        return Ok(Compiled::Failed { record, message });
    }
    let (path, scratch) = place.finish()?;
    Ok(Compiled::Done { path, record: Some(record), scratch })
}

/// Opens the session of a compilation: the submission and nothing else, on the runtime that compiles.
async fn open(
    registry: &RuntimeRegistry,
    spec: &EnvironmentSpec,
    config: &CompileConfig,
    submission: Option<&Path>,
) -> Result<Session, ExecutionError> {
    let mut spec = match &config.runtime {
        Some(ty) if *ty != spec.ty => {
            let value = serde_json::json!({"type": ty, "name": spec.name});
            let mut other = from_value(value, "compile", registry, &[])?.spec;
            other.environment = spec.environment.clone();
            other.snapshot = spec.snapshot.clone();
            other
        }
        Some(_) | None => spec.clone(),
    };
    // The set-up comes after the compilation, in the session of the cases.
    (spec.setup, spec.compile) = (crate::spec::SetupConfig::default(), None);
    let builder = Session::builder(registry, spec).limits(Provenance::Case, config.limits.clone()).without_reset();
    match submission {
        Some(path) => builder.submission(path).open().await,
        None => builder.open().await,
    }
}

/// A compiler that is missing is the host's affair.
async fn need_compiler(
    runtime: &dyn crate::runtime::SubmissionRuntime,
    config: &CompileConfig,
) -> Result<(), ExecutionError> {
    super::prepare::need(runtime, &config.command, "the compilation").await
}

fn record(config: &CompileConfig, result: &RuntimeResult) -> SetupRecord {
    SetupRecord {
        command: config.command.clone(),
        ending: result.to_string(),
        exit_code: result.exit_code(),
        stdout: (&result.stdout).into(),
        stderr: (&result.stderr).into(),
        seconds: result.usage.wall_time.value().map_or(0.0, std::time::Duration::as_secs_f64),
    }
}

/// Writes the workspace to the place. Gives an output that was promised and is not there.
async fn keep(session: &Session, config: &CompileConfig, place: &Place) -> Result<Option<String>, ExecutionError> {
    let names = session.names().await?;
    for pattern in &config.outputs {
        let glob = Globs::new([pattern]);
        if !names.iter().any(|name| glob.matches(name.as_bytes())) {
            return Ok(Some(pattern.clone()));
        }
    }
    session.keep(&place.draft()).await?;
    Ok(None)
}

fn key(spec: &EnvironmentSpec, config: &CompileConfig) -> String {
    let said = format!("{} {:?}", spec.spec_id(), config);
    blake3::hash(said.as_bytes()).to_hex()[..32].to_owned()
}

/// Where what was compiled is kept: in the cache, else in a directory that goes with the evaluation.
struct Place {
    parent: Dir,
    path: PathBuf,
    name: String,
    draft: String,
    is_cache: bool,
}

impl Place {
    fn open(registry: &RuntimeRegistry, name: &str) -> Result<Self, ExecutionError> {
        let failed = |error: std::io::Error| ExecutionError::new(ErrorKind::Workspace, error);
        let dirs = &registry.host().dirs;
        let temp = || dirs.temp.clone().unwrap_or_else(|| PathBuf::from("/tmp"));
        let (above, is_cache) = match &dirs.cache {
            Some(cache) => (cache.clone(), true),
            None => (temp(), false),
        };
        let authority = ambient_authority();
        Dir::create_ambient_dir_all(&above, authority).map_err(failed)?;
        let root = Dir::open_ambient_dir(&above, authority).map_err(failed)?;
        let below = if is_cache { KEPT.to_owned() } else { format!("bailiwick-{KEPT}-{}", std::process::id()) };
        let mut builder = DirBuilder::new();
        builder.recursive(true).mode(0o700);
        root.create_dir_with(&below, &builder).map_err(failed)?;
        let parent = root.open_dir(&below).map_err(failed)?;
        static NEXT: std::sync::atomic::AtomicU64 = std::sync::atomic::AtomicU64::new(0);
        let number = NEXT.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
        let draft = format!("draft-{}-{number}", std::process::id());
        Ok(Self { parent, path: above.join(below), name: name.to_owned(), draft, is_cache })
    }

    fn kept(&self) -> Option<PathBuf> {
        (self.is_cache && self.parent.is_dir(&self.name)).then(|| self.path.join(&self.name))
    }

    fn draft(&self) -> PathBuf {
        self.path.join(&self.draft)
    }

    /// Gives the draft its name, in one step; another run that was faster has made the same.
    fn finish(self) -> Result<(PathBuf, Option<Scratch>), ExecutionError> {
        if !self.is_cache {
            let path = self.draft();
            return Ok((path, Some(Scratch { parent: self.parent, name: self.draft })));
        }
        let renamed = self.parent.rename(&self.draft, &self.parent, &self.name);
        if renamed.is_err() {
            let _ = self.parent.remove_dir_all(&self.draft);
        }
        match self.kept() {
            Some(path) => Ok((path, None)),
            None => Err(ExecutionError::new(ErrorKind::Workspace, "what was compiled cannot be kept")),
        }
    }
}
