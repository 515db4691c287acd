//! The system calls that rustix does not have, each with why it may be made in a process that was just forked.

#![expect(unsafe_code, reason = "fork, exec and wait have no safe form")]

use std::ffi::{CStr, c_char, c_int, c_long, c_ulong};
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, FromRawFd, OwnedFd, RawFd};
use std::time::Duration;

use super::Used;

/// An error number of the kernel.
pub(super) type Errno = c_int;

fn last_errno() -> Errno {
    std::io::Error::last_os_error().raw_os_error().unwrap_or(libc::EIO)
}

fn check(done: c_int) -> Result<c_int, Errno> {
    if done < 0 { Err(last_errno()) } else { Ok(done) }
}

/// Which side of a fork this is.
pub(super) enum Side {
    Parent(i32),
    Child,
}

/// Copies this process, and gives its parent a descriptor of the copy.
///
/// The copy sends no signal when it ends: only who holds the descriptor can wait for it, so that neither the SIGCHLD
/// handling of the program around us nor a `wait` for any child of it sees ours.
///
/// # Safety
/// The child may neither allocate, nor take a lock, nor return, nor unwind: other threads may have held anything.
pub(super) unsafe fn fork_with_pidfd() -> Result<(Side, Option<OwnedFd>), Errno> {
    let mut pidfd: c_int = -1;
    // SAFETY: the kernel writes one int to `pidfd`, which outlives the call; the caller keeps the child within bounds.
    let side = unsafe { clone(libc::CLONE_PIDFD, &raw mut pidfd)? };
    let fd = match side {
        // SAFETY: the kernel has just made this descriptor for us and nobody else knows it.
        Side::Parent(_) => Some(unsafe { OwnedFd::from_raw_fd(pidfd) }),
        Side::Child => None,
    };
    Ok((side, fd))
}

/// Copies this process; the parent gets SIGCHLD when the copy ends.
///
/// # Safety
/// As [`fork_with_pidfd`].
pub(super) unsafe fn fork() -> Result<Side, Errno> {
    // SAFETY: nothing is written through the null pointer without `CLONE_PIDFD`; the caller keeps the child in bounds.
    unsafe { clone(libc::SIGCHLD, std::ptr::null_mut()) }
}

/// The raw call, because `fork` of the C library runs handlers and takes locks in between.
unsafe fn clone(flags: c_int, pidfd: *mut c_int) -> Result<Side, Errno> {
    let (flags, zero) = (c_ulong::from(flags.cast_unsigned()), 0 as c_ulong);
    // SAFETY: a null stack and no `CLONE_VM` mean a plain copy, as `fork` makes it.
    let pid: c_long = unsafe { libc::syscall(libc::SYS_clone, flags, zero, pidfd, zero, zero) };
    match i32::try_from(pid) {
        Ok(0) => Ok(Side::Child),
        Ok(pid) if pid > 0 => Ok(Side::Parent(pid)),
        Ok(_) | Err(_) => Err(last_errno()),
    }
}

/// Blocks every signal in this thread and gives the mask that was.
pub(super) fn block_signals() -> libc::sigset_t {
    // SAFETY: a zeroed set is valid, both calls only write to the sets that they are given.
    unsafe {
        let (mut all, mut before) = (std::mem::zeroed(), std::mem::zeroed());
        libc::sigfillset(&raw mut all);
        libc::pthread_sigmask(libc::SIG_SETMASK, &raw const all, &raw mut before);
        before
    }
}

/// Puts a signal mask back.
pub(super) fn restore_signals(mask: &libc::sigset_t) {
    // SAFETY: the set is valid and only read.
    unsafe { libc::pthread_sigmask(libc::SIG_SETMASK, mask, std::ptr::null_mut()) };
}

/// Gives every signal its default, then lets all of them through.
///
/// Raw calls, because the C library keeps two signals to itself, which an exec would pass on if they were ignored.
pub(super) fn reset_signals() {
    const SIGNALS: c_int = 64;
    const SET_BYTES: usize = 8;
    // More than the kernel's own structure on any machine; all zero is `SIG_DFL` without flags.
    let (default, none) = ([0_u64; 16], 0_u64);
    // SAFETY: both calls only read what they are given, which is large enough; the refusals of KILL and STOP are meant.
    unsafe {
        for signal in 1..=SIGNALS {
            let old: *mut u64 = std::ptr::null_mut();
            libc::syscall(libc::SYS_rt_sigaction, signal, default.as_ptr(), old, SET_BYTES);
        }
        let old: *mut u64 = std::ptr::null_mut();
        libc::syscall(libc::SYS_rt_sigprocmask, libc::SIG_SETMASK, &raw const none, old, SET_BYTES);
    }
}

/// Makes a descriptor that becomes readable when a child has ended. SIGCHLD must be blocked.
pub(super) fn child_signals() -> Result<OwnedFd, Errno> {
    // SAFETY: a zeroed action is `SIG_DFL`, without which ended children would vanish where SIGCHLD was ignored; the
    // descriptor is new and ours.
    unsafe {
        let default: libc::sigaction = std::mem::zeroed();
        libc::sigaction(libc::SIGCHLD, &raw const default, std::ptr::null_mut());
        let mut only = std::mem::zeroed();
        libc::sigemptyset(&raw mut only);
        libc::sigaddset(&raw mut only, libc::SIGCHLD);
        let fd = check(libc::signalfd(-1, &raw const only, libc::SFD_CLOEXEC | libc::SFD_NONBLOCK))?;
        Ok(OwnedFd::from_raw_fd(fd))
    }
}

