//! Running the tests of this program again where the kernel, or a filter, has no `openat2`.

use std::process::Command;

use rustix::fs::{CWD, Mode, OFlags, ResolveFlags};
use rustix::io::Errno;
use seccompiler::{BpfProgram, SeccompAction, SeccompFilter};

/// Set in the process that runs without `openat2`, to the error that it gets.
const DENIED: &str = "BAILIWICK_TEST_OPENAT2_DENIED";

/// `openat2` on `x86_64` and `aarch64` alike.
const OPENAT2: i64 = 437;

/// Runs every test of this program once for each error that a kernel or a filter answers `openat2` with.
pub(crate) fn run_all_again() {
    if let Ok(errno) = std::env::var(DENIED) {
        let denied = rustix::fs::openat2(CWD, "/", OFlags::PATH, Mode::empty(), ResolveFlags::empty()).unwrap_err();
        assert_eq!(denied.raw_os_error().to_string(), errno, "the filter holds in here");
        return;
    }
    for errno in [Errno::NOSYS, Errno::PERM] {
        // A filter is a thread's own, and what the thread starts inherits it.
        let run = std::thread::spawn(move || {
            deny(errno);
            let this = std::env::current_exe().unwrap();
            Command::new(this).env(DENIED, errno.raw_os_error().to_string()).output().unwrap()
        });
        let output = run.join().unwrap();
        let (out, err) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
        assert!(output.status.success(), "without openat2 ({errno}):\n{out}\n{err}");
        assert!(out.contains("run_again_without_openat2 ... ok"), "the program ran itself:\n{out}");
    }
}

fn deny(errno: Errno) {
    let number = u32::try_from(errno.raw_os_error()).unwrap();
    let arch = std::env::consts::ARCH.try_into().unwrap();
    let rules = [(OPENAT2, Vec::new())].into_iter().collect();
    let filter = SeccompFilter::new(rules, SeccompAction::Allow, SeccompAction::Errno(number), arch).unwrap();
    let program: BpfProgram = filter.try_into().unwrap();
    seccompiler::apply_filter(&program).unwrap();
}
