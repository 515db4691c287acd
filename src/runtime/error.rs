//! Recoverable trouble in the life cycle of a command: the host's, never the submission's.

use std::any::Any;
use std::io;
use std::sync::Arc;

use crate::error::{ErrorKind, ExecutionError};
use crate::spec::SpecError;

/// Why a command could not be started, watched or ended.
#[derive(Clone, Debug, thiserror::Error)]
#[non_exhaustive]
pub enum SolutionRuntimeError {
    /// The runtime was cleaned up before.
    #[error("the runtime is closed")]
    Closed,
    /// The engine behind the runtime is gone.
    #[error("the {engine} is gone")]
    Lost {
        /// Which engine: `Docker engine`, `supervisor`.
        engine: &'static str,
        /// What was seen.
        #[source]
        source: Option<Arc<dyn std::error::Error + Send + Sync>>,
    },
    /// The caller dropped the command before it ended.
    #[error("the command was cancelled")]
    Cancelled,
    /// The command waited for a place longer than its queue timeout.
    #[error("no place to run became free in time")]
    Busy,
    /// The command asks for what this runtime does not have.
    #[error("{message}")]
    Unsupported {
        /// What was asked and who cannot do it.
        message: String,
        /// What to do instead.
        hint: String,
    },
    /// This host lacks what the runtime needs for every command.
    #[error("{message}")]
    Unavailable {
        /// What is lacking.
        message: String,
        /// What to do about it.
        hint: String,
    },
    /// The command asks for more than the owner of the host allows.
    #[error("{message}")]
    Forbidden {
        /// What was asked, and the place that forbids it.
        message: String,
        /// What to do instead.
        hint: String,
    },
    /// The command is written wrongly: a bad line, a limit above its ceiling.
    #[error("the command is not valid")]
    Invalid {
        /// What is wrong.
        #[source]
        source: SpecError,
    },
    /// The operating system refused something.
    #[error("{action}")]
    Host {
        /// What was being done: `start the supervisor`.
        action: &'static str,
        /// What it said.
        #[source]
        source: Arc<io::Error>,
    },
    /// The sandbox engine refused something that is not the guest's doing.
    #[error("{action}")]
    Engine {
        /// What was being done: `compile the module`.
        action: &'static str,
        /// What it said.
        #[source]
        source: Arc<dyn std::error::Error + Send + Sync>,
    },
    /// The runtime's own code panicked; the command is over, others are not touched.
    #[error("the runtime panicked: {message}")]
    Panicked {
        /// What it said.
        message: String,
    },
}

impl SolutionRuntimeError {
    /// Makes an error of the operating system, for use in `map_err`.
    pub fn host(action: &'static str) -> impl FnOnce(io::Error) -> Self {
        move |source| Self::Host { action, source: Arc::new(source) }
    }

    pub(super) fn panicked(panic: &(dyn Any + Send)) -> Self {
        let text = panic.downcast_ref::<&str>().copied();
        let text = text.or_else(|| panic.downcast_ref::<String>().map(String::as_str));
        Self::Panicked { message: text.unwrap_or("no message").to_owned() }
    }
}

impl From<SolutionRuntimeError> for ExecutionError {
    fn from(error: SolutionRuntimeError) -> Self {
        let (kind, hint) = match &error {
            SolutionRuntimeError::Closed
            | SolutionRuntimeError::Host { .. }
            | SolutionRuntimeError::Engine { .. }
            | SolutionRuntimeError::Lost { .. } => (ErrorKind::Runtime, None),
            SolutionRuntimeError::Panicked { .. } => (ErrorKind::Bug, None),
            SolutionRuntimeError::Cancelled => (ErrorKind::Cancelled, None),
            SolutionRuntimeError::Busy => (ErrorKind::Busy, None),
            SolutionRuntimeError::Forbidden { hint, .. } => (ErrorKind::Forbidden, Some(hint.clone())),
            SolutionRuntimeError::Unavailable { hint, .. } => (ErrorKind::Unavailable, Some(hint.clone())),
            SolutionRuntimeError::Unsupported { hint, .. } => (ErrorKind::Unenforceable, Some(hint.clone())),
            SolutionRuntimeError::Invalid { source } => {
                let hints = source.problems().iter().filter_map(|problem| problem.hint.clone());
                (ErrorKind::Spec, hints.reduce(|all, next| format!("{all}\n{next}")))
            }
        };
        let wrapped = Self::new(kind, error);
        match hint {
            Some(hint) => wrapped.with_hint(hint),
            None => wrapped,
        }
    }
}