/// One look for a child that has ended.
pub(super) enum Reaped {
    Child(i32, c_int),
    NoneYet,
    NoChildren,
}

/// Reaps one child that has ended, if there is one.
pub(super) fn reap() -> Reaped {
    let mut status = 0;
    // SAFETY: the kernel writes one int to `status`; no usage is asked for.
    match check(unsafe { libc::wait4(-1, &raw mut status, libc::WNOHANG | libc::__WALL, std::ptr::null_mut()) }) {
        Ok(0) | Err(libc::EINTR) => Reaped::NoneYet,
        Ok(pid) => Reaped::Child(pid, status),
        Err(_) => Reaped::NoChildren,
    }
}

/// Says what the children of this process that have ended used.
pub(super) fn used() -> Used {
    let usage = |whose| {
        // SAFETY: a zeroed rusage is valid and the kernel fills it in.
        unsafe {
            let mut usage: libc::rusage = std::mem::zeroed();
            libc::getrusage(whose, &raw mut usage);
            usage
        }
    };
    let time = |time: libc::timeval| {
        let micros = u32::try_from(time.tv_usec).unwrap_or(0);
        Duration::from_secs(time.tv_sec.cast_unsigned()) + Duration::from_micros(micros.into())
    };
    let children = usage(libc::RUSAGE_CHILDREN);
    Used {
        cpu: time(children.ru_utime) + time(children.ru_stime),
        max_rss_kib: children.ru_maxrss.cast_unsigned(),
        inherited_kib: usage(libc::RUSAGE_SELF).ru_maxrss.cast_unsigned(),
    }
}

/// Duplicates a descriptor to the lowest free number from `least` on.
pub(super) fn dup_above(fd: BorrowedFd<'_>, least: RawFd) -> Result<RawFd, Errno> {
    // SAFETY: the descriptor is open for the length of the borrow.
    check(unsafe { libc::fcntl(fd.as_raw_fd(), libc::F_DUPFD_CLOEXEC, least) })
}

/// Puts a descriptor at a number of our choice, where it survives an exec.
pub(super) fn dup_to(fd: RawFd, to: RawFd) -> Result<(), Errno> {
    // SAFETY: numbers only; in a forked child nobody else owns what stood at `to`.
    check(unsafe { libc::dup2(fd, to) }).map(|_| ())
}

/// Closes every descriptor from a number on, at the latest when a program is executed.
pub(super) fn close_from(least: RawFd, at_exec: bool) {
    const CLOSE_RANGE_CLOEXEC: c_ulong = 4;
    const MOST: c_int = 1 << 16;
    let flags = if at_exec { CLOSE_RANGE_CLOEXEC } else { 0 };
    let first = c_ulong::from(least.cast_unsigned());
    // SAFETY: in a forked child no owner of these descriptors will run again.
    unsafe {
        if libc::syscall(libc::SYS_close_range, first, c_ulong::from(c_int::MAX.cast_unsigned()), flags) == 0 {
            return;
        }
        for fd in least..MOST {
            if at_exec {
                libc::fcntl(fd, libc::F_SETFD, libc::FD_CLOEXEC)
            } else {
                libc::close(fd)
            };
        }
    }
}

/// Names a descriptor by its number.
///
/// # Safety
/// It must stay open for as long as the process lives.
pub(super) unsafe fn at(number: RawFd) -> BorrowedFd<'static> {
    // SAFETY: the caller keeps it open.
    unsafe { BorrowedFd::borrow_raw(number) }
}

/// Executes a program; comes back only with why not.
///
/// # Safety
/// Both lists end with a null pointer, and every other pointer in them is a C string.
pub(super) unsafe fn exec(path: &CStr, argv: *const *const c_char, env: *const *const c_char) -> Errno {
    // SAFETY: the caller vouches for the lists, the path is a C string.
    unsafe { libc::execve(path.as_ptr(), argv, env) };
    last_errno()
}

/// Ends this process at once: no destructors, no handlers.
pub(super) fn exit(code: c_int) -> ! {
    // SAFETY: always allowed.
    unsafe { libc::_exit(code) }
}

/// Names this process for people who look at a list of processes.
pub(super) fn name_process(name: &CStr) {
    // SAFETY: the kernel copies at most 16 bytes of a C string.
    unsafe { libc::prctl(libc::PR_SET_NAME, name.as_ptr()) };
}

/// Reaps the process behind a descriptor, if it has ended. Says whether nothing is left to reap.
pub(super) fn reap_pidfd(pidfd: impl AsFd) -> bool {
    const P_PIDFD: libc::idtype_t = 3;
    let number = pidfd.as_fd().as_raw_fd().cast_unsigned();
    // SAFETY: a zeroed siginfo is valid and the kernel fills it in.
    unsafe {
        let mut info: libc::siginfo_t = std::mem::zeroed();
        let flags = libc::WEXITED | libc::WNOHANG | libc::__WALL;
        match check(libc::waitid(P_PIDFD, number, &raw mut info, flags)) {
            Ok(_) => info.si_pid() != 0,
            Err(error) => error == libc::ECHILD,
        }
    }
}
