//! The WASI guests of Node.js's own tests, each run as Node runs it: arguments, variables, directories, input.
//!
//! They are fetched once by `tests/data/node-wasi/get.sh`. `docs/execution/node-wasi.md` has the table of what they
//! give; `BLESS=1` writes it anew.

#![expect(clippy::disallowed_methods, reason = "a guest's files are laid out by path")]
#![expect(clippy::print_stdout, reason = "a skip is printed with its reason")]
#![expect(clippy::unwrap_used, reason = "the helpers of a test fail like the test")]

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};

use bailiwick::{Command, Host, RuntimeRegistry, RuntimeResult, Session, SpawnRequest, spec};

/// One run of a guest by one of Node's tests.
struct Case {
    /// Node's test, a file of `test/wasi`.
    test: &'static str,
    guest: &'static str,
    files: Files,
    stdin: &'static str,
    /// What Node's test expects.
    stdout: &'static str,
    exit_code: i32,
    /// Absent: it gives what Node's test expects.
    differs: Option<Differs>,
}

/// Why a guest gives something else here, and the words of its result that show that it is this and nothing else.
struct Differs {
    shows: &'static str,
    because: &'static str,
}

/// What stands in the guest's `/sandbox`.
#[derive(Clone, Copy, PartialEq)]
enum Files {
    /// Node's fixtures.
    Fixtures,
    /// A file and symlinks, as Node's test of symlinks makes them.
    Links,
    /// The same, with the targets written from each link's own directory.
    OwnLinks,
}

const WASI: &str = "test-wasi.js";
const LINKS: &str = "test-wasi-symlinks.js";
const STDIO: &str = "test-wasi-stdio.js";
/// Tests of ours: a guest of Node's with its links laid out as POSIX reads them.
const OURS: &str = "(ours)";

const fn case(test: &'static str, guest: &'static str) -> Case {
    Case { test, guest, files: Files::Fixtures, stdin: "", stdout: "", exit_code: 0, differs: None }
}

impl Case {
    const fn prints(self, stdout: &'static str) -> Self {
        Self { stdout, ..self }
    }

    const fn links(self, files: Files) -> Self {
        Self { files, ..self }
    }

    const fn differs(self, shows: &'static str, because: &'static str) -> Self {
        Self { differs: Some(Differs { shows, because }), ..self }
    }
}

/// Every run of a guest that Node's tests make.
fn cases() -> Vec<Case> {
    let once = "hello from input.txt\n";
    let own = Files::OwnLinks;
    let from_root = "the guest's link is made for a host that reads its target from the preopen's root; \
                     here, as in POSIX, it is read from the link's own directory";
    vec![
        case(WASI, "cant_dotdot").differs("errno == ENOTCAPABLE", "refused too, as `EPERM` instead of `ENOTCAPABLE`"),
        case(WASI, "clock_getres").differs("r == 0", "the machine has no clocks of processor time"),
        Case { exit_code: 120, ..case(WASI, "exitcode") },
        case(WASI, "fd_prestat_get_refresh"),
        case(WASI, "freopen").prints("hello from input2.txt\n"),
        case(WASI, "ftruncate"),
        case(WASI, "getentropy"),
        case(WASI, "getrusage").differs("success == 1", "the machine has no clocks of processor time"),
        case(WASI, "gettimeofday"),
        case(WASI, "main_args"),
        case(WASI, "notdir"),
        case(WASI, "poll").differs(
            "fds[0].revents == (POLLHUP",
            "an input that has ended is readable, without the flag of a hang-up",
        ),
        case(WASI, "preopen_populates"),
        case(WASI, "readdir").differs("cnt == 4", "a listing has `.` and `..` too, as POSIX says"),
        case(WASI, "read_file").prints(once),
        case(WASI, "read_file_twice").prints("hello from input.txt\nhello from input.txt\n"),
        case(WASI, "stat"),
        case(WASI, "sock"),
        case(WASI, "write_file"),
        Case { stdin: "hello world", ..case(WASI, "stdin") }.prints("hello world"),
        Case { stdin: "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx", ..case(STDIO, "stdin") }
            .prints("xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx"),
        case(LINKS, "create_symlink").links(Files::Links).differs(
            "strlen(target) + 1",
            "the guest expects `readlink` to count a final NUL, as no POSIX system does",
        ),
        case(LINKS, "follow_symlink")
            .links(Files::Links)
            .prints("hello from input.txt")
            .differs("file != NULL", from_root),
        case(LINKS, "link").links(Files::Links),
        case(LINKS, "symlink_escape").links(Files::Links).differs("errno == ENOTCAPABLE", "refused too, as `EPERM`"),
        case(LINKS, "symlink_loop").links(Files::Links).differs("errno == ELOOP", from_root),
        case(OURS, "follow_symlink").links(own).prints("hello from input.txt"),
        case(OURS, "symlink_loop").links(own),
    ]
}

fn repository(path: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(path)
}

/// Gives the directory of Node's tests; `None`, with the reason printed, where it was not fetched and this is not CI.
fn node() -> Option<PathBuf> {
    let named = std::env::var_os("BAILIWICK_TEST_NODE_WASI").map(PathBuf::from);
    let dir = named.unwrap_or_else(|| repository("target/guests/node-wasi"));
    if dir.join("archive.sha256").is_file() {
        return Some(dir.join("test"));
    }
    assert!(std::env::var_os("CI").is_none(), "in CI Node's guests must be there: {}", dir.display());
    println!("skipped: fetch Node's guests by `tests/data/node-wasi/get.sh {}`", dir.display());
    None
}

