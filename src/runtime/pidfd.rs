//! Waiting for the end of a process by its descriptor, which no other process can take over.

use std::os::fd::{AsFd as _, OwnedFd};
use std::time::Duration;

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use tokio::net::unix::pipe::Receiver;

/// Waits until a process has ended, without reaping it.
///
/// Cancel safe.
pub(super) async fn wait(pidfd: &OwnedFd) {
    if has_ended(pidfd, Duration::ZERO) {
        return;
    }
    // A pipe's receiver is no more than a descriptor that becomes readable, which is what this one does.
    match pidfd.try_clone().and_then(Receiver::from_owned_fd_unchecked) {
        Ok(registered) => {
            let _ = registered.readable().await;
        }
        Err(_) => {
            while !has_ended(pidfd, Duration::ZERO) {
                tokio::time::sleep(Duration::from_millis(1)).await;
            }
        }
    }
}

/// Says whether a process ends within less than a second, without reaping it.
pub(super) fn has_ended(pidfd: &OwnedFd, within: Duration) -> bool {
    let timeout = Timespec { tv_sec: 0, tv_nsec: within.subsec_nanos().into() };
    poll(&mut [PollFd::from_borrowed_fd(pidfd.as_fd(), PollFlags::IN)], Some(&timeout)).is_ok_and(|ready| ready > 0)
}
