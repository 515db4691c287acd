//! The documents hang together: every link leads somewhere, every page can be reached, and every test that is named is there.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// Lists the links of a page to files of this repository, as paths below its root.
fn links(page: &Path) -> Vec<PathBuf> {
    let text = std::fs::read_to_string(root().join(page)).unwrap();
    let targets = text.split("](").skip(1).filter_map(|rest| rest.split(')').next());
    let own = targets.filter(|target| !target.contains("://") && !target.starts_with('#'));
    own.map(|target| normal(&page.parent().unwrap().join(target.split('#').next().unwrap()))).collect()
}

fn normal(path: &Path) -> PathBuf {
    let mut parts = Vec::new();
    for part in path.components() {
        match part.as_os_str().to_str().unwrap() {
            ".." => drop(parts.pop().unwrap()),
            part => parts.push(part.to_owned()),
        }
    }
    parts.iter().collect()
}

fn pages(dir: &str) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(root().join(dir)).unwrap() {
        let name = format!("{dir}/{}", entry.unwrap().file_name().to_str().unwrap());
        if root().join(&name).is_dir() {
            found.extend(pages(&name));
        } else if name.ends_with(".md") {
            found.push(name.into());
        }
    }
    found
}

#[test]
fn every_page_is_reached_and_every_link_leads_somewhere() {
    let mut reached = BTreeSet::new();
    let mut next = vec![PathBuf::from("README.md")];
    while let Some(page) = next.pop() {
        if !reached.insert(page.clone()) || page.extension().is_none_or(|extension| extension != "md") {
            continue;
        }
        for link in links(&page) {
            assert!(root().join(&link).exists(), "{}: the link to {} leads nowhere", page.display(), link.display());
            next.push(link);
        }
    }
    let lost: Vec<PathBuf> = pages("docs").into_iter().filter(|page| !reached.contains(page)).collect();
    assert!(lost.is_empty(), "nothing links to {lost:?}");
}

/// Lists the test functions of the tree.
fn tests(dir: &str, found: &mut BTreeSet<String>) {
    for entry in std::fs::read_dir(root().join(dir)).unwrap() {
        let name = format!("{dir}/{}", entry.unwrap().file_name().to_str().unwrap());
        if root().join(&name).is_dir() {
            tests(&name, found);
        } else if name.ends_with(".rs") {
            found.extend(tests_of(&std::fs::read_to_string(root().join(&name)).unwrap()));
        }
    }
}

/// Lists the functions that stand behind `#[test]`, or an attribute that makes the same of them.
fn tests_of(source: &str) -> Vec<String> {
    let mut found = Vec::new();
    let mut is_test = false;
    for line in source.lines().map(str::trim) {
        is_test |= line.starts_with("#[test]") || line.starts_with("#[tokio::test");
        let function = line.trim_start_matches("pub ").trim_start_matches("pub(crate) ");
        let function = function.trim_start_matches("async ").strip_prefix("fn ");
        if let (true, Some(function)) = (is_test, function) {
            found.extend(function.split(['(', '<']).next().map(str::to_owned));
            is_test = false;
        }
    }
    found
}

/// Gives the first and the last cell of each row of the tables whose last column is headed so.
fn rows(page: &str, headed: &str) -> Vec<(String, String)> {
    let text = std::fs::read_to_string(root().join(page)).unwrap();
    let mut found = Vec::new();
    let mut is_inside = false;
    for line in text.lines() {
        let Some(row) = line.strip_prefix("| ").and_then(|row| row.strip_suffix(" |")) else {
            is_inside &= line.starts_with('|');
            continue;
        };
        let last = row.rsplit(" | ").next().unwrap();
        if is_inside && !row.starts_with("---") {
            found.push((row.split(" | ").next().unwrap().to_owned(), last.to_owned()));
        }
        is_inside |= last == headed;
    }
    found
}

/// Gives the tests that a cell names; what has a slash is a path.
fn named(cell: &str) -> Vec<&str> {
    cell.split('`').skip(1).step_by(2).filter(|name| !name.contains('/')).collect()
}

/// Asserts that a page has a row for each of these, and that each test that it names is there.
fn check_rows(page: &str, wanted: impl Iterator<Item = String>) {
    let mut there = BTreeSet::new();
    ["src", "tests"].iter().for_each(|dir| tests(dir, &mut there));
    let rows = rows(page, "shown by");
    let mut count = 0;
    for name in wanted {
        let found: Vec<_> = rows.iter().filter(|(first, _)| *first == name).collect();
        let [(_, cell)] = found.as_slice() else { panic!("{page}: {name} has {} rows", found.len()) };
        assert!(!named(cell).is_empty(), "{page}: {name} names no test");
        for test in named(cell) {
            assert!(there.contains(test), "{page}: {name}: there is no test `{test}`");
        }
        count += 1;
    }
    assert_eq!(rows.len(), count, "{page} has rows that nobody asked for");
}

#[test]
fn every_weakness_of_the_reference_names_tests_that_are_there() {
    let lists = [(1, 9), (2, 14), (3, 4), (4, 7), (5, 8), (6, 7), (7, 10), (8, 7), (9, 10), (10, 5)];
    let all = lists.into_iter().flat_map(|(list, count)| (1..=count).map(move |number| format!("{list}.{number}")));
    check_rows("docs/execution/reference.md", all);
}

#[test]
fn every_attack_names_tests_that_are_there() {
    let lists = [('H', 28), ('G', 32), ('D', 20), ('L', 22), ('X', 5), ('F', 5)];
    let all = lists.into_iter().flat_map(|(list, count)| (1..=count).map(move |number| format!("{list}{number}")));
    check_rows("docs/threat-model.md", all);
}

#[test]
fn the_reader_of_tests_is_right() {
    let source =
        "#[test]\nfn one() {}\nfn none() {}\n#[tokio::test(a = true)]\n#[cfg(x)]\npub(crate) async fn two() {}\n";
    assert_eq!(tests_of(source), ["one", "two"]);
    assert_eq!(named("`a`, `b` of `tests/c` and d"), ["a", "b"]);
}
