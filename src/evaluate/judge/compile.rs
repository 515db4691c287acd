//! Compilation: once a submission, in a session that holds the sources and nothing else, kept by content.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::kept::{Place, Scratch};
use crate::error::ExecutionError;
use crate::evaluate::report::SetupRecord;
use crate::runtime::{Command, RuntimeRegistry, RuntimeResult, SpawnRequest, SubmissionRuntime};
use crate::session::{Session, is_described};
use crate::spec::{CompileConfig, EnvironmentSpec, Provenance, from_value};
use crate::workspace::{Bounds, Entry, EntryKind, Globs, Manifest};

/// The version of what is kept, part of every key: another one means other files.
const LAYOUT: u32 = 2;

/// What came of a compilation.
pub(super) enum Compiled {
    /// It succeeded: what it made stands here. The record is absent where an earlier run made it.
    Done { path: PathBuf, record: Option<SetupRecord>, _scratch: Option<Scratch> },
    /// It failed: the submission's fault.
    Failed { record: SetupRecord, message: String },
}

/// Compiles a submission.
pub(super) async fn compile(
    registry: &RuntimeRegistry,
    spec: &EnvironmentSpec,
    config: &CompileConfig,
    submission: Option<(&Path, Bounds)>,
) -> Result<Compiled, ExecutionError> {
    let session = open(registry, spec, config, submission).await?;
    let sources = match config.sources.is_empty() {
        true => session.manifest().await?,
        false => session.keep_only(Globs::new(&config.sources)).await?,
    };
    let runtime = session.spawn(SpawnRequest::default()).await?;
    let command = Command::line(config.command.clone());
    let place = Place::open(registry, key(&*runtime, config, &sources, &command).await?.as_deref())?;
    if let Some(path) = place.kept() {
        runtime.cleanup().await?;
        session.close().await?;
        return Ok(Compiled::Done { path, record: None, _scratch: None });
    }
    need_compiler(&*runtime, config).await?;
    let result = runtime.execute(command).await?;
    runtime.cleanup().await?;
    let record = record(config, &result);
    if !result.termination.is_success() {
        session.close().await?;
        return Ok(Compiled::Failed { record, message: format!("the submission does not compile: {result}") });
    }
    let missing = keep(&session, config, sources, &place).await?;
    session.close().await?;
    if let Some(pattern) = missing {
        let message = format!("the compilation succeeded and made no `{pattern}`");
        return Ok(Compiled::Failed { record, message });
    }
    let (path, scratch) = place.finish()?;
    Ok(Compiled::Done { path, record: Some(record), _scratch: scratch })
}

/// Opens the session of a compilation: the submission and nothing else, on the runtime that compiles.
async fn open(
    registry: &RuntimeRegistry,
    spec: &EnvironmentSpec,
    config: &CompileConfig,
    submission: Option<(&Path, Bounds)>,
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
        Some((path, bounds)) => builder.submission(path).submission_bounds(bounds).open().await,
        None => builder.open().await,
    }
}

/// A compiler that is missing is the host's affair.
async fn need_compiler(runtime: &dyn SubmissionRuntime, config: &CompileConfig) -> Result<(), ExecutionError> {
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

/// Writes what was made to the place. Gives an output that was promised and is not there.
async fn keep(
    session: &Session,
    config: &CompileConfig,
    sources: Manifest,
    place: &Place,
) -> Result<Option<String>, ExecutionError> {
    let all = session.manifest().await?;
    for pattern in &config.outputs {
        let glob = Globs::new([pattern]);
        let is_output = |(path, entry): (&_, &Entry)| entry.kind != EntryKind::Directory && is_described(&glob, path);
        if !all.iter().any(is_output) {
            return Ok(Some(pattern.clone()));
        }
    }
    session.keep_made(Arc::new(sources), Globs::new(&config.outputs)).await?;
    session.keep(&place.draft()).await?;
    Ok(None)
}

/// Names what a compilation makes: by the files that it may read, and by everything that runs over them. None where
/// the runtime cannot tell what that is.
async fn key(
    runtime: &dyn SubmissionRuntime,
    config: &CompileConfig,
    sources: &Manifest,
    command: &Command,
) -> Result<Option<String>, ExecutionError> {
    let Some(runs) = runtime.identity(command).await? else { return Ok(None) };
    let said = format!("{LAYOUT} {} {:?} {runs}", env!("CARGO_PKG_VERSION"), config.outputs);
    let hash = blake3::hash(said.as_bytes()).to_hex();
    Ok(Some(format!("{}-{}", sources.id(), &hash[..32])))
}
