//! Everything that the two new processes need, made before they are: after the fork nothing may be allocated.

use std::ffi::CString;
use std::os::fd::{BorrowedFd, OwnedFd};

use rustix::process::{Resource, Rlimit};

/// One guest to start.
#[derive(Debug)]
pub(in super::super) struct Plan<'a> {
    /// The paths to try in turn, as an exec by `PATH` does.
    pub(in super::super) candidates: &'a [CString],
    /// The words of the guest.
    pub(in super::super) argv: &'a [CString],
    /// Its variables, as `NAME=value`.
    pub(in super::super) env: &'a [CString],
    /// Standard input, output and error of the guest.
    pub(in super::super) streams: [BorrowedFd<'a>; 3],
    /// Whether standard input is a terminal that the guest's session is to own.
    pub(in super::super) tty: bool,
    /// The working directory.
    pub(in super::super) cwd: BorrowedFd<'a>,
    /// What the guest must not exceed.
    pub(in super::super) rlimits: &'a [(Resource, Rlimit)],
    /// The `cgroup.procs` files to enter by.
    pub(in super::super) cgroups: &'a [OwnedFd],
    /// The control groups to remove when nothing is left in them.
    pub(in super::super) cgroup_dirs: &'a [CString],
    /// What the main process leaves behind.
    pub(in super::super) left_overs: LeftOvers,
}

/// What happens to processes that outlive the main process of a command.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in super::super) enum LeftOvers {
    /// They are ended.
    End,
    /// They live on until they are asked to end.
    Keep,
}
