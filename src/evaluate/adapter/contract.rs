//! What an adapter is: one value a process, and a driver a case or a group.

use std::sync::Arc;

use async_trait::async_trait;
use serde_json::{Map, Value};

use super::Observed;
use crate::error::ExecutionError;
use crate::evaluate::{Case, Step, Suite};
use crate::runtime::{Command, SpawnRequest};
use crate::session::{Frozen, Session};
use crate::spec::{LimitsConfig, LineError, split_line};

/// A way of driving submissions.
///
/// An adapter turns steps into commands and requests, resolves the placeholders of every field, and gives back what it
/// saw. It decides nothing: what it saw is compared and judged elsewhere.
#[async_trait]
pub trait Adapter: Send + Sync + 'static {
    /// Gives the name used in case files; their section for the adapter has the same.
    fn name(&self) -> &'static str;

    /// Gives the JSON Schema of the section, which must refuse unknown keys and hold no references.
    fn schema(&self) -> Value;

    /// Says what shares a driver.
    fn scope(&self) -> Scope;

    /// Says what is wrong with a case for this adapter: what it does not use, what it lacks. One sentence each.
    fn check(&self, case: &Case) -> Vec<String>;

    /// Sees before the first case that the runtime has what the adapter needs. Default: it needs nothing.
    ///
    /// # Errors
    /// What is not to be had.
    ///
    /// Cancel safe: what was made to find out is removed.
    async fn check_stage(&self, stage: &Stage) -> Result<(), ExecutionError> {
        let _ = stage;
        Ok(())
    }

    /// Says whether the cases are found by running something, instead of standing in the case file.
    fn collects(&self) -> bool {
        false
    }

    /// Finds the cases of a prepared submission, where the adapter [collects](Self::collects) them; else none.
    ///
    /// # Errors
    /// What the host, or what finds the cases, failed at; never what the submission did.
    ///
    /// Cancel safe: what was started is ended.
    async fn collect(&self, _: &Stage, _: &Suite) -> Result<Option<Collected>, ExecutionError> {
        Ok(None)
    }

    /// Opens a driver for a case, or for the group that begins with it.
    ///
    /// # Errors
    /// What the host failed at; what the submission does is seen by the driver's steps.
    ///
    /// Cancel safe: what was opened is closed.
    async fn open(&self, stage: &Stage, first: &Case) -> Result<Box<dyn Driver>, ExecutionError>;
}

/// The cases that an adapter found, and what drives them from here on.
#[expect(missing_debug_implementations, reason = "adapters have none")]
pub struct Collected {
    /// The cases, in order; every id is there once.
    pub cases: Vec<Case>,
    /// What knows these cases.
    pub adapter: Arc<dyn Adapter>,
}

/// What drives one case, or one group of cases. Dropping it does what `close` does, without reporting.
#[async_trait]
pub trait Driver: Send {
    /// Does one step and gives what was seen.
    ///
    /// # Errors
    /// What the host failed at; never what the submission did.
    ///
    /// Cancel safe: what was started is ended.
    async fn step(&mut self, case: &Case, step: &Step) -> Result<Observed, ExecutionError>;

    /// Gives the session in which the submission runs; placeholders of expectations are resolved by it.
    fn session(&self) -> &Session;

    /// Ends everything. Nothing of the submission is alive when it returns.
    ///
    /// # Errors
    /// What could not be ended or removed.
    async fn close(self: Box<Self>) -> Result<(), ExecutionError>;
}

/// What shares a driver.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Scope {
    /// Nothing: every case has its own.
    Case,
    /// The cases of a group, in order.
    Group,
}

/// Where cases take place: the prepared submission, and how it is started.
#[derive(Debug)]
#[non_exhaustive]
pub struct Stage {
    /// The workspace after compilation and set-up.
    pub frozen: Frozen,
    /// How the submission is started.
    pub command: SubmissionCommand,
    /// Options of the runtime, for every spawn.
    pub options: Map<String, Value>,
    /// The section of the suite for the adapter.
    pub config: Map<String, Value>,
}

/// The command that starts a submission; the words of a step stand behind it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SubmissionCommand {
    /// Words, passed as they are.
    Words(Vec<String>),
    /// A line that only a shell can read; the words of a step are quoted behind it.
    Line(String),
}

impl SubmissionCommand {
    /// Reads a command line: words where it is plain, else a line for a shell.
    ///
    /// # Errors
    /// A line that is no line: an open quote, nothing at all.
    pub fn read(line: &str) -> Result<Self, LineError> {
        match split_line(line) {
            Ok(words) => Ok(Self::Words(words)),
            Err(LineError::Operator { .. } | LineError::Assignment { .. }) => Ok(Self::Line(line.to_owned())),
            Err(error) => Err(error),
        }
    }

    /// Gives the word that must be found before anything runs; none where a shell reads the line.
    pub fn first_word(&self) -> Option<&str> {
        match self {
            Self::Words(words) => words.first().map(String::as_str),
            Self::Line(_) => None,
        }
    }

    /// Makes the command with more words behind it.
    pub fn with(&self, more: &[String]) -> Command {
        match self {
            Self::Words(words) => Command::argv(words.iter().chain(more).cloned()),
            Self::Line(line) => {
                let quoted = more.iter().map(|word| format!(" {}", shell_words::quote(word))).collect::<String>();
                Command::line(format!("{line}{quoted}"))
            }
        }
    }

    /// Gives the text that stands for it in reports.
    pub fn text(&self) -> String {
        match self {
            Self::Words(words) => shell_words::join(words),
            Self::Line(line) => line.clone(),
        }
    }
}

impl Stage {
    /// Opens a session for a case, with its limits over those of the spec.
    ///
    /// # Errors
    /// What the host failed at.
    pub async fn session(&self, limits: &LimitsConfig) -> Result<Session, ExecutionError> {
        self.frozen.open(limits).await
    }

    /// Gives what every spawn asks for.
    pub fn request(&self) -> SpawnRequest {
        SpawnRequest { options: self.options.clone(), ..SpawnRequest::default() }
    }
}
