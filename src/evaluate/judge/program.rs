//! Checkers that are programs: each prepared once, then asked in a session of its own after the submission is dead.

use std::collections::hash_map::Entry;
use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use bytes::Bytes;

use crate::error::{ErrorKind, ExecutionError};
use crate::evaluate::adapter::bytes as resolved;
use crate::evaluate::check::{Answer, Check, Mismatch, ProgramCheck, Protocol};
use crate::evaluate::{Case, Data, EvaluateError, Expectation, Step};
use crate::runtime::{Command, RuntimeRegistry, RuntimeResult, SpawnRequest, Stdin, SubmissionRuntime, Termination};
use crate::session::{Frozen, Session};
use crate::spec::{self, EnvironmentSpec, Provenance};
use crate::workspace::{FileOutcome, InputContent, InputFile, WorkspacePath};

/// Where a program that decides finds what it is called with, below its workspace.
const INPUT: &str = "judge/input";
const EXPECTED: &str = "judge/expected";
const OUTPUT: &str = "judge/output";
/// With its slash, so that a program may put a name behind it.
const FEEDBACK: &str = "judge/feedback/";
/// What it may write there to say why.
const MESSAGES: [&str; 2] = ["judge/feedback/judgemessage.txt", "judge/feedback/teammessage.txt"];
/// The most that is kept of why.
const MOST: usize = 400;

/// The programs that decide, prepared.
#[derive(Debug, Default)]
pub(super) struct Validators {
    by_key: HashMap<String, Made>,
}

/// A program that is ready to be asked.
#[derive(Debug)]
struct Made {
    frozen: Frozen,
    /// How it is started, by the name that is there.
    command: Vec<String>,
}

impl Validators {
    /// Prepares every program that a suite's cases ask, each once.
    ///
    /// # Errors
    /// A program that cannot be had or made runnable: the author's fault or the host's, never the submission's.
    pub(super) async fn prepare(
        registry: &RuntimeRegistry,
        spec: &EnvironmentSpec,
        cases: &[Case],
    ) -> Result<Self, ExecutionError> {
        let mut prepared = Self::default();
        let steps = cases.iter().flat_map(|case| &case.steps);
        let expectations = steps.flat_map(|step| {
            let expect = &step.expect;
            let streams = [&expect.stdout, &expect.stderr, &expect.body].into_iter().flatten();
            streams.chain(expect.files.values()).chain(expect.headers.values())
        });
        let programs: Vec<&ProgramCheck> = expectations.filter_map(program_of).collect();
        for program in programs {
            if let Entry::Vacant(place) = prepared.by_key.entry(key(program)) {
                place.insert(make(registry, spec, program).await?);
            }
        }
        Ok(prepared)
    }

    /// Removes what was prepared; gives what could not be.
    pub(super) async fn close(self) -> Vec<ExecutionError> {
        let mut failures = Vec::new();
        for (_, made) in self.by_key {
            failures.extend(made.frozen.close().await.err());
        }
        failures
    }

    /// Asks a program about an output.
    ///
    /// # Errors
    /// A program that does not answer as its protocol has it, and what the host failed at.
    pub(super) async fn ask(
        &self,
        submission: &Session,
        program: &ProgramCheck,
        step: &Step,
        expectation: &Expectation,
        actual: &Bytes,
    ) -> Result<Option<Mismatch>, ExecutionError> {
        let made = self
            .by_key
            .get(&key(program))
            .ok_or_else(|| ExecutionError::new(ErrorKind::Bug, "a program that decides was not prepared"))?;
        let given = |data: Option<&Data>| data.map_or(Ok(Bytes::new()), |data| resolved(submission, data));
        let (input, expected) = (given(step.stdin.as_ref())?, given(expectation.expected.as_ref())?);
        let output = last_lines(actual, program.last);
        let session = made.frozen.open(&program.limits).await?;
        let files = [(INPUT, input), (EXPECTED, expected), (OUTPUT, output.clone())];
        let keep = (&*format!("{FEEDBACK}.keep"), Bytes::new());
        let files = files.into_iter().chain([keep]).map(|(path, bytes)| input_file(path, bytes));
        session.materialize_input_files(files.collect::<Result<_, _>>()?).await?;
        let result = run(&session, program, &made.command, output).await?;
        let mismatch = answer(&session, program, &result).await;
        let closed = session.close().await;
        let mismatch = mismatch?;
        closed?;
        Ok(mismatch)
    }
}

