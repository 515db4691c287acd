//! What a worker gives up for ever before it meets a guest: new privileges, other programs, the network, the rest.

use std::collections::BTreeMap;

use rustix::process::{Resource, Rlimit, setrlimit};
use seccompiler::{
    BpfProgram, SeccompAction, SeccompCmpArgLen, SeccompCmpOp, SeccompCondition, SeccompFilter, SeccompRule,
    TargetArch, apply_filter,
};

use super::process::memory_of;

/// What could not be given up on this host, in words.
pub(super) type Lacks = Vec<String>;

/// The request of `ioctl` that scans a page map, `PAGEMAP_SCAN`.
const PAGEMAP_SCAN: u64 = 0xc060_6610;
/// The bits of memory protection that may not stand together.
const WRITE_OR_EXEC: u64 = (libc::PROT_WRITE | libc::PROT_EXEC) as u64;
/// What one process may have open beside what its guest may.
const OWN_FILES: u64 = 128;

/// Gives it all up. What is refused is named, and the rest holds.
pub(super) fn seal() -> Lacks {
    let mut lacks = Lacks::new();
    let mut note = |what: &str, error: Option<String>| {
        lacks.extend(error.map(|error| format!("{what}: {error}")));
    };
    let none = Rlimit { current: Some(0), maximum: Some(0) };
    note("no core files", setrlimit(Resource::Core, none).err().map(|error| error.to_string()));
    note("no new privileges", rustix::thread::set_no_new_privs(true).err().map(|error| error.to_string()));
    let no_capabilities = rustix::thread::CapabilitySets {
        effective: rustix::thread::CapabilitySet::empty(),
        permitted: rustix::thread::CapabilitySet::empty(),
        inheritable: rustix::thread::CapabilitySet::empty(),
    };
    let dropped = rustix::thread::set_capabilities(None, no_capabilities);
    note("no capabilities", dropped.err().map(|error| error.to_string()));
    // Last: what comes before needs calls that the filter refuses.
    note("system call filter", filter().and_then(|program| apply_filter(&program).map_err(|e| e.to_string())).err());
    lacks
}

/// Bounds what this process may have: the memory of its own engine and its guest's, and open files.
pub(super) fn bound(memory: Option<u64>, open_files: Option<u64>) {
    let at_most = |most: u64| Rlimit { current: Some(most), maximum: Some(most) };
    // A second wall behind the engine's own; where it cannot be had the first one stands.
    if let Some(memory) = memory {
        // Most of it are addresses that the engine's pool reserves.
        let reserved = memory_of("self", "VmData:").unwrap_or(0);
        let most = reserved.saturating_add(OWN_DATA).saturating_add(memory);
        let _ = setrlimit(Resource::Data, at_most(most));
    }
    if let Some(files) = open_files {
        let _ = setrlimit(Resource::Nofile, at_most(files.saturating_add(OWN_FILES)));
    }
}

/// Bounds a process that only compiles: its memory, and the file that it writes.
pub(super) fn bound_compiler(memory: Option<u64>, artifact: u64) {
    bound(memory, None);
    let _ = setrlimit(Resource::Fsize, Rlimit { current: Some(artifact), maximum: Some(artifact) });
}

/// What the engine of a worker takes of writable memory while it works.
const OWN_DATA: u64 = 64 << 20;

