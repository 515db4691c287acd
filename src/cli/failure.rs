//! Why a command failed, and the exit code that says so.

use std::error::Error as StdError;
use std::process::ExitCode;

use super::json::{ErrorBody, ErrorObject, VERSION};
use super::signals::Interrupted;
use crate::error::{ErrorKind, ExecutionError};
use crate::runtime::SolutionRuntimeError;
use crate::workspace::ArchiveError;

/// The exit code of a command line or a spec that is wrong.
pub(super) const USAGE: u8 = 2;
/// The exit code of a failure of the host.
pub(super) const HOST_FAILURE: u8 = 125;

/// A command line that asks for what cannot be.
#[derive(Debug, thiserror::Error)]
#[error("{message}")]
pub(super) struct Usage {
    message: String,
    hint: Option<String>,
    kind: &'static str,
}

impl Usage {
    pub(super) fn new(message: impl Into<String>) -> Self {
        Self { message: message.into(), hint: None, kind: "usage" }
    }

    #[must_use]
    pub(super) fn with_hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }

    /// Says that the request is refused until it is made in so many words.
    #[must_use]
    pub(super) fn forbidden(mut self) -> Self {
        self.kind = ErrorKind::Forbidden.name();
        self
    }
}

/// A failure, ready to be drawn.
#[derive(Debug)]
pub(super) struct Failure {
    pub(super) kind: String,
    pub(super) message: String,
    pub(super) causes: Vec<String>,
    pub(super) hint: Option<String>,
    code: u8,
}

impl Failure {
    /// Reads the chain of an error: its message, its causes, the kind and the hint of whoever knows them.
    pub(super) fn new(error: &anyhow::Error) -> Self {
        let mut causes: Vec<String> = error.chain().skip(1).map(ToString::to_string).collect();
        let (kind, hint, code) = if let Some(usage) = find::<Usage>(error) {
            (usage.kind, usage.hint.clone(), USAGE)
        } else if let Some(Interrupted(signal)) = find::<Interrupted>(error) {
            (ErrorKind::Cancelled.name(), None, signal.exit_code())
        } else if let Some(execution) = find::<ExecutionError>(error) {
            causes.extend(execution.cleanup_failures().iter().map(|failure| format!("then, cleaning up: {failure}")));
            let hint = execution.hint().map(str::to_owned);
            let code = if is_refused_archive(error) { USAGE } else { code_of(execution.kind()) };
            (execution.kind().name(), hint, code)
        } else if let Some(runtime) = find::<SolutionRuntimeError>(error) {
            let execution = ExecutionError::from(runtime.clone());
            (execution.kind().name(), execution.hint().map(str::to_owned), code_of(execution.kind()))
        } else {
            (ErrorKind::Runtime.name(), None, HOST_FAILURE)
        };
        Self { kind: kind.to_owned(), message: error.to_string(), causes, hint, code }
    }

    /// Makes the failure of a command line that could not be parsed.
    pub(super) fn usage(message: String) -> Self {
        Self { kind: "usage".to_owned(), message, causes: Vec::new(), hint: None, code: USAGE }
    }

    /// Makes the failure of a promise that bailiwick broke to itself.
    pub(super) fn bug() -> Self {
        let message = "bailiwick panicked; what it left behind is removed by `bailiwick gc`".to_owned();
        let kind = ErrorKind::Bug.name().to_owned();
        Self { kind, message, causes: Vec::new(), hint: None, code: HOST_FAILURE }
    }

    pub(super) fn exit_code(&self) -> ExitCode {
        ExitCode::from(self.code)
    }

    pub(super) fn body(&self) -> ErrorBody {
        ErrorBody {
            kind: self.kind.clone(),
            message: self.message.clone(),
            causes: self.causes.clone(),
            hint: self.hint.clone(),
        }
    }

    pub(super) fn object(&self) -> ErrorObject {
        ErrorObject { version: VERSION, error: self.body() }
    }
}

fn find<E: StdError + 'static>(error: &anyhow::Error) -> Option<&E> {
    error.chain().find_map(|cause| cause.downcast_ref())
}

/// Says whether an archive was given that cannot be unpacked, whatever the host does.
fn is_refused_archive(error: &anyhow::Error) -> bool {
    find::<Box<ArchiveError>>(error).is_some_and(|error| error.is_fault_of_archive())
}

/// Tells requests that are wrong, which trying again does not help, from failures of the host.
fn code_of(kind: ErrorKind) -> u8 {
    match kind {
        ErrorKind::Spec | ErrorKind::Asset | ErrorKind::Forbidden => USAGE,
        ErrorKind::Unavailable
        | ErrorKind::Unenforceable
        | ErrorKind::Workspace
        | ErrorKind::Runtime
        | ErrorKind::Cancelled
        | ErrorKind::Busy
        | ErrorKind::InputFileRead
        | ErrorKind::InputFileWrite
        | ErrorKind::Bug => HOST_FAILURE,
    }
}

#[cfg(test)]
mod tests {
    use anyhow::Context;

    use super::*;

    #[test]
    fn the_error_of_a_command_has_its_kind_and_hint() {
        let error = SolutionRuntimeError::Unavailable { message: "no memory".to_owned(), hint: "get some".to_owned() };
        let failure = Failure::new(&anyhow::Error::from(error));
        assert_eq!((failure.kind.as_str(), failure.hint.as_deref()), ("unavailable", Some("get some")));
    }

    #[test]
    fn kind_and_hint_are_found_below_the_context() {
        let inner = ExecutionError::new(ErrorKind::Unavailable, "no engine").with_hint("start one");
        let error = Err::<(), _>(inner).context("cannot run").unwrap_err();
        let failure = Failure::new(&error);
        assert_eq!((failure.kind.as_str(), failure.message.as_str()), ("unavailable", "cannot run"));
        assert_eq!((failure.causes, failure.hint.as_deref()), (vec!["no engine".to_owned()], Some("start one")));
        assert_eq!(failure.code, HOST_FAILURE);
    }

    #[test]
    fn what_is_asked_wrongly_is_usage() {
        let spec = ExecutionError::new(ErrorKind::Spec, "bad");
        assert_eq!(Failure::new(&spec.into()).code, USAGE);
        assert_eq!(Failure::new(&Usage::new("bad").into()).kind, "usage");
        assert_eq!(Failure::new(&Usage::new("bad").forbidden().into()).kind, "forbidden");
    }
}
