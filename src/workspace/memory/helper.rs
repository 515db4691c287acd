//! A memory file system for an ordinary user: made by a short-lived copy of this process in namespaces of its own.
//!
//! In a new user namespace the copy may mount; it sends the descriptors home and ends. The file system belongs to that
//! namespace, whose owner is our own user: this is why the handle that came with it may resize it later.

#![expect(unsafe_code, reason = "a process in namespaces of its own has no safe form")]

use std::ffi::{CString, c_int, c_long, c_ulong};
use std::io::{IoSlice, IoSliceMut};
use std::mem::MaybeUninit;
use std::os::fd::{AsFd, AsRawFd, FromRawFd, OwnedFd};

use rustix::fs::{Mode, OFlags};
use rustix::io::Errno;
use rustix::net::{
    AddressFamily, RecvAncillaryBuffer, RecvAncillaryMessage, RecvFlags, ReturnFlags, SendAncillaryBuffer,
    SendAncillaryMessage, SendFlags, SocketFlags, SocketType,
};

use super::system::{self, Controls, Options};

/// The lines that give our user and group the same numbers within the namespace.
struct Maps {
    user: CString,
    group: CString,
}

impl Maps {
    fn own() -> Self {
        let line = |id: u32| CString::new(format!("{id} {id} 1")).expect("digits hold no zero byte");
        Self { user: line(rustix::process::geteuid().as_raw()), group: line(rustix::process::getegid().as_raw()) }
    }

    /// Writes them, as the first thing in a new namespace. Allocates nothing.
    fn write(&self) -> Result<(), Errno> {
        put(c"/proc/self/setgroups", c"deny")?;
        put(c"/proc/self/gid_map", &self.group)?;
        put(c"/proc/self/uid_map", &self.user)
    }
}

/// Makes a memory file system through a helper.
pub(super) fn make(options: &Options) -> Result<Controls, Errno> {
    let (ours, theirs) =
        rustix::net::socketpair(AddressFamily::UNIX, SocketType::SEQPACKET, SocketFlags::CLOEXEC, None)?;
    let maps = Maps::own();
    let mask = block_signals();
    // SAFETY: the copy's whole life is `help`, which allocates nothing, takes no lock and never returns.
    let forked = unsafe { fork_apart() };
    if let Ok(None) = forked {
        help(options, &maps, &theirs);
    }
    restore_signals(&mask);
    drop(theirs);
    let helper = forked?;
    let sent = receive(&ours);
    if let Some(helper) = helper {
        wait(&helper);
    }
    sent
}

/// The whole life of the helper.
fn help(options: &Options, maps: &Maps, home: &OwnedFd) -> ! {
    let made = maps.write().and_then(|()| system::make(options));
    let sent = made.and_then(|made| send(home, &made));
    let code = c_int::from(sent.is_err());
    // SAFETY: always allowed; nothing of the copied process runs after it.
    unsafe { libc::_exit(code) }
}

fn send(home: &OwnedFd, made: &Controls) -> Result<(), Errno> {
    let fds = [made.system.as_fd(), made.mount.as_fd()];
    let mut space = [MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(2))];
    let mut control = SendAncillaryBuffer::new(&mut space);
    control.push(SendAncillaryMessage::ScmRights(&fds));
    rustix::net::sendmsg(home, &[IoSlice::new(b"!")], &mut control, SendFlags::NOSIGNAL).map(|_| ())
}

/// Receives what the helper made; a helper that ended without is one that was not allowed to.
fn receive(ours: &OwnedFd) -> Result<Controls, Errno> {
    let mut space = [MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(2))];
    let mut control = RecvAncillaryBuffer::new(&mut space);
    let mut byte = [0];
    let mut parts = [IoSliceMut::new(&mut byte)];
    let received = loop {
        match rustix::net::recvmsg(ours, &mut parts, &mut control, RecvFlags::CMSG_CLOEXEC) {
            Err(Errno::INTR) => {}
            received => break received?,
        }
    };
    if received.bytes == 0 || received.flags.contains(ReturnFlags::CTRUNC) {
        return Err(Errno::PERM);
    }
    for message in control.drain() {
        if let RecvAncillaryMessage::ScmRights(mut fds) = message
            && let (Some(system), Some(mount)) = (fds.next(), fds.next())
        {
            return Ok(Controls { system, mount });
        }
    }
    Err(Errno::PERM)
}

