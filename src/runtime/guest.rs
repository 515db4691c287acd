//! What a runtime supplies for one command, and what it says afterwards.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;

use super::{
    CommandLine, Control, Machine, Measured, NotStarted, ProgramUsed, Seed, SetupOutcome, Sink, SolutionRuntimeError,
    StdinReader,
};
use crate::error::ExecutionError;
use crate::spec::{LimitName, LimitValue, Limits};

/// How one spawned runtime runs commands: the part that differs from runtime to runtime.
///
/// [`Commands`](super::Commands) turns a guest into a [`SubmissionRuntime`](super::SubmissionRuntime) and does the
/// rest: queueing, environment, wall, idle and output limits, live events, kill, set-up and the result.
#[async_trait]
pub trait Guest: Send + Sync + 'static {
    /// Runs one command to its end.
    ///
    /// It calls [`Control::mark_started`] when the guest may execute, writes what the guest prints to the sinks, and
    /// returns soon after [`Control::stop`] with nothing of the command alive. Dropping the future ends the command too.
    async fn run(&self, job: Job) -> Ending;

    /// Gives the variables that every command starts with, below all others; the page of the runtime lists them.
    fn granted_env(&self) -> BTreeMap<String, String>;

    /// Says whether lines go to a shell (`true`), or are split into words (`false`).
    fn has_shell(&self) -> bool {
        false
    }

    /// Says whether a command may have a pseudo-terminal.
    fn has_tty(&self) -> bool {
        false
    }

    /// Gives how many commands may run at once on one runtime, if that is bounded.
    fn max_commands(&self) -> Option<usize> {
        None
    }

    /// Gives the machine that the guest sees.
    fn machine(&self) -> Machine;

    /// Says whether the first word of a command would be found, and lists the known names if not.
    ///
    /// # Errors
    /// The names that are known.
    async fn resolve(&self, word: &str) -> Result<(), Vec<String>>;

    /// Gives a text that is another one whenever a command would be run by other programs: what the first word and
    /// whatever else of the line and the variables names, and the machine below. What a program starts by itself is
    /// not looked at. None: this guest cannot tell, so that what a command made is not kept for the next time.
    ///
    /// # Errors
    /// What the host failed at while it looked.
    async fn identity(
        &self,
        line: &CommandLine,
        env: &BTreeMap<String, String>,
    ) -> Result<Option<String>, ExecutionError> {
        let _ = (line, env);
        Ok(None)
    }

    /// Gives the address at which a published port of the guest can be reached from here.
    fn address(&self, port: u16) -> Option<std::net::SocketAddr> {
        let _ = port;
        None
    }

    /// Says whether the other end of a connection to [`address`](Self::address) is the guest's, and not that of some
    /// other process which listens there. Default: yes, for a guest whose address is nobody else's.
    async fn is_peer(&self, connection: Connection) -> bool {
        let _ = connection;
        true
    }

    /// Gives the address on which a server of the guest listens to be reached at [`address`](Self::address).
    fn listens_on(&self) -> std::net::IpAddr {
        std::net::IpAddr::from(std::net::Ipv4Addr::LOCALHOST)
    }

    /// Ends what earlier commands left running, where the runtime lets them; called by every kill of the whole runtime.
    ///
    /// # Errors
    /// What could not be ended.
    async fn end_left_overs(&self) -> Result<(), SolutionRuntimeError> {
        Ok(())
    }

    /// Gives what runtimes of a fork are to start from beside the workspace, where the set-up made something elsewhere.
    ///
    /// # Errors
    /// What could not be kept for them.
    async fn seed(&self) -> Result<Option<Seed>, ExecutionError> {
        Ok(None)
    }

    /// Gives what the set-up did where it is part of what the guest starts from; it is not run again.
    fn known_setup(&self) -> Option<Arc<[SetupOutcome]>> {
        None
    }

    /// Keeps what the set-up made for later runtimes, where the spec wants that; called before the first command, and
    /// not where a line of it failed.
    ///
    /// # Errors
    /// What could not be kept.
    async fn keep_setup(&self, setup: &[SetupOutcome]) -> Result<(), ExecutionError> {
        let _ = setup;
        Ok(())
    }

    /// Looks at the workspace once more when the set-up has run; not called where there was none.
    ///
    /// # Errors
    /// A workspace that this runtime cannot show to a guest.
    fn after_setup(&self) -> Result<(), ExecutionError> {
        Ok(())
    }

    /// Says whether [`release`](Self::release) must run even when the runtime is dropped without a cleanup; it then
    /// runs on the reaper's thread. Default: no, dropping the guest releases everything.
    fn must_release(&self) -> bool {
        false
    }

    /// Releases what the runtime holds; called after the last command has ended, and again only when the first call
    /// was dropped halfway.
    ///
    /// # Errors
    /// What could not be released.
    async fn release(&self) -> Result<(), ExecutionError> {
        Ok(())
    }
}

