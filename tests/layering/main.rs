//! The shape of the source: who may name whom, and how large things may be. `docs/architecture.md` gives the reasons.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod source;

use source::{Source, sources, tokens};

/// The modules of the crate, each with those that it may name. `error` is a leaf.
const LAYERS: [(&str, &[&str]); 9] = [
    ("error", &[]),
    ("spec", &["error"]),
    ("host", &["error", "spec"]),
    ("workspace", &["error", "host", "spec"]),
    ("runtime", &["error", "host", "spec", "workspace"]),
    ("session", &["error", "host", "spec", "workspace", "runtime"]),
    ("evaluate", &["error", "host", "spec", "workspace", "runtime", "session"]),
    ("selftest", &["error", "host", "spec", "workspace", "runtime", "session"]),
    ("cli", &["error", "host", "spec", "workspace", "runtime", "session", "evaluate", "selftest"]),
];

/// The sibling runtimes, and the crates that only one of them may name.
const ROOMS: [(&str, &[&str]); 3] =
    [("wasi", &["wasmparser", "wasmtime", "wasmtime_wasi", "wiggle"]), ("docker", &["bollard"]), ("local", &[])];

/// The files that list the built-in runtimes.
const LISTS_OF_ROOMS: [&str; 2] = ["runtime/mod.rs", "runtime/registry.rs"];

/// The largest file, in lines.
const MAX_FILE: usize = 400;

/// The largest function, in lines.
const MAX_FUNCTION: usize = 50;

/// Files over the limit, each with its reason; the list only gets shorter.
const LARGE_FILES: [(&str, &str); 2] = [
    ("tests/attacks/workspace.rs", "one attack a test, and no other order in them"),
    ("tests/execution/specs.rs", "a table of specs and what is wrong with each"),
];

/// Signposts that still hold logic, to be moved into files of their own; the list only gets shorter.
const BUSY_SIGNPOSTS: [&str; 5] = [
    "cli/json/mod.rs",
    "cli/run/mod.rs",
    "cli/spec/mod.rs",
    "runtime/local/cgroup/mod.rs",
    "runtime/local/supervisor/mod.rs",
];

/// Functions over the limit, each with its reason.
const LARGE_FUNCTIONS: [(&str, &str); 0] = [];

fn assert_none(problems: &[String]) {
    assert!(problems.is_empty(), "\n  {}\n", problems.join("\n  "));
}

/// Checks every file of `src`.
fn check(rule: impl Fn(&Source) -> Vec<String>) {
    let problems: Vec<String> = sources("src").iter().flat_map(rule).collect();
    assert_none(&problems);
}

#[test]
fn imports_run_one_way() {
    check(broken_imports);
}

fn broken_imports(source: &Source) -> Vec<String> {
    let modules = source.modules();
    // `lib.rs` and `main.rs` stand above all layers.
    let Some(own) = modules.first() else { return Vec::new() };
    let Some((_, allowed)) = LAYERS.iter().find(|(name, _)| name == own) else {
        return vec![format!(
            "{}: `{own}` is no known layer; add it to the list, in a commit with the reason",
            source.path
        )];
    };
    let named = source.crate_paths();
    let foreign = named.iter().filter_map(|path| path.first()).filter(|first| first != own);
    let broken = foreign.filter(|first| !allowed.contains(&first.as_str()) && !is_root_name(own, first));
    broken.map(|first| format!("{}: `{own}` must not name `{first}`", source.path)).collect()
}

/// The command line is the crate's first user, and may name things as its users do.
fn is_root_name(own: &str, first: &str) -> bool {
    own == "cli" && !LAYERS.iter().any(|(layer, _)| *layer == first)
}

#[test]
fn engines_are_named_in_their_own_room_only() {
    check(|source| {
        let foreign = ROOMS.iter().filter(|(room, _)| !source.path.starts_with(&format!("runtime/{room}/")));
        let crates = foreign.flat_map(|(_, crates)| crates.iter()).filter(|name| source.names(name));
        crates.map(|name| format!("{}: names the crate `{name}`", source.path)).collect()
    });
}

