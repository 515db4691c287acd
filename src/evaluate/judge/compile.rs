//! Compilation: once a submission, in a session that holds the submission and nothing else, kept by content.

use std::path::{Path, PathBuf};

use super::kept::{Place, Scratch};
use crate::error::ExecutionError;
use crate::evaluate::report::SetupRecord;
use crate::runtime::{Command, RuntimeRegistry, RuntimeResult, SpawnRequest};
use crate::session::Session;
use crate::spec::{CompileConfig, EnvironmentSpec, Provenance, from_value};
use crate::workspace::{Bounds, Globs};

/// What came of a compilation.
pub(super) enum Compiled {
    /// There was none to do: the submission is used as it is.
    Nothing,
    /// It succeeded: the files to judge stand here. The record is absent where an earlier run made them.
    Done { path: PathBuf, record: Option<SetupRecord>, scratch: Option<Scratch> },
    /// It failed: the submission's fault.
    Failed { record: SetupRecord, message: String },
}

/// Compiles a submission if its spec says so; `id` becomes that of its files.
pub(super) async fn compile(
    registry: &RuntimeRegistry,
    spec: &EnvironmentSpec,
    submission: Option<(&Path, Bounds)>,
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
