//! From the fork to the exec of the guest: its session, descriptors, directory, limits and signals.
//!
//! Everything here runs in a process that was just forked: nothing allocates, locks, returns or panics.

#![expect(unsafe_code, reason = "what was prepared before the fork is handed to exec as raw lists")]

use std::ffi::c_char;
use std::os::fd::{AsFd, BorrowedFd};

use rustix::fs::Mode;
use rustix::io::Errno as Error;
use rustix::process::{Pid, Signal};

use super::sys;
use super::{Plan, Refusal, Report, Step};

/// The lists that exec wants, made before the fork.
pub(super) struct Lists {
    pub(super) argv: Vec<*const c_char>,
    pub(super) env: Vec<*const c_char>,
}

impl Lists {
    pub(super) fn of(plan: &Plan<'_>) -> Self {
        let list = |strings: &[std::ffi::CString]| {
            strings.iter().map(|one| one.as_ptr()).chain([std::ptr::null()]).collect::<Vec<_>>()
        };
        Self { argv: list(plan.argv), env: list(plan.env) }
    }
}

/// Makes this process the guest. It ends here, with a report to the supervisor, when that fails.
pub(super) fn become_guest(plan: &Plan<'_>, lists: &Lists, supervisor: Pid, report: BorrowedFd<'_>) -> ! {
    let refusal = match enter(plan, supervisor) {
        Ok(()) => Refusal { step: Step::Exec, errno: exec(plan, lists) },
        Err(refusal) => refusal,
    };
    let _ = rustix::io::write(report, &Report::Refused(refusal).encode());
    sys::exit(127)
}

fn failed(step: Step) -> impl FnOnce(Error) -> Refusal {
    move |error| Refusal { step, errno: error.raw_os_error() }
}

fn enter(plan: &Plan<'_>, supervisor: Pid) -> Result<(), Refusal> {
    rustix::process::setsid().map_err(failed(Step::Session))?;
    // Without its supervisor nobody could end the guest. The second look meets a supervisor that is already dead.
    rustix::process::set_parent_process_death_signal(Some(Signal::KILL)).map_err(failed(Step::Session))?;
    if rustix::process::getppid() != Some(supervisor) {
        sys::exit(127);
    }
    for procs in plan.cgroups {
        rustix::io::write(procs, b"0").map_err(failed(Step::Cgroup))?;
    }
    rustix::process::fchdir(plan.cwd).map_err(failed(Step::Directory))?;
    rustix::process::umask(Mode::from_raw_mode(0o022));
    streams(plan)?;
    for (resource, limit) in plan.rlimits {
        rustix::process::setrlimit(*resource, *limit).map_err(failed(Step::Limits))?;
    }
    sys::close_from(3, true);
    sys::reset_signals();
    Ok(())
}

fn streams(plan: &Plan<'_>) -> Result<(), Refusal> {
    let failed_raw = |errno| Refusal { step: Step::Streams, errno };
    let mut safe = [-1; 3];
    // First out of the way of each other, where the engine itself had 0, 1 or 2 closed.
    for (place, stream) in safe.iter_mut().zip(plan.streams) {
        *place = sys::dup_above(stream, 3).map_err(failed_raw)?;
    }
    for (to, from) in (0..).zip(safe) {
        sys::dup_to(from, to).map_err(failed_raw)?;
    }
    if plan.tty {
        // SAFETY: number 0 was made two lines above and stays open.
        let terminal = unsafe { sys::at(0) };
        rustix::process::ioctl_tiocsctty(terminal.as_fd()).map_err(failed(Step::Streams))?;
    }
    Ok(())
}

/// Tries the candidates in turn, as `execvp` does, but never hands a file to a shell.
fn exec(plan: &Plan<'_>, lists: &Lists) -> i32 {
    let mut found = libc::ENOENT;
    for path in plan.candidates {
        // SAFETY: both lists were made by `Lists::of` of this very plan, whose strings are alive.
        match unsafe { sys::exec(path, lists.argv.as_ptr(), lists.env.as_ptr()) } {
            libc::ENOENT | libc::ENOTDIR => {}
            libc::EACCES | libc::ENAMETOOLONG | libc::ELOOP => found = libc::EACCES,
            other => return other,
        }
    }
    found
}
