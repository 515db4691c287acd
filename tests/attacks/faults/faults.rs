//! Letting the system fail: the n-th call on the file system of some work gets an error in place of its answer.
//!
//! The calls are stopped where they enter the kernel, by a filter on the one thread that does the work (`seccomp(2)`,
//! `SECCOMP_RET_USER_NOTIF`). So nothing of the library knows of it, and what the standard library does for it counts
//! as well.

use std::os::fd::{AsFd, AsRawFd, FromRawFd, OwnedFd};
use std::sync::mpsc;

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::io::Errno;

/// Work that makes no call and does not end for so long hangs.
const LONG: Timespec = Timespec { tv_sec: 60, tv_nsec: 0 };

/// What the kernel says of a call that waits for an answer (`struct seccomp_notif`).
#[repr(C)]
struct Notice {
    id: u64,
    pid: u32,
    flags: u32,
    data: libc::seccomp_data,
}

/// The answer (`struct seccomp_notif_resp`).
#[repr(C)]
struct Answer {
    id: u64,
    value: i64,
    error: i32,
    flags: u32,
}

/// `_IOWR('!', 0, struct seccomp_notif)` and `_IOWR('!', 1, struct seccomp_notif_resp)`.
const RECEIVE: libc::c_ulong = 0xc050_2100;
const SEND: libc::c_ulong = 0xc018_2101;

/// The calls on files that can fail, but for reading and writing standard streams.
const CALLS: [libc::c_long; 33] = [
    libc::SYS_openat,
    libc::SYS_openat2,
    libc::SYS_newfstatat,
    libc::SYS_fstat,
    libc::SYS_statx,
    libc::SYS_statfs,
    libc::SYS_fstatfs,
    libc::SYS_getdents64,
    libc::SYS_mkdirat,
    libc::SYS_unlinkat,
    libc::SYS_renameat,
    libc::SYS_renameat2,
    libc::SYS_linkat,
    libc::SYS_symlinkat,
    libc::SYS_readlinkat,
    libc::SYS_fchmod,
    libc::SYS_fchmodat,
    libc::SYS_utimensat,
    libc::SYS_ftruncate,
    libc::SYS_fsync,
    libc::SYS_fdatasync,
    libc::SYS_read,
    libc::SYS_write,
    libc::SYS_pread64,
    libc::SYS_pwrite64,
    libc::SYS_copy_file_range,
    libc::SYS_lseek,
    libc::SYS_flock,
    libc::SYS_fcntl,
    libc::SYS_ioctl,
    libc::SYS_faccessat,
    libc::SYS_faccessat2,
    libc::SYS_getcwd,
];

/// Which call of some work fails, and how.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Fault {
    pub(crate) number: u64,
    pub(crate) error: Errno,
}

/// Does the work on a thread of its own; gives what it gave, and the number of the call that failed, if there was one.
pub(crate) fn under<T: Send>(fault: Fault, work: impl FnOnce() -> T + Send) -> (T, Option<i32>) {
    let (give, take) = mpsc::channel();
    std::thread::scope(|scope| {
        let worker = scope.spawn(move || {
            give.send(install()).unwrap();
            work()
        });
        let failed = answer(&take.recv().unwrap(), fault);
        (worker.join().unwrap(), failed)
    })
}

/// Puts the filter on this thread; gives the end at which its calls arrive.
#[expect(unsafe_code, reason = "no safe interface has filters that ask another thread")]
fn install() -> OwnedFd {
    let statement = |code: u32, k: u32| libc::sock_filter { code: u16::try_from(code).unwrap(), jt: 0, jf: 0, k };
    let mut program = vec![statement(libc::BPF_LD | libc::BPF_W | libc::BPF_ABS, 0)];
    for (at, call) in CALLS.iter().enumerate() {
        let call = u32::try_from(*call).unwrap();
        let mut jump = statement(libc::BPF_JMP | libc::BPF_JEQ | libc::BPF_K, call);
        jump.jt = u8::try_from(CALLS.len() - at).unwrap();
        program.push(jump);
    }
    program.push(statement(libc::BPF_RET | libc::BPF_K, libc::SECCOMP_RET_ALLOW));
    program.push(statement(libc::BPF_RET | libc::BPF_K, libc::SECCOMP_RET_USER_NOTIF));
    rustix::thread::set_no_new_privs(true).unwrap();
    let length = u16::try_from(program.len()).unwrap();
    let filter = libc::sock_fprog { len: length, filter: program.as_mut_ptr() };
    // SAFETY: the program outlives the call, which copies it, and what the call gives is a new descriptor of ours.
    unsafe {
        let flags = libc::SECCOMP_FILTER_FLAG_NEW_LISTENER;
        let made = libc::syscall(libc::SYS_seccomp, libc::SECCOMP_SET_MODE_FILTER, flags, &raw const filter);
        assert!(made >= 0, "no filter that asks: {}", std::io::Error::last_os_error());
        OwnedFd::from_raw_fd(i32::try_from(made).unwrap())
    }
}

/// Lets all calls go on but one, until the thread has ended; gives the number of that call.
fn answer(calls: &OwnedFd, fault: Fault) -> Option<i32> {
    let (mut seen, mut failed) = (0, None);
    loop {
        let mut ready = [PollFd::from_borrowed_fd(calls.as_fd(), PollFlags::IN)];
        if poll(&mut ready, Some(&LONG)).unwrap() == 0 {
            // The worker cannot be ended, and a join would wait for it.
            let _ = rustix::io::write(rustix::stdio::stderr(), format!("{fault:?}: the work hangs\n").as_bytes());
            std::process::abort();
        }
        if !ready[0].revents().contains(PollFlags::IN) {
            return failed;
        }
        let Some(notice) = receive(calls) else { continue };
        let is_standard =
            matches!(i64::from(notice.data.nr), libc::SYS_read | libc::SYS_write) && notice.data.args[0] <= 2;
        seen += u64::from(!is_standard);
        let fails = !is_standard && seen == fault.number;
        failed = if fails { Some(notice.data.nr) } else { failed };
        let (error, flags) = if fails { (-fault.error.raw_os_error(), 0) } else { (0, 1) };
        send(calls, &Answer { id: notice.id, value: 0, error, flags });
    }
}

#[expect(unsafe_code, reason = "no safe interface has filters that ask another thread")]
fn receive(calls: &OwnedFd) -> Option<Notice> {
    // SAFETY: all of it is numbers, for which zeros are a value.
    let mut notice: Notice = unsafe { std::mem::zeroed() };
    // SAFETY: the structure is the kernel's own, is ours alone, and lives through the call.
    let received = unsafe { libc::ioctl(calls.as_raw_fd(), RECEIVE, &raw mut notice) };
    (received == 0).then_some(notice)
}

#[expect(unsafe_code, reason = "no safe interface has filters that ask another thread")]
fn send(calls: &OwnedFd, answer: &Answer) {
    // SAFETY: the structure is the kernel's own and lives through the call. A thread that is gone needs no answer.
    unsafe { libc::ioctl(calls.as_raw_fd(), SEND, &raw const *answer) };
}
