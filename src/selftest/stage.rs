//! Where guests are tried: a session of its own for each set of limits, and bounds on how long anything may take.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use tokio::task::JoinSet;
use tokio::time::timeout;

use crate::error::{ErrorKind, ExecutionError};
use crate::runtime::{
    AnyRuntimeKind, Command, EnforcementTable, Level, RuntimeRegistry, RuntimeResult, SpawnRequest, Stdin, Subject,
    SubmissionRuntime, Trial, TrialGuest,
};
use crate::session::Session;
use crate::spec::{EnvironmentSpec, LimitName, LimitsConfig, OutputOverflow};
use crate::workspace::{InputContent, InputFile, WorkspacePath};

/// How long a guest may take that is no trial of time.
const PATIENCE: &str = "10s";
/// How long a guest is waited for before it counts as stuck: more than its limit, less than it takes by itself.
const STUCK: Duration = Duration::from_secs(14);
/// How long the host is waited for: an image that is slow to start, a clean-up.
const SLOW: Duration = Duration::from_secs(30);

/// The runtime under test.
pub(super) struct Yard<'a> {
    pub(super) registry: &'a RuntimeRegistry,
    pub(super) kind: Arc<dyn AnyRuntimeKind>,
    pub(super) spec: EnvironmentSpec,
    pub(super) table: EnforcementTable,
}

/// A runtime that was spawned for trials.
pub(super) struct Stage<'a> {
    yard: &'a Yard<'a>,
    pub(super) session: Session,
    runtime: Arc<dyn SubmissionRuntime>,
}

/// What a guest did.
pub(super) struct Ran {
    pub(super) result: Arc<RuntimeResult>,
}

/// Why a trial shows nothing, or too much.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Trouble {
    /// The kind brings no guest for it.
    NoGuest,
    /// The host failed, or the guest did something else than it was asked.
    Unclear(String),
    /// The guest did not end, though a limit of time was claimed.
    Stuck(String),
    /// The table claimed a limit that the spawn then dropped.
    Dropped(String),
    /// The spec under test grants what the check would find.
    Granted(String),
}

impl Yard<'_> {
    /// Opens a stage under these limits and a wall limit that ends whatever hangs.
    pub(super) async fn stage(&self, limits: &[(LimitName, &str)]) -> Result<Stage<'_>, Trouble> {
        self.stage_with(limits, OutputOverflow::Stop).await
    }

    /// Does the same, and says what happens at the limit of output.
    pub(super) async fn stage_with(
        &self,
        limits: &[(LimitName, &str)],
        overflow: OutputOverflow,
    ) -> Result<Stage<'_>, Trouble> {
        let mut spec = self.spec.clone();
        spec.limits = LimitsConfig::default();
        spec.limits.output_overflow = Some(overflow);
        let wall = (LimitName::WallTime, PATIENCE);
        let has_wall = self.table.claim(Subject::Limit(LimitName::WallTime)).0 != Level::Unsupported;
        for (name, value) in has_wall.then_some(&wall).into_iter().chain(limits) {
            spec.limits.set_text(*name, value).map_err(|problem| Trouble::Unclear(problem.message))?;
        }
        let opened = async {
            let session = Session::builder(self.registry, spec).without_reset().open().await?;
            let request = SpawnRequest { disable_setup: true, ..SpawnRequest::default() };
            let runtime = session.spawn(request).await?;
            Ok::<_, ExecutionError>(Stage { yard: self, session, runtime })
        };
        match timeout(SLOW, opened).await {
            Ok(opened) => opened.map_err(Trouble::from),
            Err(_) => Err(Trouble::Unclear(format!("no runtime was spawned in {} s", SLOW.as_secs()))),
        }
    }

    /// Runs one trial on a stage of its own.
    pub(super) async fn once(&self, limits: &[(LimitName, &str)], trial: &Trial) -> Result<Ran, Trouble> {
        // Nothing is opened for what nobody can try.
        self.guest(trial)?;
        let stage = self.stage(limits).await?;
        let ran = stage.run(trial).await;
        stage.close().await?;
        let ran = ran?;
        let dropped = ran.result.unenforced.iter().find(|unheld| limits.iter().any(|(name, _)| *name == unheld.limit));
        match dropped {
            Some(unheld) => Err(Trouble::Dropped(format!("it was dropped when it was asked for: {}", unheld.reason))),
            None => Ok(ran),
        }
    }

    pub(super) fn guest(&self, trial: &Trial) -> Result<TrialGuest, Trouble> {
        self.kind.trial(&self.spec.section, trial)?.ok_or(Trouble::NoGuest)
    }
}

