//! File systems that serve one workspace after the other.

use std::sync::Arc;

use crate::host::Host;
use crate::workspace::open::WORK;
use crate::workspace::{Base, BaseNeed, Owner, Quota, Reaper, Workspace};

/// Gives a base of memory file systems; none where this user may not make one.
fn memory() -> Option<(Base, Arc<Owner>, Arc<Reaper>)> {
    let host = Host::default();
    let base = Base::choose(&host, BaseNeed::Detached).unwrap();
    if !base.holds_quota() {
        assert!(std::env::var_os("CI").is_none(), "{}", base.describe());
        eprintln!("skipped: {}", base.describe());
        return None;
    }
    Some((base, Owner::open(&host).unwrap(), Reaper::new()))
}

fn device(workspace: &Workspace) -> u64 {
    rustix::fs::fstat(workspace.dir()).unwrap().st_dev
}

#[test]
fn an_empty_file_system_serves_the_next_workspace_while_another_one_lives() {
    let Some((base, owner, reaper)) = memory() else { return };
    let open = |bytes| {
        let quota = Quota { bytes: Some(bytes), entries: Some(100) };
        Workspace::open(&base, &owner, quota, &reaper).unwrap()
    };
    let (first, second) = (open(1 << 20), open(1 << 20));
    second.dir().create_dir_all("a/b").unwrap();
    second.dir().write("a/b/secret", vec![1; 100_000]).unwrap();
    second.make_temp().unwrap().dir().write("more", "secret").unwrap();
    let used = device(&second);
    drop(second);
    let third = open(2 << 20);
    assert_eq!(device(&third), used);
    assert_eq!(third.dir().entries().unwrap().count(), 0);
    let names: Vec<_> = third.parent_dir().entries().unwrap().map(|entry| entry.unwrap().file_name()).collect();
    assert_eq!(names, [WORK]);
    let left = third.quota_left().unwrap();
    assert!(left.bytes >= 2 << 20 && left.bytes < 3 << 20, "the quota is its own: {left:?}");
    third.dir().write("fits", vec![1; 3 << 19]).unwrap();
    third.dir().write("does not", vec![1; 1 << 20]).unwrap_err();
    drop((first, third));
    let fourth = open(1 << 20);
    assert!(base.memory().unwrap().spares().is_empty(), "the last one keeps nothing");
    drop(fourth);
    assert!(reaper.flush(std::time::Duration::from_secs(60)).failures.is_empty());
}

#[test]
fn what_somebody_still_holds_serves_nobody_else() {
    let Some((base, owner, reaper)) = memory() else { return };
    let open = || {
        let quota = Quota { bytes: Some(1 << 20), entries: Some(100) };
        Workspace::open(&base, &owner, quota, &reaper).unwrap()
    };
    let first = open();
    for held in ["directory", "file", "temp"] {
        let second = open();
        second.dir().write("file", "secret").unwrap();
        let temp = second.make_temp().unwrap();
        let directory = (held == "directory").then(|| second.dir().try_clone().unwrap());
        let file = (held == "file").then(|| second.dir().open("file").unwrap());
        let inner = (held == "temp").then(|| temp.dir().try_clone().unwrap());
        drop(temp);
        let used = device(&second);
        drop(second);
        let third = open();
        assert_ne!(device(&third), used, "{held}");
        drop((directory, file, inner));
    }
    drop(first);
    assert!(reaper.flush(std::time::Duration::from_secs(60)).failures.is_empty());
}
