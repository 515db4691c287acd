//! What comes before the first case: compilation, set-up, and everything of the host that the cases need.

use std::path::{Path, PathBuf};

use super::compile::{Compiled, compile};
use crate::error::{ErrorKind, ExecutionError};
use crate::evaluate::adapter::{Stage, SubmissionCommand};
use crate::evaluate::report::SetupRecord;
use crate::evaluate::{EvaluateError, Evidence, Suite};
use crate::runtime::{RuntimeRegistry, SetupOutcome, SpawnRequest, SubmissionRuntime};
use crate::session::Session;
use crate::spec::{EnvironmentSpec, Mode, OnFailure, split_line};
use crate::workspace::{Bounds, Globs, WorkspaceError};

/// How many names are listed where one is missing.
const MOST_NAMES: usize = 20;

/// How a submission is started.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Start {
    /// By an entry, through the `commands` of the spec. None: the submission's only file, else `main`.
    Entry(Option<String>),
    /// By a command line of the caller.
    Command(String),
}

impl Default for Start {
    fn default() -> Self {
        Self::Entry(None)
    }
}

/// A submission that is ready for its cases.
#[derive(Debug)]
pub(super) struct Prepared {
    /// Where the cases take place.
    pub(super) stage: Stage,
    /// What the compilation did, where there was one.
    pub(super) compile: Option<SetupRecord>,
    /// What the set-up did.
    pub(super) setup: Vec<SetupRecord>,
    /// The id of the submission's files.
    pub(super) id: String,
}

/// A submission that never gets to its cases.
#[derive(Debug)]
pub(super) struct Refused {
    /// Why.
    pub(super) evidence: Evidence,
    /// What the compilation did, where there was one.
    pub(super) compile: Option<SetupRecord>,
    /// What the set-up did.
    pub(super) setup: Vec<SetupRecord>,
    /// The id of the submission's files.
    pub(super) id: String,
}

/// What is judged.
pub(super) struct Asked<'a> {
    pub(super) registry: &'a RuntimeRegistry,
    pub(super) spec: &'a EnvironmentSpec,
    pub(super) suite: &'a Suite,
    pub(super) submission: Option<&'a Path>,
    pub(super) bounds: Bounds,
    pub(super) start: &'a Start,
}

/// What is known of a submission as far as it came.
#[derive(Debug, Default)]
struct Known {
    compile: Option<SetupRecord>,
    setup: Vec<SetupRecord>,
    id: String,
}

/// Compiles, sets up, and sees that the command can be found.
pub(super) async fn prepare(asked: &Asked<'_>) -> Result<Result<Prepared, Box<Refused>>, ExecutionError> {
    let mut known = Known::default();
    let walked = match walk(asked, &mut known).await {
        Ok(walked) => walked,
        // How much it brings along or makes is its own doing.
        Err(error) => Err(fault_of_files(&error).ok_or(error)?),
    };
    let Known { compile, setup, id } = known;
    Ok(match walked {
        Ok(stage) => Ok(Prepared { stage, compile, setup, id }),
        Err(evidence) => Err(Box::new(Refused { evidence, compile, setup, id })),
    })
}

async fn walk(asked: &Asked<'_>, known: &mut Known) -> Result<Result<Stage, Evidence>, ExecutionError> {
    let Asked { registry, spec, suite, submission, .. } = *asked;
    let builder = Session::builder(registry, spec.clone()).grant_assets(suite.assets.clone()).without_reset();
    let session = match submission {
        Some(path) => builder.submission_bounds(asked.bounds).submission(path).open().await?,
        None => builder.open().await?,
    };
    known.id = session.start().to_string();
    if let Some(evidence) = compiled(asked, &session, known).await? {
        session.close().await?;
        return Ok(Err(evidence));
    }
    need_setup(asked, &session).await?;
    let request = SpawnRequest { options: suite.options.clone(), ..SpawnRequest::default() };
    let runtime = session.spawn(request).await?;
    known.setup = runtime.setup().iter().map(SetupRecord::from).collect();
    let started = match setup_failure(spec, &runtime.setup()) {
        Some(evidence) => Err(evidence),
        None => start(asked, &session.names().await?, &*runtime).await?,
    };
    match started {
        Ok(command) => {
            // Before the clean-up: what the set-up made beside the workspace goes with its runtime.
            let frozen = session.freeze().await?;
            runtime.cleanup().await?;
            let (options, config) = (suite.options.clone(), suite.adapter_config.clone());
            Ok(Ok(Stage { frozen, command, options, config }))
        }
        Err(evidence) => {
            runtime.cleanup().await?;
            session.close().await?;
            Ok(Err(evidence))
        }
    }
}