impl Stage<'_> {
    /// Runs a trial to its end.
    pub(super) async fn run(&self, trial: &Trial) -> Result<Ran, Trouble> {
        self.run_with(trial, None).await
    }

    /// Runs a trial that is given a standard input.
    pub(super) async fn run_with(&self, trial: &Trial, stdin: Option<Bytes>) -> Result<Ran, Trouble> {
        let TrialGuest { argv, files } = self.yard.guest(trial)?;
        let input = |(path, content): (String, Bytes)| {
            let path = WorkspacePath::new(path).map_err(|error| Trouble::Unclear(error.to_string()))?;
            Ok(InputFile::new(path, InputContent::Bytes(content.to_vec())))
        };
        let files = files.into_iter().map(input).collect::<Result<Vec<_>, Trouble>>()?;
        if !files.is_empty() {
            self.session.materialize_input_files(files).await?;
        }
        let stdin = stdin.map_or(Stdin::Closed, Stdin::Bytes);
        self.execute(Command::argv(argv).grant_stdin(stdin)).await
    }

    /// Runs a command, on a task of its own, so that a guest that gives nothing back does not hold up the clock.
    pub(super) async fn execute(&self, command: Command) -> Result<Ran, Trouble> {
        let (runtime, mut tasks) = (Arc::clone(&self.runtime), JoinSet::new());
        tasks.spawn(async move { runtime.execute(command).await });
        match timeout(STUCK, tasks.join_next()).await {
            Ok(Some(Ok(Ok(result)))) => Ok(Ran { result }),
            Ok(Some(Ok(Err(error)))) => Err(ExecutionError::from(error).into()),
            Ok(Some(Err(error))) => Err(Trouble::Unclear(format!("the runtime broke: {error}"))),
            Ok(None) => Err(Trouble::Unclear("nothing was run".to_owned())),
            Err(_) => {
                self.kill().await?;
                Err(Trouble::Stuck(format!("a guest was still there after {} s", STUCK.as_secs())))
            }
        }
    }

    /// Ends what runs.
    pub(super) async fn kill(&self) -> Result<(), Trouble> {
        match timeout(SLOW, self.runtime.kill()).await {
            Ok(killed) => killed.map_err(|error| ExecutionError::from(error).into()),
            Err(_) => Err(Trouble::Stuck(format!("a kill did not come back in {} s", SLOW.as_secs()))),
        }
    }

    /// Cleans up, and waits for it.
    pub(super) async fn close(self) -> Result<(), Trouble> {
        match timeout(SLOW, self.session.close()).await {
            Ok(closed) => Ok(closed?),
            Err(_) => Err(Trouble::Unclear(format!("a session was not closed in {} s", SLOW.as_secs()))),
        }
    }
}

impl From<ExecutionError> for Trouble {
    fn from(error: ExecutionError) -> Self {
        let mut text = error.to_string();
        let mut cause = std::error::Error::source(&error);
        while let Some(error) = cause {
            text += &format!(": {error}");
            cause = error.source();
        }
        // What was claimed before is refused when it is asked for.
        if error.kind() == ErrorKind::Unenforceable { Self::Dropped(text) } else { Self::Unclear(text) }
    }
}

impl fmt::Display for Trouble {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NoGuest => f.write_str("the runtime brings no guest that tries it"),
            Self::Unclear(text) | Self::Stuck(text) | Self::Dropped(text) | Self::Granted(text) => f.write_str(text),
        }
    }
}