/// Lays out the guest's `/sandbox`.
fn lay_out(files: Files, node: &Path, sandbox: &Path) {
    fs::create_dir(sandbox.join("subdir")).unwrap();
    if files == Files::Fixtures {
        for name in ["input.txt", "input2.txt", "notadir"] {
            fs::copy(node.join("fixtures/wasi").join(name), sandbox.join(name)).unwrap();
        }
        return;
    }
    fs::write(sandbox.join("input.txt"), "hello from input.txt").unwrap();
    let (up, down) = if files == Files::Links { ("", "subdir/") } else { ("../", "") };
    let link = |name: &str, target: String| symlink(target, sandbox.join("subdir").join(name)).unwrap();
    link("input_link.txt", format!("{up}input.txt"));
    link("outside.txt", "../outside.txt".to_owned());
    link("loop1", format!("{down}loop2"));
    link("loop2", format!("{down}loop1"));
}

async fn run(case: &Case, node: &Path) -> RuntimeResult {
    let outside = tempfile::tempdir().unwrap();
    fs::write(outside.path().join("outside.txt"), "this should be inaccessible").unwrap();
    let sandbox = outside.path().join("sandbox");
    fs::create_dir(&sandbox).unwrap();
    lay_out(case.files, node, &sandbox);
    let mut host = Host::from_env(BTreeMap::new());
    host.dirs.shared_data.clear();
    let registry = RuntimeRegistry::builder(host).with_builtins().build().unwrap();
    let module = node.join("wasi/wasm").join(case.guest).with_extension("wasm");
    let value = serde_json::json!({
        "type": "wasi",
        "name": case.guest,
        "wasi": {"workdir": "/sandbox", "programs": {"foo": {"module": module.to_str().unwrap()}}},
    });
    let spec = spec::from_value(value, case.guest, &registry, &[]).unwrap().spec;
    let session = Session::builder(&registry, spec).submission(&sandbox).open().await.unwrap();
    let runtime = session.spawn(SpawnRequest::default()).await.unwrap();
    let mut command = Command::argv(["foo", "-bar", "--baz=value"]).grant_stdin(case.stdin);
    command.env.insert("NODE_PLATFORM".to_owned(), "linux".to_owned());
    let result = runtime.execute(command).await.unwrap();
    session.close().await.unwrap();
    let canary = fs::read_to_string(outside.path().join("outside.txt")).unwrap();
    assert_eq!(canary, "this should be inaccessible");
    (*result).clone()
}

/// Says what is wrong with a result.
fn judge(case: &Case, result: &RuntimeResult) -> Result<(), String> {
    let (stdout, stderr) = (result.stdout.text().unwrap_or_default(), result.stderr.text().unwrap_or_default());
    let name = format!("{} of {}", case.guest, case.test);
    let passes = result.exit_code() == case.exit_code && stdout == case.stdout;
    match (&case.differs, passes) {
        (None, true) => Ok(()),
        (None, false) => Err(format!("{name}: {result}, {stdout:?}, {stderr:?}")),
        (Some(_), true) => Err(format!("{name} passes now: take its row away")),
        (Some(differs), false) if stderr.contains(differs.shows) => Ok(()),
        (Some(differs), false) => {
            Err(format!("{name} does not show {:?}: {result}, {stdout:?}, {stderr:?}", differs.shows))
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn nodes_guests_give_what_the_table_says() {
    let Some(node) = node() else { return };
    let mut problems = Vec::new();
    for case in cases() {
        let result = run(&case, &node).await;
        problems.extend(judge(&case, &result).err());
    }
    assert!(problems.is_empty(), "\n  {}\n", problems.join("\n  "));
}

#[test]
fn every_guest_of_nodes_has_a_row() {
    let Some(node) = node() else { return };
    let guests: BTreeSet<String> = fs::read_dir(node.join("wasi/wasm"))
        .unwrap()
        .map(|entry| entry.unwrap().path().file_stem().unwrap().to_string_lossy().into_owned())
        .collect();
    let rows: BTreeSet<String> = cases().iter().map(|case| case.guest.to_owned()).collect();
    assert_eq!(guests, rows);
}

const BEGIN: &str = "<!-- table: written by `BLESS=1 cargo test --test node_wasi` -->\n";
const END: &str = "<!-- end of the table -->\n";

#[test]
fn the_document_has_the_table() {
    let path = repository("docs/execution/node-wasi.md");
    let text = fs::read_to_string(&path).unwrap();
    let (before, rest) = text.split_once(BEGIN).unwrap();
    let (_, after) = rest.split_once(END).unwrap();
    let cases = cases();
    let same = cases.iter().filter(|case| case.differs.is_none()).count();
    let mut table = format!("\n{same} of {} runs give what Node's tests expect.\n\n", cases.len());
    table += "| test | guest | gives |\n| --- | --- | --- |\n";
    for case in &cases {
        let gives = match &case.differs {
            None => "the same".to_owned(),
            Some(differs) => format!("another end (`{}`): {}", differs.shows, differs.because),
        };
        table += &format!("| {} | `{}` | {gives} |\n", case.test, case.guest);
    }
    let wanted = format!("{before}{BEGIN}{table}\n{END}{after}");
    if std::env::var_os("BLESS").is_some() {
        fs::write(&path, &wanted).unwrap();
    }
    assert_eq!(fs::read_to_string(&path).unwrap(), wanted, "run it again with BLESS=1");
}
