//! What one command did: how it ended, what it printed, what it used, and under which walls.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;

use super::{Output, Unheld, Usage};
use crate::spec::{LimitName, LimitValue, Limits};

/// What happens while a command runs: output as it comes, then exactly one end.
#[derive(Clone, Debug)]
pub enum RuntimeEvent {
    /// Bytes of standard output, in order.
    Stdout(Bytes),
    /// Bytes of standard error, in order.
    Stderr(Bytes),
    /// The command has ended; nothing follows.
    Finished(Arc<RuntimeResult>),
}

/// What one command did.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct RuntimeResult {
    /// How the command ended.
    pub termination: Termination,
    /// The code the guest itself gave, where a limit or a kill overrides it.
    pub guest_code: Option<i32>,
    /// What it printed on standard output.
    pub stdout: Output,
    /// What it printed on standard error.
    pub stderr: Output,
    /// What the set-up of its runtime did.
    pub setup: Arc<[SetupOutcome]>,
    /// What it used.
    pub usage: Usage,
    /// What stood between the guest and the host: `wasi`, `none`.
    pub isolation: &'static str,
    /// The machine that the guest saw.
    pub machine: Machine,
    /// The program that the first word stood for, on runtimes that have programs.
    pub program: Option<ProgramUsed>,
    /// Every limit in force.
    pub limits: Limits,
    /// Limits that are only sampled.
    pub best_effort: Vec<Unheld>,
    /// Limits that nothing held.
    pub unenforced: Vec<Unheld>,
    /// Facts worth knowing, each a sentence fragment.
    pub notes: Vec<String>,
    /// Whether the guest met end of file on a standard input that was never given. Unknown counts as no.
    pub met_closed_stdin: bool,
}

/// How one command ended. Its shapes in JSON are fixed by `docs/execution/results.md`.
#[derive(Clone, Debug, PartialEq)]
pub enum Termination {
    /// The guest ended by itself.
    Exited {
        /// Its exit code, 0 to 255.
        code: i32,
    },
    /// A signal ended the guest.
    Signaled {
        /// The number of the signal.
        signal: i32,
        /// How that is known, where the runtime only infers it.
        by: Option<&'static str>,
    },
    /// The guest did what its machine forbids.
    Trapped {
        /// The kind of trap: `unreachable`, `stack_overflow`.
        trap: &'static str,
        /// A sentence for people.
        message: String,
        /// Function names, innermost first, without paths of the host.
        backtrace: Vec<String>,
    },
    /// The guest met a limit.
    LimitExceeded {
        /// Which limit.
        limit: LimitName,
        /// What was measured.
        value: LimitValue,
        /// What was allowed.
        allowed: LimitValue,
    },
    /// Somebody ended the command.
    Killed {
        /// Who.
        by: Killer,
    },
    /// The guest never ran.
    NotStarted {
        /// Why.
        reason: NotStarted,
        /// A sentence for people.
        message: String,
        /// The names that would have been known, where that is the question.
        known: Vec<String>,
    },
}

/// Who ended a command.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Killer {
    /// The caller, by `kill` or `cleanup`.
    Caller,
    /// An interrupt of the whole process.
    Interrupt,
    /// Nobody was left to read the result.
    Dropped,
}

/// Why a guest never ran.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(missing_docs, reason = "each name says it; `docs/execution/results.md` has the table")]
pub enum NotStarted {
    Missing,
    NotExecutable,
    BadModule,
    UnknownImport,
    CompileLimit,
    SetupFailed,
}

/// The machine that a guest sees.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Machine {
    /// The instruction set: `wasm32`, `x86_64`.
    pub arch: &'static str,
    /// The size of a pointer.
    pub pointer_bits: u32,
}

/// The program that a command's first word stood for.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct ProgramUsed {
    /// The name or the path it was found by.
    pub name: String,
    /// Its version, where the catalogue knows it.
    pub version: Option<String>,
    /// The BLAKE3 hash of its module, in hex.
    pub id: String,
}

impl ProgramUsed {
    /// Names the program that ran.
    pub fn new(name: impl Into<String>, version: Option<String>, id: impl Into<String>) -> Self {
        Self { name: name.into(), version, id: id.into() }
    }
}

