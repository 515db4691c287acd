//! The documents hang together: every link leads somewhere, and every page can be reached.

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
