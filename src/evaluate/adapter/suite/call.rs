//! One call: arguments and directory of a test, made a command of a session of its own.

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use super::config::SuiteConfig;
use super::mirror;
use super::room::SharedRoom;
use super::wire::{Answer, Call};
use crate::error::ExecutionError;
use crate::evaluate::adapter::Stage;
use crate::runtime::{Command, RuntimeResult, Stdin};
use crate::session::Session;
use crate::spec::Provenance;
use crate::workspace::Bounds;

/// What a directory of a call may hold.
const BOUNDS: Bounds = Bounds { entries: 10_000, bytes: 256 << 20 };
/// What a call that is refused ends with.
const REFUSED: i32 = 126;

/// One call that was made.
pub(super) struct Made {
    /// The test that was running, as the test program said it.
    pub(super) test: Option<String>,
    /// The command, as reports show it.
    pub(super) command: String,
    /// What came of it, or what the host failed at.
    pub(super) outcome: Result<Arc<RuntimeResult>, String>,
}

/// What all calls of a run share.
pub(super) struct Calls<'a> {
    pub(super) stage: &'a Stage,
    pub(super) config: &'a SuiteConfig,
    pub(super) room: SharedRoom,
    made: Mutex<Vec<Made>>,
    /// One call at a time in a directory.
    directories: Mutex<HashMap<PathBuf, Arc<tokio::sync::Mutex<()>>>>,
}

impl<'a> Calls<'a> {
    pub(super) fn new(stage: &'a Stage, config: &'a SuiteConfig, room: SharedRoom) -> Self {
        Self { stage, config, room, made: Mutex::default(), directories: Mutex::default() }
    }

    pub(super) fn into_made(self) -> Vec<Made> {
        self.made.into_inner().unwrap_or_else(PoisonError::into_inner)
    }

    /// Runs a call; gives the answer for the test, and both streams.
    pub(super) async fn run(&self, call: Call, stdin: Vec<u8>) -> (Answer, Vec<u8>, Vec<u8>) {
        let cwd = PathBuf::from(&call.cwd);
        let shown = self.room.is_shown(&cwd);
        let args = match rewrite(&call.args, shown.then_some(cwd.as_path())) {
            Ok(args) => args,
            Err(message) => {
                self.keep(call.test, call.args.join(" "), Err(message.clone()));
                return (Answer { code: REFUSED, message: Some(message) }, Vec::new(), Vec::new());
            }
        };
        let command =
            shell_words::join(self.stage_words().iter().map(String::as_str).chain(args.iter().map(String::as_str)));
        let turn = self.turn(&cwd);
        let _turn = turn.lock().await;
        match self.execute(&args, shown.then_some(cwd.as_path()), stdin).await {
            Ok(result) => {
                let answer = Answer { code: result.exit_code(), message: None };
                let streams = (result.stdout.kept.to_vec(), result.stderr.kept.to_vec());
                self.keep(call.test, command, Ok(result));
                (answer, streams.0, streams.1)
            }
            Err(error) => {
                let message = crate::evaluate::judge_explain(&error);
                self.keep(call.test, command, Err(message));
                let message = Some("the host failed; this says nothing about the submission".to_owned());
                (Answer { code: REFUSED, message }, Vec::new(), Vec::new())
            }
        }
    }

    fn stage_words(&self) -> Vec<String> {
        match &self.stage.command {
            crate::evaluate::SubmissionCommand::Words(words) => words.clone(),
            crate::evaluate::SubmissionCommand::Line(line) => vec![line.clone()],
        }
    }

    fn turn(&self, cwd: &Path) -> Arc<tokio::sync::Mutex<()>> {
        let mut directories = self.directories.lock().unwrap_or_else(PoisonError::into_inner);
        Arc::clone(directories.entry(cwd.to_owned()).or_default())
    }

    fn keep(&self, test: Option<String>, command: String, outcome: Result<Arc<RuntimeResult>, String>) {
        self.made.lock().unwrap_or_else(PoisonError::into_inner).push(Made { test, command, outcome });
    }

    /// Runs the submission in a session that holds the directory of the call, and carries back what it wrote.
    async fn execute(
        &self,
        args: &[String],
        cwd: Option<&Path>,
        stdin: Vec<u8>,
    ) -> Result<Arc<RuntimeResult>, ExecutionError> {
        let frozen = &self.stage.frozen;
        let builder = Session::builder(frozen.registry(), frozen.spec().clone())
            .limits(Provenance::Case, self.config.limits.clone())
            .without_reset();
        let builder = match cwd {
            Some(cwd) => builder.submission(cwd).unfiltered().submission_bounds(BOUNDS),
            None => builder,
        };
        let session = builder.open().await?;
        let runtime = session.spawn(self.room.request(self.stage)).await?;
        let command = Command::argv(self.room.words.iter().chain(args).cloned());
        let result = runtime.execute(command.grant_stdin(Stdin::Bytes(stdin.into()))).await?;
        runtime.cleanup().await?;
        if let Some(cwd) = cwd {
            mirror::out(&session, cwd).await?;
        }
        session.close().await?;
        Ok(result)
    }
}

/// Makes absolute paths below the directory of a call relative to it: it is the guest's own, wherever that is. Others
/// are refused, since the guest could not find them.
fn rewrite(args: &[String], cwd: Option<&Path>) -> Result<Vec<String>, String> {
    let below = |path: &str| {
        let rest = Path::new(path).strip_prefix(cwd?).ok()?.to_str()?;
        Some(if rest.is_empty() { ".".to_owned() } else { rest.to_owned() })
    };
    let one = |arg: &String| {
        if arg.starts_with('/') {
            let refused = || format!("the argument `{arg}` is a path outside of the test's own directory");
            return below(arg).ok_or_else(refused);
        }
        match arg.split_once('=') {
            Some((name, value)) if value.starts_with('/') => {
                Ok(below(value).map_or_else(|| arg.clone(), |value| format!("{name}={value}")))
            }
            Some(_) | None => Ok(arg.clone()),
        }
    };
    args.iter().map(one).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_of_the_directory_are_made_relative_and_others_are_refused() {
        let of = |arg: &str| rewrite(&[arg.to_owned()], Some(Path::new("/t/a"))).map(|args| args[0].clone());
        assert_eq!(of("/t/a/b/in.txt").unwrap(), "b/in.txt");
        assert_eq!(of("/t/a").unwrap(), ".");
        assert_eq!(of("--out=/t/a/x").unwrap(), "--out=x");
        assert_eq!(of("--url=/x").unwrap(), "--url=/x");
        assert_eq!(of("plain").unwrap(), "plain");
        assert!(of("/t/ab").is_err() && of("/etc/passwd").is_err());
        assert!(rewrite(&["/t/a/x".to_owned()], None).is_err());
    }
}