fn filter() -> Result<BpfProgram, String> {
    let target: TargetArch = std::env::consts::ARCH.try_into().map_err(|_| "not for this processor".to_owned())?;
    let mut rules: BTreeMap<i64, Vec<SeccompRule>> = CALLS.iter().map(|call| (*call, Vec::new())).collect();
    let text = |error: seccompiler::BackendError| error.to_string();
    for protects in [libc::SYS_mmap, libc::SYS_mprotect] {
        let allowed = [0, libc::PROT_WRITE, libc::PROT_EXEC].map(|bits| {
            let together = SeccompCmpOp::MaskedEq(WRITE_OR_EXEC);
            rule(2, SeccompCmpArgLen::Dword, together, u64::from(bits.cast_unsigned()))
        });
        rules.insert(protects, allowed.into_iter().collect::<Result<_, _>>().map_err(text)?);
    }
    let only = |at, value| rule(at, SeccompCmpArgLen::Dword, SeccompCmpOp::Eq, value);
    let of = |option: i32| u64::from(option.cast_unsigned());
    let some = [
        (libc::SYS_ioctl, 1, PAGEMAP_SCAN),
        (libc::SYS_ioctl, 1, libc::TIOCOUTQ),
        (libc::SYS_prctl, 0, of(libc::PR_SET_VMA)),
        (libc::SYS_prctl, 0, of(libc::PR_SET_NO_NEW_PRIVS)),
        (libc::SYS_tgkill, 2, of(libc::SIGABRT)),
    ];
    for (call, at, value) in some {
        rules.entry(call).or_default().push(only(at, value).map_err(text)?);
    }
    let filter = SeccompFilter::new(rules, SeccompAction::KillProcess, SeccompAction::Allow, target);
    filter.and_then(BpfProgram::try_from).map_err(text)
}

fn rule(
    at: u8,
    length: SeccompCmpArgLen,
    operator: SeccompCmpOp,
    value: u64,
) -> Result<SeccompRule, seccompiler::BackendError> {
    SeccompRule::new(vec![SeccompCondition::new(at, length, operator, value)?])
}

/// What the engine and the granted descriptors need: files by directories that are open, memory, clocks, the socket.
/// No new process or thread, no other program, no socket, no path that begins at the root but through what is open.
const CALLS: &[i64] = &[
    libc::SYS_brk,
    libc::SYS_clock_getres,
    libc::SYS_clock_gettime,
    libc::SYS_clock_nanosleep,
    libc::SYS_close,
    libc::SYS_dup,
    libc::SYS_epoll_ctl,
    libc::SYS_epoll_pwait,
    #[cfg(target_arch = "x86_64")]
    libc::SYS_epoll_wait,
    libc::SYS_exit,
    libc::SYS_exit_group,
    libc::SYS_fadvise64,
    libc::SYS_fallocate,
    libc::SYS_fcntl,
    libc::SYS_fdatasync,
    libc::SYS_fstat,
    libc::SYS_fsync,
    libc::SYS_ftruncate,
    libc::SYS_futex,
    libc::SYS_getdents64,
    libc::SYS_getpid,
    libc::SYS_getrandom,
    libc::SYS_gettid,
    libc::SYS_landlock_add_rule,
    libc::SYS_landlock_create_ruleset,
    libc::SYS_landlock_restrict_self,
    libc::SYS_linkat,
    libc::SYS_lseek,
    libc::SYS_madvise,
    libc::SYS_membarrier,
    libc::SYS_mkdirat,
    libc::SYS_mremap,
    libc::SYS_munmap,
    libc::SYS_nanosleep,
    libc::SYS_newfstatat,
    libc::SYS_openat,
    libc::SYS_openat2,
    #[cfg(target_arch = "x86_64")]
    libc::SYS_poll,
    libc::SYS_ppoll,
    libc::SYS_pread64,
    libc::SYS_preadv,
    libc::SYS_preadv2,
    libc::SYS_prlimit64,
    libc::SYS_pwrite64,
    libc::SYS_pwritev,
    libc::SYS_pwritev2,
    libc::SYS_read,
    libc::SYS_readlinkat,
    libc::SYS_readv,
    libc::SYS_recvmsg,
    #[cfg(target_arch = "x86_64")]
    libc::SYS_rename,
    libc::SYS_renameat,
    libc::SYS_renameat2,
    libc::SYS_restart_syscall,
    libc::SYS_rt_sigaction,
    libc::SYS_rt_sigprocmask,
    libc::SYS_rt_sigreturn,
    libc::SYS_sched_getaffinity,
    libc::SYS_sched_yield,
    libc::SYS_sendmsg,
    libc::SYS_sigaltstack,
    libc::SYS_statx,
    libc::SYS_symlinkat,
    libc::SYS_unlinkat,
    libc::SYS_utimensat,
    libc::SYS_write,
    libc::SYS_writev,
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_filter_of_this_processor_can_be_built() {
        assert!(!filter().unwrap().is_empty());
    }
}
