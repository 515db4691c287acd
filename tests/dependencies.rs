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

/// Lists what `.deny.toml` denies: a crate, and the version below which it is; none where it is at any.
fn denied() -> Vec<(String, Option<String>)> {
    let text = read(".deny.toml");
    let rows = text.lines().filter_map(|line| {
        let line = line.trim();
        // A version behind `crate` is not read as a range: it would deny every one.
        let name = line.strip_prefix("{ crate = \"").or_else(|| line.strip_prefix("{ name = \""))?;
        let (name, rest) = name.split_once('"')?;
        let version = rest.strip_prefix(", version = \"<").and_then(|rest| rest.split('"').next());
        Some((name.to_owned(), version.map(str::to_owned)))
    });
    rows.collect()
}

/// Counts the unsafe blocks, functions and implementations of a file.
fn unsafe_in(path: &Path) -> usize {
    let text = std::fs::read_to_string(path).unwrap();
    let code = text.lines().filter_map(|line| line.split("//").next());
    let word = ["un", "safe "].concat();
    let count = |line: &str| {
        line.match_indices(&word)
            .filter(|(at, _)| {
                let begins = !line[..*at].ends_with(|sign: char| sign.is_alphanumeric() || sign == '_');
                let rest = &line[at + word.len()..];
                begins && ["{", "fn", "impl", "extern"].iter().any(|sort| rest.starts_with(sort))
            })
            .count()
    };
    code.map(count).sum()
}

/// Lists the files of a folder with unsafe code, and how much.
fn unsafe_below(folder: &str, found: &mut BTreeMap<String, usize>) {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    for entry in std::fs::read_dir(root.join(folder)).unwrap() {
        let entry = entry.unwrap();
        let path = format!("{folder}/{}", entry.file_name().to_str().unwrap());
        if entry.file_type().unwrap().is_dir() {
            unsafe_below(&path, found);
        } else if path.ends_with(".rs") {
            let count = unsafe_in(&entry.path());
            if count > 0 {
                found.insert(path, count);
            }
        }
    }
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
fn x1_what_is_denied_is_not_there() {
    let (locked, denied) = (locked(), denied());
    let least: BTreeSet<(String, String)> =
        denied.iter().filter_map(|(name, version)| Some((name.clone(), version.clone()?))).collect();
    let asserted = AT_LEAST.into_iter().map(|(name, version)| (name.to_owned(), version.to_owned()));
    assert_eq!(least, asserted.collect(), ".deny.toml and this test say the same");
    for (name, _) in denied.iter().filter(|(_, version)| version.is_none()) {
        assert!(!locked.contains_key(name), "{name} is denied");
    }
}

#[test]
fn x1_everything_comes_from_one_registry_with_its_checksum() {
    let text = read("Cargo.lock");
    let packages: Vec<&str> = text.split("[[package]]").skip(1).collect();
    let value = |package: &str, key: &str| {
        package.lines().find_map(|line| line.strip_prefix(key)?.strip_prefix(" = ").map(str::to_owned))
    };
    let foreign: Vec<_> =
        packages.iter().filter(|one| value(one, "name").as_deref() != Some("\"bailiwick\"")).collect();
    assert!(foreign.len() > 100 && foreign.len() + 1 == packages.len());
    let sources: BTreeSet<_> = foreign.iter().map(|one| value(one, "source")).collect();
    assert_eq!(sources.len(), 1, "{sources:?}");
    assert!(sources.iter().flatten().all(|source| source.starts_with("\"registry+")), "{sources:?}");
    assert!(foreign.iter().all(|one| value(one, "checksum").is_some()));
}

#[test]
fn every_unsafe_block_is_counted() {
    let mut found = BTreeMap::new();
    unsafe_below("src", &mut found);
    unsafe_below("tests", &mut found);
    let page = read("docs/dependencies.md");
    let rows = page.split_once("## Unsafe code").unwrap().1;
    let rows = rows.lines().filter_map(|line| {
        let (path, rest) = line.strip_prefix("| `")?.split_once("` | ")?;
        let (count, why) = rest.split_once(" | ")?;
        assert!(why.len() > 10, "{line}");
        Some((path.to_owned(), count.parse().unwrap()))
    });
    let listed: BTreeMap<String, usize> = rows.collect();
    assert_eq!(listed, found, "the table of docs/dependencies.md is not what the files have");
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