async fn run(
    session: &Session,
    program: &ProgramCheck,
    command: &[String],
    output: Bytes,
) -> Result<Arc<RuntimeResult>, ExecutionError> {
    let runtime = session.spawn(SpawnRequest::default()).await?;
    let paths: &[&str] = match program.protocol {
        Protocol::Exit => &[INPUT, EXPECTED, OUTPUT],
        Protocol::Icpc => &[INPUT, EXPECTED, FEEDBACK],
    };
    let words = command.iter().cloned();
    let words = words.chain(paths.iter().map(|path| (*path).to_owned())).chain(program.flags.iter().cloned());
    let command = Command::argv(words).grant_stdin(Stdin::Bytes(output));
    let result = runtime.execute(command).await;
    runtime.cleanup().await?;
    Ok(result?)
}

async fn answer(
    session: &Session,
    program: &ProgramCheck,
    result: &RuntimeResult,
) -> Result<Option<Mismatch>, ExecutionError> {
    let said = match &result.termination {
        Termination::Exited { code } => program.protocol.answer(*code),
        Termination::Signaled { .. }
        | Termination::Trapped { .. }
        | Termination::LimitExceeded { .. }
        | Termination::Killed { .. }
        | Termination::NotStarted { .. } => Answer::Broken,
    };
    match said {
        Answer::Accepts => Ok(None),
        Answer::Rejects => {
            let mut mismatch = Mismatch::new("is rejected by the checker");
            mismatch.expected = why(session, program, result).await?;
            Ok(Some(mismatch))
        }
        Answer::Broken => {
            let words = result.stderr.text().unwrap_or_default();
            let message = format!("the checker `{}` gave no answer: {result}", shell_words::join(&program.command));
            Err(ExecutionError::new(ErrorKind::Runtime, message).with_hint(cut(&words)))
        }
    }
}

/// Gives what the program says of its reasons. It may quote the answer, so it is kept where the answer is.
async fn why(
    session: &Session,
    program: &ProgramCheck,
    result: &RuntimeResult,
) -> Result<Option<String>, ExecutionError> {
    let text = match program.protocol {
        Protocol::Exit => result.stdout.text().unwrap_or_default(),
        Protocol::Icpc => {
            let contents = session.get_file_contents(&MESSAGES).await?;
            let found = MESSAGES.iter().find_map(|path| match contents.get(path) {
                Some(FileOutcome::Content(content)) => Some(String::from_utf8_lossy(content.as_bytes()).into_owned()),
                Some(_) | None => None,
            });
            found.unwrap_or_default()
        }
    };
    let text = cut(&text);
    Ok(Some(text).filter(|text| !text.is_empty()))
}

fn program_of(expectation: &Expectation) -> Option<&ProgramCheck> {
    match &expectation.check {
        Check::Program(program) => Some(program),
        Check::Compare(_) => None,
    }
}

/// Makes text of a program short and harmless, on one line.
fn cut(text: &str) -> String {
    let words = text.trim().chars().map(|sign| if sign.is_control() { ' ' } else { sign });
    words.take(MOST).collect()
}

fn last_lines(output: &Bytes, last: Option<u64>) -> Bytes {
    let Some(last) = last.and_then(|last| usize::try_from(last).ok()) else { return output.clone() };
    let body = output.strip_suffix(b"\n").unwrap_or(output);
    let breaks: Vec<usize> = body.iter().enumerate().filter(|(_, byte)| **byte == b'\n').map(|(at, _)| at).collect();
    match breaks.len().checked_sub(last) {
        Some(index) => output.slice(breaks[index] + 1..),
        None => output.clone(),
    }
}

fn input_file(path: &str, bytes: Bytes) -> Result<InputFile, ExecutionError> {
    let path = WorkspacePath::new(path).map_err(|error| ExecutionError::new(ErrorKind::Bug, error))?;
    Ok(InputFile::new(path, InputContent::Bytes(bytes.into())))
}

