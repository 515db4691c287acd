//! Where a session stands, and which calls that allows.

use std::fmt;
use std::sync::{Mutex, MutexGuard, PoisonError};

use super::SessionError;

/// Where a session stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum SessionState {
    /// It takes calls.
    Open,
    /// Its workspace is being replaced; nothing may run meanwhile.
    Resetting,
    /// It has been closed.
    Closed,
}

impl fmt::Display for SessionState {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Open => "open",
            Self::Resetting => "being reset",
            Self::Closed => "closed",
        })
    }
}

/// The state of one session, shared by its calls.
#[derive(Debug)]
pub(super) struct StateCell(Mutex<SessionState>);

impl StateCell {
    pub(super) fn open() -> Self {
        Self(Mutex::new(SessionState::Open))
    }

    pub(super) fn get(&self) -> SessionState {
        *self.lock()
    }

    /// Lets a call pass that needs an open session.
    pub(super) fn need_open(&self, call: &'static str) -> Result<(), SessionError> {
        match self.get() {
            SessionState::Open => Ok(()),
            state @ (SessionState::Resetting | SessionState::Closed) => Err(SessionError::State { call, state }),
        }
    }

    /// Keeps other calls out while the workspace is replaced; they come in again when the guard goes.
    pub(super) fn reset(&self, call: &'static str) -> Result<Resetting<'_>, SessionError> {
        let mut state = self.lock();
        if *state != SessionState::Open {
            return Err(SessionError::State { call, state: *state });
        }
        *state = SessionState::Resetting;
        Ok(Resetting(self))
    }

    /// Closes; says whether this call was the first to do so.
    pub(super) fn close(&self) -> bool {
        std::mem::replace(&mut *self.lock(), SessionState::Closed) != SessionState::Closed
    }

    fn lock(&self) -> MutexGuard<'_, SessionState> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The time in which a workspace is replaced.
#[derive(Debug)]
pub(super) struct Resetting<'a>(&'a StateCell);

impl Drop for Resetting<'_> {
    fn drop(&mut self) {
        let mut state = self.0.lock();
        if *state == SessionState::Resetting {
            *state = SessionState::Open;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_reset_keeps_others_out_and_a_close_is_for_good() {
        let cell = StateCell::open();
        let resetting = cell.reset("reset").unwrap();
        let refused = cell.need_open("spawn").unwrap_err();
        assert_eq!(refused.to_string(), "`spawn` is not possible while the session is being reset");
        drop(resetting);
        cell.need_open("spawn").unwrap();
        assert!(cell.close());
        assert!(!cell.close());
        assert!(matches!(cell.need_open("spawn"), Err(SessionError::State { state: SessionState::Closed, .. })));
    }

    #[test]
    fn a_close_during_a_reset_stays() {
        let cell = StateCell::open();
        let resetting = cell.reset("reset").unwrap();
        cell.close();
        drop(resetting);
        assert_eq!(cell.get(), SessionState::Closed);
    }
}
