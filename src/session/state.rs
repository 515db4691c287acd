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
pub(super) struct StateCell(Mutex<Cell>);

#[derive(Debug)]
struct Cell {
    state: SessionState,
    /// Calls that work in the workspace: none of them meets a half of one content and a half of another.
    inside: usize,
}

impl StateCell {
    pub(super) fn open() -> Self {
        Self(Mutex::new(Cell { state: SessionState::Open, inside: 0 }))
    }

    pub(super) fn get(&self) -> SessionState {
        self.lock().state
    }

    /// Lets a call pass that needs an open session.
    pub(super) fn need_open(&self, call: &'static str) -> Result<(), SessionError> {
        match self.get() {
            SessionState::Open => Ok(()),
            state @ (SessionState::Resetting | SessionState::Closed) => Err(SessionError::State { call, state }),
        }
    }

    /// Lets a call pass that works in the workspace; no reset begins before the guard goes.
    pub(super) fn enter(&self, call: &'static str) -> Result<Inside<'_>, SessionError> {
        let mut cell = self.lock();
        match cell.state {
            SessionState::Open => cell.inside += 1,
            state @ (SessionState::Resetting | SessionState::Closed) => {
                return Err(SessionError::State { call, state });
            }
        }
        Ok(Inside(self))
    }

    /// Keeps other calls out while the workspace is replaced; they come in again when the guard goes.
    pub(super) fn reset(&self, call: &'static str) -> Result<Resetting<'_>, SessionError> {
        let mut cell = self.lock();
        if cell.state != SessionState::Open {
            return Err(SessionError::State { call, state: cell.state });
        }
        if cell.inside > 0 {
            return Err(SessionError::Busy { call });
        }
        cell.state = SessionState::Resetting;
        Ok(Resetting(self))
    }

    /// Closes; from now on nothing else comes in.
    pub(super) fn close(&self) {
        self.lock().state = SessionState::Closed;
    }

    fn lock(&self) -> MutexGuard<'_, Cell> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The time in which a workspace is replaced.
#[derive(Debug)]
pub(super) struct Resetting<'a>(&'a StateCell);

impl Drop for Resetting<'_> {
    fn drop(&mut self) {
        let mut cell = self.0.lock();
        if cell.state == SessionState::Resetting {
            cell.state = SessionState::Open;
        }
    }
}

/// The time in which a call works in the workspace.
#[derive(Debug)]
pub(super) struct Inside<'a>(&'a StateCell);

impl Drop for Inside<'_> {
    fn drop(&mut self) {
        self.0.lock().inside -= 1;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_reset_keeps_others_out_and_a_close_is_for_good() {
        let cell = StateCell::open();
        let resetting = cell.reset("reset").unwrap();
        let refused = cell.enter("spawn").unwrap_err();
        assert_eq!(refused.to_string(), "`spawn` is not possible while the session is being reset");
        drop(resetting);
        cell.need_open("spawn").unwrap();
        let inside = cell.enter("fork").unwrap();
        assert_eq!(cell.reset("reset").unwrap_err(), SessionError::Busy { call: "reset" });
        drop(inside);
        cell.close();
        assert!(cell.enter("spawn").is_err());
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