/// Names what makes two programs one: their files, how they are made and started, and where.
fn key(program: &ProgramCheck) -> String {
    let files: BTreeMap<&String, String> = program.files.iter().map(|(path, data)| (path, name(data))).collect();
    format!("{files:?} {:?} {:?} {:?} {:?}", program.compile, program.command, program.spec, program.compile_limits)
}

fn name(data: &Data) -> String {
    match data {
        Data::Inline(bytes) => blake3::hash(bytes).to_hex().to_string(),
        Data::File(file) => format!("{:p}/{}", Arc::as_ptr(&file.base), file.path),
    }
}

/// Puts a program into a session of its own, compiles it, and sees that it can be started.
async fn make(
    registry: &RuntimeRegistry,
    submission: &EnvironmentSpec,
    program: &ProgramCheck,
) -> Result<Made, ExecutionError> {
    let mut spec = match &program.spec {
        None => submission.clone(),
        Some(name) => find_spec(registry, program, name)?,
    };
    // What the submission's set-up makes is the submission's; a program that decides brings what it needs.
    if program.spec.is_none() {
        (spec.setup, spec.compile) = (spec::SetupConfig::default(), None);
    }
    let session = Session::builder(registry, spec)
        .limits(Provenance::Case, program.compile_limits.clone())
        .without_reset()
        .open()
        .await?;
    let files = program.files.iter().map(|(path, data)| input_file(path, data.read()?));
    let files = files.map(|file| {
        file.map(|mut file| {
            file.mode = Some(0o755);
            file
        })
    });
    session.materialize_input_files(files.collect::<Result<_, _>>()?).await?;
    let runtime = session.spawn(SpawnRequest::default()).await?;
    if let Some(words) = &program.compile {
        let result = runtime.execute(Command::argv(words.iter().cloned())).await?;
        if !result.termination.is_success() {
            let words = result.stderr.text().unwrap_or_default();
            let message = format!("the checker `{}` does not compile: {result}", shell_words::join(&program.command));
            return Err(ExecutionError::new(ErrorKind::Spec, message).with_hint(cut(&words)));
        }
    }
    let command = resolve(&*runtime, program).await;
    runtime.cleanup().await?;
    let command = command?;
    Ok(Made { frozen: session.freeze().await?, command })
}

/// Finds the name by which a program is there.
async fn resolve(runtime: &dyn SubmissionRuntime, program: &ProgramCheck) -> Result<Vec<String>, ExecutionError> {
    let mut command = program.command.clone();
    let first = command.first().cloned().unwrap_or_default();
    let mut known = Vec::new();
    for name in std::iter::once(&first).chain(&program.aliases) {
        match runtime.resolve(name).await {
            Ok(()) => {
                command[0].clone_from(name);
                return Ok(command);
            }
            Err(there) => known = there,
        }
    }
    let hint = super::prepare::missing_hint(&first, &known);
    Err(EvaluateError::Missing { word: first, needed_by: "a checker".to_owned(), hint }.into())
}

fn find_spec(
    registry: &RuntimeRegistry,
    program: &ProgramCheck,
    name: &str,
) -> Result<EnvironmentSpec, ExecutionError> {
    let file = program.files.values().find_map(|data| match data {
        Data::File(file) => file.base.read_to_string(name).ok(),
        Data::Inline(_) => None,
    });
    let text = match (registry.builtin_spec(name), file) {
        (_, Some(text)) => text,
        (Some(builtin), None) => builtin.text.to_owned(),
        (None, None) => {
            let message = format!("there is no spec `{name}` for a checker");
            return Err(ExecutionError::new(ErrorKind::Spec, message).with_hint("name a file beside the cases"));
        }
    };
    Ok(spec::load(&text, name, registry)?.spec)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_last_lines_are_given() {
        let output = Bytes::from_static(b"a\nb\nc\n");
        for (last, kept) in [(None, "a\nb\nc\n"), (Some(1), "c\n"), (Some(2), "b\nc\n"), (Some(9), "a\nb\nc\n")] {
            assert_eq!(last_lines(&output, last), kept.as_bytes());
        }
    }
}