/// Where files are dated, a clock of the guest's own is shown, or a moment is written down. Durations are of others.
const DATED: [&str; 6] = [
    "runtime/docker/images/context.rs",
    "runtime/docker/images/kept.rs",
    "runtime/kind.rs",
    "runtime/wasi/cache_room.rs",
    "runtime/wasi/determinism/config.rs",
    "runtime/wasi/digests.rs",
];

/// Time that a command takes is of a clock that nobody can set while it runs.
#[test]
fn l19_nothing_that_runs_commands_reads_a_clock_that_can_be_set() {
    check(|source| {
        let runs_commands = source.modules().first() == Some(&"runtime") && !DATED.contains(&source.path.as_str());
        let is_read = runs_commands && source.names("SystemTime");
        is_read.then(|| format!("{}: reads a clock that can be set", source.path)).into_iter().collect()
    });
}

#[test]
fn runtimes_never_name_each_other() {
    check(|source| {
        if LISTS_OF_ROOMS.contains(&source.path.as_str()) || source.modules().first() != Some(&"runtime") {
            return Vec::new();
        }
        let own = source.modules().get(1).copied();
        let named = source.crate_paths();
        let rooms = named.iter().filter(|path| path.first().is_some_and(|first| first == "runtime"));
        let rooms = rooms.filter_map(|path| path.get(1)).filter(|room| Some(room.as_str()) != own);
        let broken = rooms.filter(|room| ROOMS.iter().any(|(name, _)| name == room));
        broken.map(|room| format!("{}: names the runtime `{room}`", source.path)).collect()
    });
}

#[test]
fn nothing_outside_knows_which_runtimes_there_are() {
    check(|source| {
        if source.path.starts_with("runtime/") || source.path.starts_with("cli/programs/") {
            return Vec::new();
        }
        let types = source.texts.iter().filter(|(_, text)| ROOMS.iter().any(|(name, _)| name == text));
        let types = types.filter(|(line, _)| !is_feature(source, *line));
        types
            .map(|(line, text)| format!("{}:{line}: the text `{text}` is the name of a runtime", source.path))
            .collect()
    });
}

/// Says whether a line is the gate of a cargo feature, which has the runtime's name.
fn is_feature(source: &Source, line: usize) -> bool {
    let path = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("src").join(&source.path);
    let text = std::fs::read_to_string(path).unwrap();
    text.lines().nth(line - 1).is_some_and(|line| line.contains("feature = "))
}

#[test]
fn only_the_local_runtime_and_the_package_clients_start_processes() {
    const STARTS: [&str; 9] =
        ["posix_spawn", "execve", "execveat", "execvp", "vfork", "clone3", "kernel_fork", "CommandExt", "openpty"];
    check(|source| {
        // The user's own package clients, the author's own test program, and this program as a worker are the exceptions.
        const EXCUSED: [&str; 3] =
            ["cli/programs/fetch.rs", "evaluate/adapter/suite/process.rs", "runtime/wasi/worker/process.rs"];
        if source.path.starts_with("runtime/local/") || EXCUSED.contains(&source.path.as_str()) {
            return Vec::new();
        }
        let words = tokens(&source.code);
        let command = words.windows(3).any(|three| three == ["process", "::", "Command"]);
        let grouped = words.windows(3).any(|three| three == ["process", "::", "{"]) && words.contains(&"Command");
        let mut found: Vec<&str> = STARTS.into_iter().filter(|start| words.contains(start)).collect();
        if command || (grouped && source.path != "cli/mod.rs" && source.code.contains("std::process::{")) {
            found.push("std::process::Command");
        }
        found.iter().map(|start| format!("{}: `{start}` starts a process", source.path)).collect()
    });
}

#[test]
fn signposts_hold_no_logic() {
    check(|source| {
        let excused = BUSY_SIGNPOSTS.contains(&source.path.as_str());
        // The first room of a folder of tests holds what its tests share.
        let is_room = source.path.ends_with("/mod.rs") && !source.path.contains("/tests/");
        let is_signpost = (is_room || source.path == "lib.rs") && !excused;
        // `mod name {}` carries the documents that are tested.
        let code = source.code.replace("{}", ";");
        let statements = code.split(';').map(without_attributes);
        let odd = statements.filter(|statement| is_signpost && !is_signpost_statement(statement));
        odd.map(|statement| {
            let begin: String = statement.chars().take(60).collect();
            format!("{}: more than docs, `mod` and `use`: {begin}", source.path)
        })
        .collect()
    });
}

