//! What is asked of a worker, and what it answers. The answers are read as hostile input.

use serde::{Deserialize, Serialize};

use crate::runtime::wasi::code::Form;
use crate::runtime::wasi::compile::CompileBounds;
use crate::runtime::wasi::determinism::DeterminismConfig;
use crate::runtime::wasi::engine::failed_with;
use crate::runtime::wasi::facts::Facts;
use crate::runtime::wasi::load_error::LoadError;
use crate::runtime::wasi::program::Program;
use crate::runtime::wasi::traps::{self, MAX_FRAMES};
use crate::runtime::wasi::words;
use crate::runtime::wasi::world::World;
use crate::runtime::{End, NotStarted};
use crate::spec::{LimitName, LimitValue};

/// One guest to run. Behind it come the descriptors: the artifact, then a directory for each of `dirs`.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct RunOrder {
    /// The module's digest, under which the worker keeps what it has mapped.
    pub(super) module: String,
    pub(super) form: Form,
    pub(super) program: Program,
    pub(super) world: World,
    /// Whether the guest begins in the workdir, whose directories the worker keeps.
    pub(super) is_workdir: bool,
    /// None where the worker has them.
    pub(super) dirs: Vec<DirOrder>,
    pub(super) memory: Option<u64>,
    pub(super) open_files: Option<u64>,
    pub(super) fuel: Option<u64>,
    pub(super) host_calls: Option<u64>,
    pub(super) determinism: Option<DeterminismConfig>,
    /// Whether there is any input to ask for.
    pub(super) has_stdin: bool,
    /// The most memory that any guest of this worker may have, and the most open files.
    pub(super) most_memory: Option<u64>,
    pub(super) most_files: Option<u64>,
}

impl RunOrder {
    /// Names what a worker keeps mapped: the same module links differently where other imports are stubbed.
    pub(super) fn code(&self) -> String {
        format!("{} {:?}", self.module, self.program.unknown_imports)
    }
}

/// A directory of a guest.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct DirOrder {
    pub(super) guest: String,
    pub(super) writable: bool,
}

/// A module to compile. Behind it come two descriptors: the module, and an empty file for what comes of it.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct CompileOrder {
    pub(super) bounds: Option<CompileBounds>,
}

/// What came of an order.
#[derive(Debug, Serialize, Deserialize)]
pub(super) enum Report {
    /// The guest ran.
    Ran(Ended, Facts),
    /// The module was compiled.
    Compiled(Form),
    /// The module's own doing.
    Refused(RefusedAs, String),
    /// The host's.
    Failed(String),
}

/// Why a module cannot run.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
pub(super) enum RefusedAs {
    BadModule,
    UnknownImport,
    CompileLimit,
}

/// How a guest ended by itself.
#[derive(Debug, Serialize, Deserialize)]
pub(super) enum Ended {
    Exited(i32),
    OutOfFuel,
    Trapped { trap: String, message: String, backtrace: Vec<String> },
}

impl Ended {
    /// Puts an end of this process's own guest into words; an end that no guest makes is the host's failure.
    pub(super) fn of(end: End) -> Result<Self, String> {
        match end {
            End::Exited(code) => Ok(Self::Exited(code)),
            End::Limit(LimitName::Fuel, _) => Ok(Self::OutOfFuel),
            End::Trapped { trap, message, backtrace } => {
                Ok(Self::Trapped { trap: trap.to_owned(), message, backtrace })
            }
            End::Signaled { .. } | End::Limit(..) | End::NotStarted { .. } | End::Stopped(_) | End::Failed(_) => {
                Err(format!("{end:?}"))
            }
        }
    }

    /// Reads an end that a worker told: a code is one byte, a trap one of those that there are, a text is short.
    pub(super) fn read(self, fuel: Option<u64>) -> End {
        match self {
            Self::Exited(code) => End::Exited(code & 0xff),
            Self::OutOfFuel => End::Limit(LimitName::Fuel, LimitValue::Count(fuel.unwrap_or_default())),
            Self::Trapped { trap, message, backtrace } => End::Trapped {
                trap: traps::known(&trap),
                message: words::message(&message),
                backtrace: backtrace.iter().take(MAX_FRAMES).map(|name| words::name(name)).collect(),
            },
        }
    }
}

impl Report {
    /// Makes the report of what could not be loaded.
    pub(super) fn of(error: LoadError) -> Self {
        match error {
            LoadError::Refused(NotStarted::UnknownImport, message) => Self::Refused(RefusedAs::UnknownImport, message),
            LoadError::Refused(NotStarted::CompileLimit, message) => Self::Refused(RefusedAs::CompileLimit, message),
            LoadError::Refused(_, message) => Self::Refused(RefusedAs::BadModule, message),
            LoadError::TooSlow(time) => Self::Failed(format!("it took longer than {time:?}")),
            LoadError::Failed(error) => Self::Failed(chain(&error)),
        }
    }
}

/// Reads why a worker could not load a module.
pub(super) fn refusal(kind: RefusedAs, message: &str) -> LoadError {
    let reason = match kind {
        RefusedAs::BadModule => NotStarted::BadModule,
        RefusedAs::UnknownImport => NotStarted::UnknownImport,
        RefusedAs::CompileLimit => NotStarted::CompileLimit,
    };
    LoadError::Refused(reason, words::message(message))
}

/// Reads what a worker says of the host.
pub(super) fn failure(message: &str) -> LoadError {
    LoadError::Failed(failed_with("work in a worker process", words::message(message)))
}

/// Writes an error with what caused it.
fn chain(error: &dyn std::error::Error) -> String {
    std::iter::successors(Some(error), |error| error.source()).map(ToString::to_string).collect::<Vec<_>>().join(": ")
}
