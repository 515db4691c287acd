//! The guests that come along do reach what is open to them: that they are refused elsewhere shows a wall.

use bailiwick::selftest::{Check, Outcome, Report};
use bailiwick::spec;
use bailiwick::{NoProgress, RuntimeRegistry};

use crate::alone;

#[cfg(feature = "local")]
mod boaster;
#[cfg(all(feature = "wasi", feature = "wat"))]
mod holed;

/// Tries a spec on a registry.
fn report(registry: impl Fn(bailiwick::Host) -> RuntimeRegistry, spec: &str) -> Report {
    let _alone = alone();
    let home = tempfile::tempdir().unwrap();
    let base = home.path().to_str().unwrap();
    let env = [("BAILIWICK_BASE_DIR", base), ("CANARY", "of the host")];
    let host = bailiwick::Host::from_env(env.map(|(name, value)| (name.to_owned(), value.to_owned())).into());
    let registry = registry(host);
    let spec = spec::load(spec, "test", &registry).unwrap().spec;
    let mut builder = tokio::runtime::Builder::new_multi_thread();
    let runtime = builder.worker_threads(3).enable_all().build().unwrap();
    runtime.block_on(bailiwick::selftest::run(&registry, spec, &NoProgress)).unwrap()
}

#[track_caller]
fn fallen(report: &Report) -> Vec<Check> {
    assert!(report.failures().all(|row| row.outcome == Outcome::Broken), "{report:#?}");
    report.failures().map(|row| row.check).collect()
}

#[cfg(feature = "local")]
#[test]
fn guests_of_a_shell_reach_the_host_where_nothing_isolates_them() {
    use boaster::Boaster;
    let report =
        report(|host| RuntimeRegistry::builder(host).with(Boaster::new()).build().unwrap(), "{type: boaster, name: x}");
    let walls = [Check::HostFilesUnread, Check::HostFilesUnwritten, Check::LinksLeadNowhere, Check::Network];
    assert_eq!(fallen(&report), walls, "{report:#?}");
}

#[cfg(all(feature = "wasi", feature = "wat"))]
#[test]
fn a_module_reaches_what_is_mounted() {
    let with = |host: bailiwick::Host| {
        let holed = holed::Holed::new(&host);
        RuntimeRegistry::builder(host).with(holed).build().unwrap()
    };
    let report = report(with, "{type: holed, name: x}");
    let fallen = fallen(&report);
    assert_eq!(fallen, [Check::HostFilesUnread, Check::HostFilesUnwritten], "{report:#?}");
}