/// What one set-up command did.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct SetupOutcome {
    /// The line.
    pub command: String,
    /// How it ended.
    pub termination: Termination,
    /// What it printed on standard output.
    pub stdout: Output,
    /// What it printed on standard error.
    pub stderr: Output,
    /// How long its guest ran; zero for one that never did.
    pub elapsed: Duration,
}

impl Termination {
    /// Gives the exit code that stands for this end; `docs/execution/results.md` has the table.
    pub fn exit_code(&self) -> i32 {
        match self {
            Self::Exited { code } => *code,
            Self::Signaled { signal, .. } => 128 + signal,
            Self::Trapped { .. } => 134,
            Self::LimitExceeded { limit, .. } => match limit {
                LimitName::WallTime | LimitName::CpuTime | LimitName::IdleTime | LimitName::Fuel => 124,
                LimitName::Memory => 137,
                LimitName::Output
                | LimitName::Disk
                | LimitName::Entries
                | LimitName::FileSize
                | LimitName::OpenFiles
                | LimitName::Processes
                | LimitName::Cpus
                | LimitName::Stack => 153,
            },
            Self::Killed { .. } => 143,
            Self::NotStarted { reason: NotStarted::Missing, .. } => 127,
            Self::NotStarted { .. } => 126,
        }
    }

    /// Says whether a limit of time ended the command: wall, cpu, idle or fuel.
    pub fn timed_out(&self) -> bool {
        matches!(self, Self::LimitExceeded { .. }) && self.exit_code() == 124
    }

    /// Says whether the guest ended by itself with code 0.
    pub fn is_success(&self) -> bool {
        matches!(self, Self::Exited { code: 0 })
    }

    /// Gives the word used in JSON.
    pub fn name(&self) -> &'static str {
        match self {
            Self::Exited { .. } => "exited",
            Self::Signaled { .. } => "signaled",
            Self::Trapped { .. } => "trapped",
            Self::LimitExceeded { .. } => "limit_exceeded",
            Self::Killed { .. } => "killed",
            Self::NotStarted { .. } => "not_started",
        }
    }
}

impl RuntimeResult {
    /// Gives the exit code that stands for the termination.
    pub fn exit_code(&self) -> i32 {
        self.termination.exit_code()
    }

    /// Says whether a limit of time ended the command.
    pub fn timed_out(&self) -> bool {
        self.termination.timed_out()
    }
}

impl NotStarted {
    /// Gives the word used in JSON.
    pub fn name(self) -> &'static str {
        match self {
            Self::Missing => "missing",
            Self::NotExecutable => "not_executable",
            Self::BadModule => "bad_module",
            Self::UnknownImport => "unknown_import",
            Self::CompileLimit => "compile_limit",
            Self::SetupFailed => "setup_failed",
        }
    }
}

impl Killer {
    /// Gives the word used in JSON.
    pub fn name(self) -> &'static str {
        match self {
            Self::Caller => "caller",
            Self::Interrupt => "interrupt",
            Self::Dropped => "dropped",
        }
    }
}

impl fmt::Display for Termination {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Exited { code } => write!(f, "the guest exited with code {code}"),
            Self::Signaled { signal, by: None } => write!(f, "signal {signal} ended the guest"),
            Self::Signaled { signal, by: Some(by) } => write!(f, "signal {signal} ended the guest (by {by})"),
            Self::Trapped { message, .. } => write!(f, "the guest trapped: {message}"),
            Self::LimitExceeded { limit, value, allowed } => {
                write!(f, "the {limit} limit ended the guest: {value} against {allowed} allowed")
            }
            Self::Killed { by: Killer::Caller } => f.write_str("the caller ended the command"),
            Self::Killed { by: Killer::Interrupt } => f.write_str("an interrupt ended the command"),
            Self::Killed { by: Killer::Dropped } => f.write_str("the command ended because nobody was left to read it"),
            Self::NotStarted { message, .. } => write!(f, "the guest was not started: {message}"),
        }
    }
}

impl fmt::Display for RuntimeResult {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.termination.fmt(f)?;
        if let Some(code) = self.guest_code {
            write!(f, " (its own code was {code})")?;
        }
        if let Some(wall) = self.usage.wall_time.value() {
            write!(f, ", after {:.3} s", wall.as_secs_f64())?;
        }
        Ok(())
    }
}
