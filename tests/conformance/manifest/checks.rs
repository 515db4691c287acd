//! The rules that the manifest itself must keep.

use std::collections::BTreeSet;

use super::{Ends, Guest, Manifest, Runtime};

#[test]
fn names_are_unique_and_every_entry_is_whole() {
    let manifest = Manifest::load();
    assert_eq!(manifest.version, 1);
    let mut names = BTreeSet::new();
    for fixture in &manifest.fixtures {
        let name = &fixture.name;
        assert!(names.insert(name), "{name} stands twice");
        assert!(!fixture.what.is_empty(), "{name} does not say what it does");
        assert!(fixture.wasi.is_some() || fixture.local.is_some(), "{name} has no guest");
        for runtime in Runtime::ALL {
            // Docker runs the local guest, so what is said of that one's absence is said for both.
            let said = fixture.absent.contains_key(&runtime)
                || runtime == Runtime::Docker && fixture.absent.contains_key(&Runtime::Local);
            assert_ne!(fixture.guest(runtime).is_some(), said, "{name} on {runtime:?}: either a guest or why not");
        }
        for (runtime, differs) in &fixture.differs {
            assert!(!differs.because.is_empty(), "{name} does not say why {runtime:?} differs");
            assert!(fixture.guest(*runtime).is_some(), "{name} differs on {runtime:?}, which does not run it");
        }
    }
}

/// The table of exit codes in `docs/execution/results.md`, written down a second time.
#[test]
fn exit_codes_follow_from_terminations() {
    for fixture in Manifest::load().fixtures {
        for runtime in Runtime::ALL {
            let expected = fixture.expected(runtime);
            let code = match &expected.termination {
                Ends::Exited(code) => *code,
                Ends::Signaled(signal) => 128 + signal,
                Ends::Trapped(_) => 134,
                Ends::LimitExceeded(limit) => match limit.as_str() {
                    "wall_time" | "cpu_time" | "idle_time" | "fuel" => 124,
                    "memory" => 137,
                    "output" | "disk" | "entries" | "file_size" => 153,
                    other => panic!("{}: {other} ends no command", fixture.name),
                },
                Ends::NotStarted(reason) if reason == "missing" => 127,
                Ends::NotStarted(_) => 126,
            };
            assert_eq!(expected.exit_code, code, "{} on {runtime:?}", fixture.name);
        }
    }
}

/// A guest that no entry names is never run.
#[test]
fn every_guest_has_an_entry_and_every_entry_its_guest() {
    let manifest = Manifest::load();
    for runtime in [Runtime::Wasi, Runtime::Local] {
        let named: BTreeSet<_> = manifest
            .fixtures
            .iter()
            .filter_map(|fixture| match fixture.guest(runtime)? {
                Guest::File(name) => Some(name.clone()),
                Guest::Text { .. } | Guest::Cut { .. } | Guest::Missing(_) => None,
            })
            .collect();
        let files = std::fs::read_dir(runtime.folder()).expect("the folder is in the repository");
        let there: BTreeSet<_> =
            files.map(|entry| entry.unwrap().file_name().into_string().expect("names are ASCII")).collect();
        assert_eq!(named, there, "{runtime:?}");
    }
}
