//! The engine's side of a supervisor: asks it to end, waits for it, and never leaves one behind.

use std::os::fd::{AsFd, OwnedFd};
use std::sync::Arc;
use std::time::Duration;

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::net::{SendFlags, send};
use rustix::process::{Signal, pidfd_send_signal};
use tokio::net::unix::pipe::Receiver;

use super::sys;
use crate::error::{ErrorKind, ExecutionError};
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
        let waited = tokio::time::timeout(within, wait(&ends.pidfd)).await;
        let gone = waited.is_ok() && sys::reap_pidfd(&ends.pidfd);
        if gone {
            self.ends = None;
        }
        gone
    }
}

/// Waits until a process has ended, without reaping it.
async fn wait(pidfd: &OwnedFd) {
    if ended(pidfd, Duration::ZERO) {
        return;
    }
    // A pipe's receiver is no more than a descriptor that becomes readable, which is what this one does.
    match pidfd.try_clone().and_then(Receiver::from_owned_fd_unchecked) {
        Ok(registered) => {
            let _ = registered.readable().await;
        }
        Err(_) => {
            while !ended(pidfd, Duration::ZERO) {
                tokio::time::sleep(Duration::from_millis(1)).await;
            }
        }
    }
}

fn ended(pidfd: &OwnedFd, within: Duration) -> bool {
    let timeout = Timespec { tv_sec: 0, tv_nsec: within.subsec_nanos().into() };
    poll(&mut [PollFd::from_borrowed_fd(pidfd.as_fd(), PollFlags::IN)], Some(&timeout)).is_ok_and(|ready| ready > 0)
}

impl Drop for Supervisor {
    fn drop(&mut self) {
        /// A killed tree is gone in one or two milliseconds; what takes longer is waited for elsewhere.
        const INLINE: Duration = Duration::from_millis(50);
        self.ask(Manner::Now);
        let Some(Ends { pidfd, control }) = self.ends.take() else { return };
        drop(control);
        if ended(&pidfd, INLINE) && sys::reap_pidfd(&pidfd) {
            return;
        }
        self.reaper.enqueue_async(async move {
            wait(&pidfd).await;
            if sys::reap_pidfd(&pidfd) {
                return Ok(());
            }
            Err(ExecutionError::new(ErrorKind::Runtime, "a supervisor could not be reaped"))
        });
    }
}