/// Compiles the submission where its spec says so, and puts what that made over its files.
async fn compiled(asked: &Asked<'_>, session: &Session, known: &mut Known) -> Result<Option<Evidence>, ExecutionError> {
    let Some(config) = &asked.spec.compile else { return Ok(None) };
    let submission = asked.submission.map(|path| (path, asked.bounds));
    match compile(asked.registry, asked.spec, config, submission).await? {
        Compiled::Done { path, record, _scratch } => {
            known.compile = record;
            session.put_over(&path).await?;
            Ok(None)
        }
        Compiled::Failed { record, message } => {
            known.compile = Some(record);
            Ok(Some(refusal("compile", message)))
        }
    }
}

/// Makes what is wrong with the submission's own files evidence; anything else is the host's.
fn fault_of_files(error: &ExecutionError) -> Option<Evidence> {
    let message = match error.downcast_ref::<WorkspaceError>() {
        Some(WorkspaceError::Archive { source, .. }) if source.is_fault_of_archive() => {
            format!("the archive cannot be unpacked: {source}")
        }
        Some(WorkspaceError::TooLarge { what, limit }) => {
            return Some(refusal("too_large", format!("the submission has, or makes, more than {limit} {what}")));
        }
        Some(WorkspaceError::Path(error)) => format!("the submission cannot be taken: {error}"),
        Some(_) | None => return None,
    };
    Some(refusal("files", message))
}

/// Sees that the programs of the set-up are there: what the host lacks must not look like the submission's failure.
async fn need_setup(asked: &Asked<'_>, session: &Session) -> Result<(), ExecutionError> {
    let lines = asked.spec.setup_commands(Mode::Evaluation, None);
    if lines.is_empty() {
        return Ok(());
    }
    let bare = SpawnRequest { disable_setup: true, options: asked.suite.options.clone(), ..SpawnRequest::default() };
    let runtime = session.spawn(bare).await?;
    for line in &lines {
        need(&*runtime, line, "the set-up").await?;
    }
    runtime.cleanup().await
}

/// Sees that the first word of a plain line is there. A path is the submission's, or made by an earlier command.
pub(super) async fn need(runtime: &dyn SubmissionRuntime, line: &str, needed_by: &str) -> Result<(), ExecutionError> {
    let Some(word) = split_line(line).ok().and_then(|words| words.into_iter().next()) else { return Ok(()) };
    if is_path(&word) {
        return Ok(());
    }
    match runtime.resolve(&word).await {
        Ok(()) => Ok(()),
        Err(known) => {
            let hint = missing_hint(&word, &known);
            Err(EvaluateError::Missing { word, needed_by: needed_by.to_owned(), hint }.into())
        }
    }
}

/// Says how to get a program that the host lacks.
pub(super) fn missing_hint(word: &str, known: &[String]) -> String {
    let listed: Vec<&str> = known.iter().take(MOST_NAMES).map(String::as_str).collect();
    match listed.is_empty() {
        true => format!("install `{word}` where the runtime looks for it, or name another command"),
        false => {
            format!("`bailiwick programs install {word}` gets it, if it is known; there are: {}", listed.join(", "))
        }
    }
}

fn is_path(word: &str) -> bool {
    word.contains('/')
}

fn setup_failure(spec: &EnvironmentSpec, outcomes: &[SetupOutcome]) -> Option<Evidence> {
    if spec.setup.on_failure == OnFailure::Continue {
        return None;
    }
    let failed = outcomes.iter().find(|outcome| !outcome.termination.is_success())?;
    let message = format!("the set-up `{}` failed: {}", failed.command, failed.termination);
    Some(refusal("setup_failed", message))
}

/// Makes evidence that every case has; the words of the compiler stand once, with the facts of the run.
fn refusal(reason: &str, message: String) -> Evidence {
    Evidence::NotStarted { reason: reason.to_owned(), message, known: Vec::new() }
}

