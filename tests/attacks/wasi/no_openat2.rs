//! The attacks of G1 again, on a kernel that has no `openat2`, and on one that refuses it.
//!
//! Containers of some hosts do either. The walls then stand on a walk by descriptors.

use std::collections::BTreeMap;

use rustix::fs::{CWD, Mode, OFlags, ResolveFlags, openat2};
use rustix::io::Errno;
use seccompiler::{BpfProgram, SeccompAction, SeccompFilter, apply_filter};

use crate::files;

const OPENAT2: i64 = 437;

/// Takes `openat2` from this thread and from those that it starts: the process of one test.
fn deny(errno: Errno) {
    let refuse = SeccompAction::Errno(errno.raw_os_error().unsigned_abs());
    let rules = BTreeMap::from([(OPENAT2, Vec::new())]);
    let arch = std::env::consts::ARCH.try_into().unwrap();
    let filter: BpfProgram = SeccompFilter::new(rules, SeccompAction::Allow, refuse, arch).unwrap().try_into().unwrap();
    apply_filter(&filter).unwrap();
    let refused = openat2(CWD, c".", OFlags::PATH, Mode::empty(), ResolveFlags::empty()).unwrap_err();
    assert_eq!(refused, errno);
}

/// Every attack that needs a name to be resolved. Each builds its own executor.
fn attack() {
    files::g2_no_name_leads_out();
    files::g3_a_read_only_directory_stays_as_it_is();
    files::g4_nothing_moves_between_what_may_be_read_and_what_may_be_written();
    files::g6_a_symlink_that_moved_leads_nowhere();
    files::g29_slashes_and_dots_at_the_end_change_nothing_outside();
    files::g1_a_storm_of_renames_opens_no_way_out();
}

#[test]
fn g1_no_name_leads_out_where_there_is_no_openat2() {
    deny(Errno::NOSYS);
    attack();
}

#[test]
fn g1_no_name_leads_out_where_openat2_is_refused() {
    deny(Errno::PERM);
    attack();
}
