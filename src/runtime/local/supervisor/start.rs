//! The fork of a supervisor and, in it, of the guest.

#![expect(unsafe_code, reason = "fork has no safe form")]

use std::io;
use std::os::fd::{AsFd, BorrowedFd};
use std::sync::Arc;

use rustix::io::Errno as Error;
use rustix::net::{AddressFamily, SocketFlags, SocketType, socketpair};
use rustix::pipe::{PipeFlags, pipe_with};
use rustix::process::Pid;

use super::guest::{Lists, become_guest};
use super::sys::{self, Side};
use super::watch::{Ears, Watch};
use super::{Plan, Refusal, Report, Reports, Step, Supervisor};
use crate::workspace::Reaper;

/// A supervisor that exists, and what is heard of it and of its guest.
#[derive(Debug)]
pub(in super::super) struct Begun {
    pub(in super::super) supervisor: Supervisor,
    /// What becomes of the command.
    pub(in super::super) reports: Reports,
    /// Ends at the exec of the guest; before that it may say why there is none.
    pub(in super::super) exec: Reports,
}

/// The descriptors that the new processes speak by.
#[derive(Clone, Copy)]
struct Mouths<'a> {
    control: BorrowedFd<'a>,
    status: BorrowedFd<'a>,
    exec: BorrowedFd<'a>,
}

/// Starts a supervisor that starts the guest. It returns when the supervisor exists.
pub(in super::super) fn start(plan: &Plan<'_>, reaper: &Arc<Reaper>) -> io::Result<Begun> {
    let (ours, control) = socketpair(AddressFamily::UNIX, SocketType::STREAM, SocketFlags::CLOEXEC, None)?;
    let (reports, status) = pipe_with(PipeFlags::CLOEXEC)?;
    let (started, exec) = pipe_with(PipeFlags::CLOEXEC)?;
    let (reports, started) = (Reports::new(reports)?, Reports::new(started)?);
    let lists = Lists::of(plan);
    let mask = sys::block_signals();
    // SAFETY: the child's whole life is `supervise`, which allocates nothing, locks nothing and never returns.
    let forked = unsafe { sys::fork_with_pidfd() };
    if let Ok((Side::Child, _)) = forked {
        supervise(plan, &lists, Mouths { control: control.as_fd(), status: status.as_fd(), exec: exec.as_fd() });
    }
    sys::restore_signals(&mask);
    match forked {
        Ok((Side::Parent(pid), Some(pidfd))) => {
            let supervisor = Supervisor::new(pid, pidfd, ours, Arc::clone(reaper));
            Ok(Begun { supervisor, reports, exec: started })
        }
        Ok(_) => Err(io::Error::other("the kernel gave no descriptor of the supervisor")),
        Err(errno) => Err(io::Error::from_raw_os_error(errno)),
    }
}

/// The whole life of a supervisor.
fn supervise(plan: &Plan<'_>, lists: &Lists, mouths: Mouths<'_>) -> ! {
    match set_up(plan, lists, mouths) {
        Ok((main, ears)) => Watch::new(main, ears, plan).run(),
        Err(refusal) => {
            let _ = rustix::io::write(mouths.exec, &Report::Refused(refusal).encode());
            sys::exit(1)
        }
    }
}

fn set_up(plan: &Plan<'_>, lists: &Lists, mouths: Mouths<'_>) -> Result<(Pid, Ears), Refusal> {
    let failed = |error: Error| Refusal { step: Step::Fork, errno: error.raw_os_error() };
    let failed_raw = |errno| Refusal { step: Step::Fork, errno };
    sys::name_process(c"bailiwick-local");
    rustix::process::setsid().map_err(failed)?;
    let own = rustix::process::getpid();
    rustix::process::set_child_subreaper(Some(own)).map_err(failed)?;
    let children = sys::child_signals().map_err(failed_raw)?;
    // SAFETY: the child's whole life until exec is `become_guest`, which keeps within the bounds.
    let main = match unsafe { sys::fork() }.map_err(failed_raw)? {
        Side::Child => become_guest(plan, lists, own, mouths.exec),
        Side::Parent(pid) => Pid::from_raw(pid).ok_or(Refusal { step: Step::Fork, errno: libc::ESRCH })?,
    };
    // The supervisor keeps nothing else: no stream of the guest, no directory, no descriptor of the engine.
    rustix::process::chdir(c"/").map_err(failed)?;
    let ears = Ears::keep_only([mouths.control, mouths.status, children.as_fd()]).map_err(failed_raw)?;
    // Its number now means another thing, or nothing.
    std::mem::forget(children);
    Ok((main, ears))
}
