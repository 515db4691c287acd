//! What a session refuses.

use super::SessionState;
use crate::error::{ErrorKind, ExecutionError};
use crate::spec::Mode;

/// A call that the session does not allow.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum SessionError {
    /// The session is not in a state for it.
    #[error("`{call}` is not possible while the session is {state}")]
    State {
        /// The call.
        call: &'static str,
        /// Where the session stands.
        state: SessionState,
    },
    /// The session serves somebody for whom the call makes no sense.
    #[error("`{call}` is for {} sessions", .needs.name())]
    Mode {
        /// The call.
        call: &'static str,
        /// The mode that it is for.
        needs: Mode,
    },
    /// A command of the session runs, or another call works in its workspace.
    #[error("`{call}` has to wait for the commands and calls of the session")]
    Busy {
        /// The call.
        call: &'static str,
    },
    /// The session was opened without a place to go back to.
    #[error("the session keeps no state to reset to")]
    NothingKept,
}

impl From<SessionError> for ExecutionError {
    fn from(error: SessionError) -> Self {
        let (kind, hint) = match &error {
            SessionError::State { state: SessionState::Resetting, .. } => (ErrorKind::Busy, "wait for the reset"),
            SessionError::State { .. } => (ErrorKind::Runtime, "open another session"),
            SessionError::Mode { .. } => (ErrorKind::Runtime, "open the session in that mode"),
            SessionError::Busy { .. } => (ErrorKind::Busy, "wait for the commands, or kill them"),
            SessionError::NothingKept => (ErrorKind::Runtime, "open the session without `without_reset`"),
        };
        Self::new(kind, error).with_hint(hint)
    }
}
