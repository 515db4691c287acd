//! The first process of a container, where the engine's host is this one: its end is the end of all in it, at once.
//!
//! An engine takes tens of milliseconds to kill, and hundreds where it has much to do.

use std::os::fd::OwnedFd;
use std::time::Duration;

use rustix::process::{Pid, PidfdFlags, Signal, pidfd_open, pidfd_send_signal};

use crate::runtime::pidfd;

/// How long the name of a container is, in hexadecimal digits.
const NAME: usize = 64;

/// The first process of one container.
#[derive(Debug)]
pub(super) struct Init(OwnedFd);

impl Init {
    /// Finds it by the number that the engine says; none where that is no process of this host, or of another container.
    ///
    /// What stands in `/proc` is read when the descriptor is open. Either it is of the process that the descriptor holds,
    /// or that one has ended, and can neither be signalled any more nor taken for another one.
    pub(super) fn open_ambient(pid: i64, container: &str) -> Option<Self> {
        let pid = i32::try_from(pid).ok().filter(|pid| *pid > 0).and_then(Pid::from_raw)?;
        let descriptor = pidfd_open(pid, PidfdFlags::empty()).ok()?;
        let text = |name: &str| std::fs::read_to_string(format!("/proc/{}/{name}", pid.as_raw_nonzero())).ok();
        let is_it = is_of(&text("cgroup")?, container) && is_first(&text("status")?);
        is_it.then_some(Self(descriptor))
    }

    /// Kills it, and with it everything in its namespace; says whether it was alive and could be.
    pub(super) fn kill(&self) -> bool {
        // Its user may be another one: then the engine must do it.
        pidfd_send_signal(&self.0, Signal::KILL).is_ok()
    }

    /// Waits until it has ended, which it does when everything else in its namespace has; says whether that was seen.
    ///
    /// Cancel safe.
    pub(super) async fn ended(&self) -> bool {
        pidfd::wait(&self.0).await;
        pidfd::has_ended(&self.0, Duration::ZERO)
    }
}

/// Says whether a list of control groups is that of a container's process.
fn is_of(groups: &str, container: &str) -> bool {
    // A name that the engine made up could be part of every path.
    let is_name = container.len() == NAME && container.bytes().all(|byte| byte.is_ascii_hexdigit());
    let path = |line: &str| line.splitn(3, ':').nth(2).is_some_and(|path| path.contains(container));
    is_name && groups.lines().any(path)
}

/// Says whether a process is the first of a namespace that is not ours.
fn is_first(status: &str) -> bool {
    let numbers = status.lines().find_map(|line| line.strip_prefix("NSpid:"));
    let numbers: Vec<&str> = numbers.unwrap_or_default().split_whitespace().collect();
    numbers.len() > 1 && numbers.last() == Some(&"1")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_first_process_of_that_container_is_it() {
        let name = "0123456789abcdef".repeat(4);
        let groups =
            [format!("5:cpu,cpuacct:/docker/{name}\n0::/\n"), format!("0::/system.slice/docker-{name}.scope\n")];
        for groups in &groups {
            assert!(is_of(groups, &name));
            assert!(!is_of(groups, &"f".repeat(NAME)));
            for made_up in ["", "docker", "/", "0", &name[..12]] {
                assert!(!is_of(groups, made_up), "{made_up}");
            }
        }
        assert!(!is_of(&format!("5:{name}:/user\n"), &name), "the path decides");
        assert!(is_first("Name:\tdocker-init\nNSpid:\t4711\t1\nThreads:\t1\n"));
        for other in ["NSpid:\t1\n", "NSpid:\t4711\t7\n", "NSpid:\t4711\n", "NSpid:\n", ""] {
            assert!(!is_first(other), "{other}");
        }
    }

    #[tokio::test]
    async fn a_process_of_the_host_is_none() {
        let own = i64::from(std::process::id());
        for pid in [own, 1, 0, -1, i64::MAX] {
            assert!(Init::open_ambient(pid, &"0".repeat(NAME)).is_none(), "{pid}");
        }
    }
}
