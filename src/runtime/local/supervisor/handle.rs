//! The engine's side of a supervisor: asks it to end, waits for it, and never leaves one behind.

use std::os::fd::OwnedFd;
use std::sync::Arc;
use std::time::Duration;

use rustix::net::{SendFlags, send};
use rustix::process::{Signal, pidfd_send_signal};

use super::sys;
use crate::error::{ErrorKind, ExecutionError};
use crate::runtime::pidfd;
use crate::workspace::Reaper;

/// How a command is ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub(in super::super) enum Manner {
    /// SIGTERM first, SIGKILL after the grace.
    Politely = b'T',
    /// SIGKILL at once.
    Now = b'K',
}

/// A supervisor that was started. Dropping it ends its command at once.
#[derive(Debug)]
pub(in super::super) struct Supervisor {
    pid: i32,
    reaper: Arc<Reaper>,
    /// Both are there until the supervisor is reaped or handed to the reaper.
    ends: Option<Ends>,
}

#[derive(Debug)]
struct Ends {
    pidfd: OwnedFd,
    control: Option<OwnedFd>,
}

impl Supervisor {
    pub(super) fn new(pid: i32, pidfd: OwnedFd, control: OwnedFd, reaper: Arc<Reaper>) -> Self {
        Self { pid, reaper, ends: Some(Ends { pidfd, control: Some(control) }) }
    }

    /// Gives the number of the supervisor's own process, the root of the command's tree.
    pub(in super::super) fn pid(&self) -> i32 {
        self.pid
    }

    /// Asks for the end of the command. A supervisor that is gone needs no asking.
    pub(in super::super) fn ask(&self, manner: Manner) {
        if let Some(control) = self.ends.as_ref().and_then(|ends| ends.control.as_ref()) {
            let _ = send(control, &[manner as u8], SendFlags::NOSIGNAL | SendFlags::DONTWAIT);
        }
    }

    /// Kills the supervisor itself, when it does not answer. Its guest dies by its parent-death signal.
    pub(in super::super) fn kill(&self) {
        if let Some(ends) = &self.ends {
            let _ = pidfd_send_signal(&ends.pidfd, Signal::KILL);
        }
    }

    /// Lets the supervisor go and waits until it has ended; says whether it did so in time.
    ///
    /// Cancel safe: a cancelled wait is the reaper's.
    pub(in super::super) async fn release(mut self, within: Duration) -> bool {
        let Some(ends) = &mut self.ends else { return true };
        ends.control = None;
        let waited = tokio::time::timeout(within, pidfd::wait(&ends.pidfd)).await;
        let gone = waited.is_ok() && sys::reap_pidfd(&ends.pidfd);
        if gone {
            self.ends = None;
        }
        gone
    }
}

impl Drop for Supervisor {
    fn drop(&mut self) {
        /// A killed tree is gone in one or two milliseconds; what takes longer is waited for elsewhere.
        const INLINE: Duration = Duration::from_millis(50);
        self.ask(Manner::Now);
        let Some(Ends { pidfd: ended, control }) = self.ends.take() else { return };
        drop(control);
        if pidfd::has_ended(&ended, INLINE) && sys::reap_pidfd(&ended) {
            return;
        }
        self.reaper.enqueue_async(async move {
            pidfd::wait(&ended).await;
            if sys::reap_pidfd(&ended) {
                return Ok(());
            }
            Err(ExecutionError::new(ErrorKind::Runtime, "a supervisor could not be reaped"))
        });
    }
}
