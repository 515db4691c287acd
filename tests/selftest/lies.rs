//! One lie at a time: the self-test names the row, and no other.

use bailiwick::selftest::{Check, Outcome, Report};
use bailiwick::spec::{self, LimitName};
use bailiwick::{Host, NoProgress, RuntimeRegistry};

use crate::alone;
use crate::liar::{Liar, Lie};

fn host(home: &std::path::Path) -> Host {
    let dir = |name: &str| home.join(name).into_os_string().into_string().unwrap();
    let env = [("BAILIWICK_STATE_DIR", dir("state")), ("TMPDIR", dir("temp")), ("CANARY", "of the host".to_owned())];
    std::fs::create_dir(home.join("temp")).unwrap();
    Host::from_env(env.into_iter().map(|(name, value)| (name.to_owned(), value)).collect())
}

fn report(lie: Lie) -> Report {
    let _alone = alone();
    let home = tempfile::tempdir().unwrap();
    let registry = RuntimeRegistry::builder(host(home.path())).with(Liar::new(lie)).build().unwrap();
    let spec = spec::load("type: liar\nname: test\n", "test", &registry).unwrap().spec;
    let mut builder = tokio::runtime::Builder::new_multi_thread();
    let runtime = builder.worker_threads(2).enable_all().build().unwrap();
    let report = runtime.block_on(bailiwick::selftest::run(&registry, spec, &NoProgress)).unwrap();
    runtime.block_on(registry.shutdown(std::time::Duration::from_secs(60))).unwrap();
    assert_eq!(std::fs::read_dir(home.path().join("temp")).unwrap().count(), 0, "something was left behind");
    report
}

#[track_caller]
fn falls(lie: Lie, check: Check, outcome: Outcome) {
    let report = report(lie);
    let fallen: Vec<_> = report.failures().map(|row| (row.check, row.outcome)).collect();
    assert_eq!(fallen, [(check, outcome)], "{lie:?}: {report:#?}");
    assert!(!report.stands());
}

#[test]
fn an_honest_runtime_stands_and_nothing_is_held_that_is_not_claimed() {
    let report = report(Lie::None);
    assert!(report.stands(), "{report:#?}");
    assert_eq!(report.rows.len(), Check::all().len());
    let outcome = |check| report.row(check).unwrap().outcome;
    assert_eq!(outcome(Check::Limit(LimitName::WallTime)), Outcome::Held);
    assert_eq!(outcome(Check::Limit(LimitName::Processes)), Outcome::ByConstruction);
    assert_eq!(outcome(Check::Limit(LimitName::Disk)), Outcome::BestEffort);
    assert_eq!(outcome(Check::Limit(LimitName::Fuel)), Outcome::NotClaimed);
    assert_eq!(outcome(Check::NothingRuns), Outcome::ByConstruction);
    assert!(report.row(Check::Limit(LimitName::WallTime)).unwrap().overshoot.is_some());
}

#[test]
fn a_wall_limit_that_ends_nobody_falls() {
    // The same guest ignores both: it is asleep when it should be idle.
    let report = report(Lie::WallTime);
    let fallen: Vec<_> = report.failures().map(|row| row.check).collect();
    assert_eq!(fallen, [LimitName::WallTime, LimitName::IdleTime].map(Check::Limit), "{report:#?}");
}

#[test]
fn a_memory_limit_that_refuses_nobody_falls() {
    falls(Lie::Memory, Check::Limit(LimitName::Memory), Outcome::Broken);
}

#[test]
fn a_memory_limit_that_refuses_what_it_allows_falls() {
    falls(Lie::LessMemory, Check::Limit(LimitName::Memory), Outcome::Broken);
}

#[test]
fn files_of_the_host_that_are_read_fall_whatever_the_guest_says() {
    falls(Lie::Reads, Check::HostFilesUnread, Outcome::Broken);
}

#[test]
fn files_of_the_host_that_are_written_fall_whatever_the_guest_says() {
    falls(Lie::Writes, Check::HostFilesUnwritten, Outcome::Broken);
}

#[test]
fn a_connection_falls_whatever_the_guest_says() {
    falls(Lie::Connects, Check::Network, Outcome::Broken);
}

#[test]
fn variables_of_the_host_that_are_seen_fall() {
    falls(Lie::Environment, Check::Environment, Outcome::Broken);
}

#[test]
fn streams_that_are_mixed_up_fall() {
    falls(Lie::Streams, Check::OutputIntact, Outcome::Broken);
}

#[test]
fn endings_that_are_not_true_fall() {
    let report = report(Lie::Endings);
    let fallen: Vec<_> = report.failures().map(|row| row.check).collect();
    assert_eq!(fallen, [Check::TrueEndings, Check::NoForgery], "{report:#?}");
}

#[test]
fn a_descriptor_that_stays_open_falls() {
    falls(Lie::Descriptors, Check::NothingLeft, Outcome::Broken);
}

#[test]
fn what_is_claimed_and_nobody_can_try_falls() {
    falls(Lie::NoGuest, Check::Network, Outcome::NotTried);
}
