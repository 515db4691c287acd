//! `docs/enforcement.md` is what the runtimes say of themselves, and what the guests show.
//!
//! `BLESS=1 cargo test --test enforcement_doc` writes it anew.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

#[expect(dead_code, reason = "the drivers of the table use the rest")]
#[path = "conformance/manifest/mod.rs"]
mod manifest;

use std::fmt::Write as _;
use std::path::{Path, PathBuf};

use bailiwick::spec::LimitName;
use bailiwick::{EnforcementRow, EnforcementTable, Host, Level, RuntimeRegistry, Subject};
use manifest::{Ends, Expect, Fixture, Manifest, Runtime};

const HEAD: &str = "\
# What is enforced

Generated from the enforcement tables of the runtimes and from the manifest of the guests; \
`BLESS=1 cargo test --test enforcement_doc` writes it anew.
`bailiwick doctor` says the same of the host that it runs on.

| word | means |
| --- | --- |
| enforced | it holds |
| by construction | it cannot be exceeded, because the guest has no such thing |
| best effort | it is sampled, or held in part; results list it under `best_effort` |
| unsupported | nothing holds it: a limit that was written is refused, a default is dropped and listed under `unenforced` |
";

const DIFFERENCES: &str = "
## Where the runtimes differ

The same submission gives the same termination, output and files on every runtime, but for these rows.
Each has a guest in `guest-fixtures/` that shows it.

| the guest | on | ends, or gives, instead | because |
| --- | --- | --- | --- |
";

const ABSENCES: &str = "
## What a runtime has no guest for

| the guest | on | because |
| --- | --- | --- |
";

/// Rows that depend on the host: the page says on what, and the test that what this host says is possible.
const BY_HOST: [(&str, &str, &[Level], &str); 9] = [
    (
        "docker",
        "memory",
        &[Level::Enforced, Level::BestEffort, Level::Unsupported],
        "memory cgroup of the container, without swap where the engine counts it; nothing where it has no such cgroup",
    ),
    (
        "docker",
        "processes",
        &[Level::Enforced, Level::Unsupported],
        "pids cgroup of the container, fewer than 14 not exactly; nothing where the engine has no such cgroup",
    ),
    (
        "docker",
        "cpus",
        &[Level::Enforced, Level::Unsupported],
        "cpu cgroup of the container where the engine has it, else nothing",
    ),
    (
        "local",
        "cpu_time",
        &[Level::Enforced],
        "a cpuacct cgroup where one can be made, else the process tree, looked at every 10 ms; RLIMIT_CPU behind it",
    ),
    (
        "local",
        "memory",
        &[Level::Enforced, Level::BestEffort],
        "a memory cgroup where one can be made, else resident memory of the process tree, looked at every 10 ms",
    ),
    ("local", "processes", &[Level::Enforced, Level::Unsupported], "a pids cgroup where one can be made, else nothing"),
    ("local", "cpus", &[Level::Enforced, Level::Unsupported], "a cpu cgroup where one can be made, else nothing"),
    (
        "wasi",
        "disk",
        &[Level::Enforced],
        "a size-limited memory file system where one can be made and has room; else writes of modules are charged, those of components not",
    ),
    (
        "wasi",
        "entries",
        &[Level::Enforced],
        "a memory file system with so many inodes where one can be made and has room; else as `disk`",
    ),
];

fn page_path() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/enforcement.md")
}

#[test]
fn the_page_is_what_the_runtimes_say() {
    let registry = RuntimeRegistry::builder(Host::default()).with_builtins().build().unwrap();
    let mut page = HEAD.to_owned();
    for kind in registry.kinds() {
        // A section that cannot be left out is one that names an image.
        let named = serde_json::json!({"image": "any"});
        let section = kind.parse(None).or_else(|_| kind.parse(Some(&named))).unwrap();
        let (isolation, table) = (kind.isolation(&section).unwrap(), kind.enforcement(&section).unwrap());
        write_kind(&mut page, kind.ty(), isolation, &table);
    }
    write_manifest(&mut page, &Manifest::load());
    if std::env::var_os("BLESS").is_some() {
        std::io::Write::write_all(&mut std::fs::File::create(page_path()).unwrap(), page.as_bytes()).unwrap();
    }
    let committed = std::fs::read_to_string(page_path()).unwrap();
    let mut pairs = committed.lines().zip(page.lines()).enumerate();
    let first = pairs.find(|(_, (is, should))| is != should);
    assert!(first.is_none(), "docs/enforcement.md is not up to date: write it anew with BLESS=1; line {first:?}");
    assert_eq!(committed.len(), page.len(), "docs/enforcement.md is not up to date: write it anew with BLESS=1");
}