fn without_attributes(statement: &str) -> &str {
    let mut rest = statement.trim();
    while rest.starts_with("#[") || rest.starts_with("#![") {
        let mut depth = 0;
        let end = rest.find(|sign| {
            depth += i32::from(sign == '[') - i32::from(sign == ']');
            sign == ']' && depth == 0
        });
        rest = rest[end.unwrap() + 1..].trim();
    }
    rest
}

fn is_signpost_statement(statement: &str) -> bool {
    let words = tokens(statement);
    let mut words = words.iter().copied().skip_while(|word| ["pub", "(", "crate", "super", "in", ")"].contains(word));
    match words.next() {
        None | Some("use") => true,
        Some("mod") => words.count() == 1,
        Some(_) => false,
    }
}

#[test]
fn files_are_small() {
    let mut problems = Vec::new();
    for root in ["src", "tests"] {
        for source in sources(root) {
            let path = format!("{root}/{}", source.path);
            let excused = LARGE_FILES.iter().any(|(excused, _)| *excused == path);
            match (source.lines > MAX_FILE, excused) {
                (true, false) => problems.push(format!("{path}: {} lines, at most {MAX_FILE}", source.lines)),
                (false, true) => problems.push(format!("{path}: is small now and needs no excuse")),
                (true, true) | (false, false) => {}
            }
        }
    }
    assert_none(&problems);
}

#[test]
fn functions_are_small() {
    check(|source| {
        let excused =
            |name: &str| LARGE_FUNCTIONS.iter().any(|(excused, _)| *excused == format!("{}: {name}", source.path));
        let large = functions(&source.code).into_iter().filter(|(name, lines)| *lines > MAX_FUNCTION && !excused(name));
        large
            .map(|(name, lines)| format!("{}: `{name}` has {lines} lines, at most {MAX_FUNCTION}", source.path))
            .collect()
    });
}

/// Lists the functions with a body, each with its number of lines.
fn functions(code: &str) -> Vec<(String, usize)> {
    let mut found = Vec::new();
    for (at, _) in code.match_indices("fn ") {
        let name: String = code[at + 3..].chars().take_while(|sign| sign.is_alphanumeric() || *sign == '_').collect();
        let whole = at == 0 || !code.as_bytes()[at - 1].is_ascii_alphanumeric() && code.as_bytes()[at - 1] != b'_';
        if name.is_empty() || !whole {
            continue;
        }
        let mut depth = 0;
        let end = code[at..].find(|sign| {
            depth += i32::from("{[(".contains(sign)) - i32::from("}])".contains(sign));
            (sign == '}' || sign == ';') && depth == 0
        });
        let body = &code[at..end.map_or(at, |end| at + end + 1)];
        found.push((name, body.lines().count()));
    }
    found
}

#[test]
fn the_reader_of_sources_is_right() {
    let text = "use crate::{spec::{Mode, self}, workspace as w};\n// crate::cli\nfn f<'a>() { super::super::x::y(); \"crate::z\"; '\"'; }\n";
    let source = Source::parse("runtime/wasi/run.rs".to_owned(), text);
    assert_eq!(source.modules(), ["runtime", "wasi", "run"]);
    let paths: Vec<String> = source.crate_paths().iter().map(|path| path.join("::")).collect();
    assert_eq!(paths, ["spec::Mode", "spec::self", "workspace", "runtime::x::y"]);
    assert_eq!(source.texts, [(3, "crate::z".to_owned())]);
    let broken = Source::parse("spec/load.rs".to_owned(), "use crate::session::Session;");
    assert_eq!(broken_imports(&broken), ["spec/load.rs: `spec` must not name `session`"]);
    let functions = functions(&Source::parse("x.rs".to_owned(), "fn a() -> [u8; 1] {\n{\n}\n}\nfn b();\n").code);
    assert_eq!(functions[0], ("a".to_owned(), 4));
}
