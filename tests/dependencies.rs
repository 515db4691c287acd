//! What bailiwick stands on: every crate has its line in the documents, and its version is one without known holes.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

/// What may not be older: below these versions there are known holes.
const AT_LEAST: [(&str, &str); 5] = [
    ("cap-std", "4.0.3"),
    ("tar", "0.4.46"),
    ("wasmtime", "48.0.8"),
    ("wasmtime-wasi", "48.0.8"),
    ("wiggle", "48.0.8"),
];

fn read(path: &str) -> String {
    std::fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join(path)).unwrap()
}

/// Lists the crates of the sections of `Cargo.toml` that end with `dependencies]`.
fn direct() -> BTreeSet<String> {
    let text = read("Cargo.toml");
    let mut within = false;
    let mut names = BTreeSet::new();
    for line in text.lines() {
        if line.starts_with('[') {
            within = line.ends_with("dependencies]");
        } else if let Some((name, _)) = line.split_once('=')
            && within
        {
            names.insert(name.trim().to_owned());
        }
    }
    names
}

/// Lists every crate of `Cargo.lock` with its versions.
fn locked() -> BTreeMap<String, Vec<String>> {
    let text = read("Cargo.lock");
    let value = |line: &str, key: &str| {
        let rest = line.strip_prefix(key)?.strip_prefix(" = \"")?;
        rest.strip_suffix('"').map(str::to_owned)
    };
    let mut crates = BTreeMap::<String, Vec<String>>::new();
    let mut name = None;
    for line in text.lines() {
        name = value(line, "name").or(name);
        if let (Some(version), Some(name)) = (value(line, "version"), &name) {
            crates.entry(name.clone()).or_default().push(version);
        }
    }
    crates
}

fn numbers(version: &str) -> Vec<u64> {
    let core = version.split(['-', '+']).next().unwrap();
    core.split('.').map(|number| number.parse().unwrap()).collect()
}

#[test]
fn every_direct_dependency_has_its_line() {
    let page = read("docs/dependencies.md");
    let rows: BTreeSet<&str> = page.lines().filter_map(|line| line.strip_prefix("| `")?.split('`').next()).collect();
    let missing: Vec<String> = direct().into_iter().filter(|name| !rows.contains(name.as_str())).collect();
    assert!(missing.is_empty(), "docs/dependencies.md says nothing of {missing:?}");
}

#[test]
fn no_version_has_known_holes() {
    let locked = locked();
    for (name, least) in AT_LEAST {
        for version in locked.get(name).into_iter().flatten() {
            assert!(numbers(version) >= numbers(least), "{name} {version} is older than {least}");
        }
    }
}

#[test]
fn the_engine_is_one_release_and_results_name_it() {
    let locked = locked();
    let engine = &locked["wasmtime"];
    assert_eq!((engine, &locked["wasmtime-wasi"], &locked["wiggle"]), (engine, engine, engine));
    let kind = read("src/runtime/wasi/kind.rs");
    assert!(kind.contains(&format!("\"wasmtime {}\"", engine[0])), "`ENGINE` is not {engine:?}");
}

#[test]
fn the_reader_of_versions_is_right() {
    assert!(numbers("48.0.10") > numbers("48.0.8"));
    assert_eq!(numbers("1.2.3-rc.1+x"), [1, 2, 3]);
    assert!(direct().contains("tokio") && direct().contains("tempfile") && !direct().contains("default"));
    assert!(locked().contains_key("serde"));
}