fn write_kind(page: &mut String, ty: &str, isolation: &str, table: &EnforcementTable) {
    let head = "| what | level | by |\n| --- | --- | --- |";
    writeln!(page, "\n## `{ty}`\n\nIsolation: {isolation}.\n\n{head}").unwrap();
    let of = |name| table.rows.iter().find(|row| row.subject == Subject::Limit(name));
    for name in LimitName::ALL {
        match of(name) {
            Some(row) => write_row(page, ty, row),
            None => writeln!(page, "| `{name}` | unsupported | this runtime has nothing that holds it |").unwrap(),
        }
    }
    writeln!(page, "\n{head}").unwrap();
    let capabilities = table.rows.iter().filter(|row| matches!(row.subject, Subject::Capability(_)));
    capabilities.for_each(|row| write_row(page, ty, row));
}

fn write_row(page: &mut String, ty: &str, row: &EnforcementRow) {
    let name = row.subject.name();
    let by_host = BY_HOST.iter().find(|(kind, subject, ..)| *kind == ty && *subject == name);
    let (level, by) = match by_host {
        Some((.., levels, by)) => {
            assert!(levels.contains(&row.level), "{ty}, {name}: {:?} is not among {levels:?}", row.level);
            (levels.iter().map(|level| level.name()).collect::<Vec<_>>().join(" or "), *by)
        }
        None => (row.level.name().to_owned(), row.by.as_str()),
    };
    let name = if matches!(row.subject, Subject::Limit(_)) { format!("`{name}`") } else { name.to_owned() };
    writeln!(page, "| {name} | {level} | {} |", cell(by)).unwrap();
}

fn write_manifest(page: &mut String, manifest: &Manifest) {
    page.push_str(DIFFERENCES);
    for fixture in &manifest.fixtures {
        for (runtime, differs) in &fixture.differs {
            let (what, runtime) = (cell(&fixture.what), name(*runtime));
            let instead = instead(fixture, &differs.expect);
            writeln!(page, "| {what} (`{}`) | {runtime} | {instead} | {} |", fixture.name, cell(&differs.because))
                .unwrap();
        }
    }
    page.push_str(ABSENCES);
    for fixture in &manifest.fixtures {
        for (runtime, because) in &fixture.absent {
            let (what, runtime) = (cell(&fixture.what), name(*runtime));
            writeln!(page, "| {what} (`{}`) | {runtime} | {} |", fixture.name, cell(because)).unwrap();
        }
    }
}

/// Says in a few words what a runtime gives that others do not.
fn instead(fixture: &Fixture, own: &Expect) -> String {
    let mut parts = Vec::new();
    if let Some(ends) = &own.termination {
        parts.push(format!("`{}`", shown(ends)));
    }
    if own.termination.is_none() && fixture.expect.termination.is_some() {
        parts.extend(own.exit_code.map(|code| format!("exit code {code}")));
    }
    parts.extend(own.guest_code.map(|code| format!("guest code {code}")));
    parts.extend(own.stdout.as_ref().map(|_| "another output".to_owned()));
    parts.extend(own.stderr.as_ref().map(|_| "other messages".to_owned()));
    parts.extend(own.leaves.as_ref().map(|_| "other files".to_owned()));
    parts.join(", ")
}

fn shown(ends: &Ends) -> String {
    match ends {
        Ends::Exited(code) => format!("exited({code})"),
        Ends::Signaled(signal) => format!("signaled({signal})"),
        Ends::Trapped(trap) => format!("trapped({trap})"),
        Ends::LimitExceeded(limit) => format!("limit_exceeded({limit})"),
        Ends::NotStarted(reason) => format!("not_started({reason})"),
    }
}

fn name(runtime: Runtime) -> &'static str {
    match runtime {
        Runtime::Wasi => "wasi",
        Runtime::Docker => "docker",
        Runtime::Local => "local",
    }
}

/// Makes a text fit into a cell.
fn cell(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ").replace('|', "\\|")
}