/// A TCP connection, as the one who made it sees it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Connection {
    /// This end.
    pub from: std::net::SocketAddr,
    /// The other end.
    pub to: std::net::SocketAddr,
}

/// One command, ready to run.
#[derive(Debug)]
#[non_exhaustive]
pub struct Job {
    /// What to run: words, or a line where the guest [has a shell](Guest::has_shell).
    pub line: CommandLine,
    /// The whole environment of the command.
    pub env: BTreeMap<String, String>,
    /// The working directory as the caller wrote it; absent: the workdir.
    pub cwd: Option<String>,
    /// Whether a pseudo-terminal is wanted; only where the guest [has one](Guest::has_tty).
    pub tty: bool,
    /// Where standard input comes from.
    pub stdin: StdinReader,
    /// Where standard output goes.
    pub stdout: Arc<Sink>,
    /// Where standard error goes.
    pub stderr: Arc<Sink>,
    /// When it began and whether it must end.
    pub control: Arc<Control>,
    /// Every limit in force for this command.
    pub limits: Limits,
}

/// How a command ended, as its runtime saw it.
#[derive(Debug)]
#[non_exhaustive]
pub struct Ending {
    /// The end itself.
    pub end: End,
    /// Processor time of the guest.
    pub cpu_time: Measured<Duration>,
    /// The most memory that it held.
    pub peak_memory: Measured<u64>,
    /// Instructions executed.
    pub fuel: Measured<u64>,
    /// Bytes added to the workspace.
    pub disk_written: Measured<u64>,
    /// The program that the first word stood for.
    pub program: Option<ProgramUsed>,
    /// Limits at which the guest was refused something; they name the end if it fails.
    pub denied: Vec<Denied>,
    /// Facts worth knowing.
    pub notes: Vec<String>,
    /// Whether the guest met end of file on its standard input.
    pub met_end_of_stdin: bool,
}

/// The end of a guest.
#[derive(Debug)]
pub enum End {
    /// It ended by itself with this code, 0 to 255.
    Exited(i32),
    /// A signal that we did not send ended it.
    Signaled {
        /// The number of the signal.
        signal: i32,
        /// How that is known, where it is only inferred.
        by: Option<&'static str>,
    },
    /// It did what its machine forbids.
    Trapped {
        /// The kind of trap.
        trap: &'static str,
        /// A sentence for people.
        message: String,
        /// Function names, innermost first.
        backtrace: Vec<String>,
    },
    /// It met a limit that the runtime itself watches.
    Limit(LimitName, LimitValue),
    /// It never ran.
    NotStarted {
        /// Why.
        reason: NotStarted,
        /// A sentence for people.
        message: String,
        /// The names that would have been known.
        known: Vec<String>,
    },
    /// It ended because [`Control::stop`] asked for it; with the code that it gave itself, if it did.
    Stopped(Option<i32>),
    /// The host failed.
    Failed(SolutionRuntimeError),
}

/// A request of the guest that a limit refused.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Denied {
    /// Which limit.
    pub limit: LimitName,
    /// What the guest would have had.
    pub value: LimitValue,
}

impl Ending {
    /// Makes an ending with nothing measured and nothing to note.
    pub fn new(end: End) -> Self {
        const WHY: &str = "not supported by this runtime";
        Self {
            end,
            cpu_time: Measured::not_measured(WHY),
            peak_memory: Measured::not_measured(WHY),
            fuel: Measured::not_measured(WHY),
            disk_written: Measured::not_measured(WHY),
            program: None,
            denied: Vec::new(),
            notes: Vec::new(),
            met_end_of_stdin: false,
        }
    }

    /// Makes an ending of a guest that never ran.
    pub fn not_started(reason: NotStarted, message: impl Into<String>) -> Self {
        Self::new(End::NotStarted { reason, message: message.into(), known: Vec::new() })
    }
}