/// Finds out how the submission is started, or why it cannot be.
async fn start(
    asked: &Asked<'_>,
    names: &[String],
    runtime: &dyn SubmissionRuntime,
) -> Result<Result<SubmissionCommand, Evidence>, ExecutionError> {
    let (line, entry) = match asked.start {
        Start::Command(line) => (line.clone(), None),
        Start::Entry(entry) => {
            let entry = match entry {
                None => default_entry(asked, names),
                Some(glob) if glob.contains(['*', '?', '[']) => match matching_entry(asked, names, glob) {
                    Ok(entry) => entry,
                    Err(evidence) => return Ok(Err(*evidence)),
                },
                Some(entry) => entry.clone(),
            };
            let file = asked.spec.format_entry_file(&entry)?;
            (asked.spec.get_command(&entry, Mode::Evaluation)?, Some(file))
        }
    };
    let command = SubmissionCommand::read(&line)?;
    if let Some(file) = &entry {
        let wanted = file.trim().trim_start_matches("./");
        if !names.iter().any(|name| name == wanted) {
            return Ok(Err(no_entry(format!("the entry file `{wanted}` is not there"), names)));
        }
    }
    let Some(word) = command.first_word() else { return Ok(Ok(command)) };
    let Err(known) = runtime.resolve(word).await else { return Ok(Ok(command)) };
    if is_path(word) {
        let message = format!("`{word}` is not there, or cannot be run");
        return Ok(Err(Evidence::NotStarted { reason: "missing".to_owned(), message, known: some(names) }));
    }
    let hint = missing_hint(word, &known);
    Err(EvaluateError::Missing { word: word.to_owned(), needed_by: "the submission's command".to_owned(), hint }.into())
}

fn no_entry(message: String, names: &[String]) -> Evidence {
    Evidence::NotStarted { reason: "entry".to_owned(), message, known: some(names) }
}

/// Finds the entry by a pattern: the one file whose name, or whose name as an entry, it describes.
fn matching_entry(asked: &Asked<'_>, names: &[String], glob: &str) -> Result<String, Box<Evidence>> {
    let globs = Globs::new([glob]);
    let (before, after) = affixes(asked).unwrap_or_default();
    let found = names.iter().filter_map(|name| {
        let entry = name.strip_prefix(before)?.strip_suffix(after)?;
        (globs.matches(name.as_bytes()) || globs.matches(entry.as_bytes())).then_some(entry)
    });
    match found.collect::<Vec<_>>().as_slice() {
        [only] => Ok((*only).to_owned()),
        [] => Err(Box::new(no_entry(format!("no entry file is called `{glob}`"), names))),
        several => Err(Box::new(no_entry(format!("{} files are called `{glob}`", several.len()), names))),
    }
}

fn some(names: &[String]) -> Vec<String> {
    names.iter().take(MOST_NAMES).cloned().collect()
}

/// Names the entry where nobody did: the only file that looks like one, else `main`.
fn default_entry(asked: &Asked<'_>, names: &[String]) -> String {
    let fallback = "main".to_owned();
    let Some((before, after)) = affixes(asked) else { return fallback };
    let entry = |name: &String| Some(name.strip_prefix(before)?.strip_suffix(after)?.to_owned());
    let entries: Vec<String> = names.iter().filter(|name| !name.contains('/')).filter_map(entry).collect();
    match entries.as_slice() {
        [only] if !only.is_empty() => only.clone(),
        _ => fallback,
    }
}

/// Gives what stands before and behind an entry in the name of its file.
fn affixes<'a>(asked: &Asked<'a>) -> Option<(&'a str, &'a str)> {
    let (before, after) = asked.spec.commands.entry_file.trim().split_once("{entry_file}")?;
    Some((before.trim_start_matches("./"), after))
}

/// Makes what the host lacks a wrong request, which trying again does not mend.
pub(super) fn as_usage(error: ExecutionError) -> ExecutionError {
    if !matches!(error.kind(), ErrorKind::Unavailable | ErrorKind::Unenforceable) {
        return error;
    }
    let hint = error.hint().map(str::to_owned);
    let wrapped = ExecutionError::new(ErrorKind::Spec, super::case::explain(&error));
    match hint {
        Some(hint) => wrapped.with_hint(hint),
        None => wrapped,
    }
}

/// Gives the absolute form of a path on the host.
pub(super) fn absolute(path: &Path) -> PathBuf {
    std::path::absolute(path).unwrap_or_else(|_| path.to_owned())
}