fn put(path: &std::ffi::CStr, text: &std::ffi::CStr) -> Result<(), Errno> {
    let file = rustix::fs::open(path, OFlags::WRONLY | OFlags::CLOEXEC, Mode::empty())?;
    rustix::io::write(file, text.to_bytes()).map(|_| ())
}

/// Copies this process into new user and mount namespaces: a descriptor of the copy, or `None` in the copy itself.
///
/// The copy sends no signal when it ends: no SIGCHLD handling of the program around us, and no `wait`, sees it.
///
/// # Safety
/// The copy may neither allocate, nor take a lock, nor return, nor unwind: other threads may have held anything.
unsafe fn fork_apart() -> Result<Option<OwnedFd>, Errno> {
    let flags = libc::CLONE_NEWUSER | libc::CLONE_NEWNS | libc::CLONE_PIDFD;
    let (flags, zero) = (c_ulong::from(flags.cast_unsigned()), 0 as c_ulong);
    let mut pidfd: c_int = -1;
    // SAFETY: a null stack and no `CLONE_VM` mean a plain copy; the kernel writes one int to `pidfd`.
    let pid: c_long = unsafe { libc::syscall(libc::SYS_clone, flags, zero, &raw mut pidfd, zero, zero) };
    match pid {
        0 => Ok(None),
        // SAFETY: the kernel has just made this descriptor for us and nobody else knows it.
        1.. => Ok(Some(unsafe { OwnedFd::from_raw_fd(pidfd) })),
        // Whatever the reason, this user may not have namespaces.
        _ => Err(Errno::PERM),
    }
}

/// Waits until the helper is gone.
fn wait(helper: &OwnedFd) {
    let number = helper.as_raw_fd().cast_unsigned();
    loop {
        // SAFETY: a zeroed siginfo is valid and the kernel fills it in.
        let done = unsafe {
            let mut info: libc::siginfo_t = std::mem::zeroed();
            libc::waitid(libc::P_PIDFD, number, &raw mut info, libc::WEXITED | libc::__WALL)
        };
        if done == 0 || std::io::Error::last_os_error().kind() != std::io::ErrorKind::Interrupted {
            return;
        }
    }
}

/// Blocks every signal in this thread, so that no handler of the program around us runs in the copy.
fn block_signals() -> libc::sigset_t {
    // SAFETY: a zeroed set is valid, both calls only write to the sets that they are given.
    unsafe {
        let (mut all, mut before) = (std::mem::zeroed(), std::mem::zeroed());
        libc::sigfillset(&raw mut all);
        libc::pthread_sigmask(libc::SIG_SETMASK, &raw const all, &raw mut before);
        before
    }
}

fn restore_signals(mask: &libc::sigset_t) {
    // SAFETY: the set is valid and only read.
    unsafe { libc::pthread_sigmask(libc::SIG_SETMASK, mask, std::ptr::null_mut()) };
}

#[cfg(test)]
mod tests {
    use super::super::system::{Room, left, used};
    use super::*;

    #[test]
    fn a_helper_makes_one_of_the_size_that_was_asked_for() {
        // Root may do without a helper, and has one all the same.
        let options = Options::of(Room { bytes: 1 << 20, entries: 8 });
        let made = make(&options);
        let Ok(controls) = made else {
            assert!(std::env::var_os("CI").is_none(), "{:?}", made.err());
            eprintln!("skipped: this user may not have namespaces");
            return;
        };
        let flags = OFlags::RDONLY | OFlags::DIRECTORY;
        let root = rustix::fs::openat(&controls.mount, c".", flags, Mode::empty()).unwrap();
        assert_eq!(left(&root).unwrap().bytes, 1 << 20);
        let file = rustix::fs::openat(&root, c"f", OFlags::CREATE | OFlags::WRONLY, Mode::RWXU).unwrap();
        let page = vec![1; 1 << 20];
        assert_eq!(rustix::io::write(&file, &page).unwrap(), page.len());
        assert_eq!(rustix::io::write(&file, &page).unwrap_err(), Errno::NOSPC);
        system::resize(&controls, Room { bytes: 2 << 20, entries: 8 }).unwrap();
        assert_eq!(left(&root).unwrap().bytes, 1 << 20);
        assert_eq!(used(&root).unwrap().bytes, 1 << 20);
    }
}
