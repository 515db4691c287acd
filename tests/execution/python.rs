//! An ordinary Python program of several modules, under CPython on WASI.
//!
//! The interpreter is installed once by `tests/run`, below `target/guests`, and compiled into the cache there.

#![expect(clippy::print_stdout, reason = "a skip is printed with its reason")]

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use bailiwick::spec;
use bailiwick::{
    Catalogue, Command, Host, InputContent, InputFile, RuntimeRegistry, Session, SpawnRequest, WorkspacePath,
};

fn repository(path: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(path)
}

/// A host whose catalogue has the interpreter; `None`, with the reason printed, where it is not installed and this is
/// not CI.
fn host() -> Option<Host> {
    let mut host = Host::from_env(BTreeMap::new());
    host.dirs.shared_data.clear();
    host.dirs.data = Some(repository("target/guests/data"));
    host.dirs.cache = Some(repository("target/guests/cache"));
    if Catalogue::open(&host).find("python@3.12.0").is_some() {
        return Some(host);
    }
    assert!(std::env::var_os("CI").is_none(), "in CI the interpreter must be there: run `tests/run`");
    println!("skipped: `tests/run` installs the interpreter below `target/guests`");
    None
}

#[tokio::test(flavor = "multi_thread")]
async fn a_program_of_several_modules_gives_what_it_gives_anywhere() {
    let Some(host) = host() else { return };
    let registry = RuntimeRegistry::builder(host).with_builtins().build().unwrap();
    let spec = spec::load("type: wasi\nname: python\n", "test", &registry).unwrap().spec;
    let program = repository("tests/data/python-program");
    let session = Session::builder(&registry, spec).submission(&program).open().await.unwrap();
    let runtime = session.spawn(SpawnRequest::default()).await.unwrap();

    let line = ["python", "main.py", "--members", "data/members.json", "--as-of", "2026-11-20"];
    let loans = std::fs::read(program.join("data/loans.csv")).unwrap();
    let result = runtime.execute(Command::argv(line).grant_stdin(loans)).await.unwrap();
    assert_eq!(result.exit_code(), 0, "{result}\n{:?}", result.stderr.text());
    let expected = |name: &str| std::fs::read_to_string(program.join("expected").join(name)).unwrap();
    assert_eq!(result.stdout.text().unwrap(), expected("stdout.txt"));
    let used = result.program.as_ref().unwrap();
    assert_eq!((used.name.as_str(), used.version.as_deref()), ("python", Some("3.12.0")));
    let written = session.get_file_contents(&["overdue.csv", "summary.json"]).await.unwrap();
    for name in ["overdue.csv", "summary.json"] {
        let found = format!("{:?}", written.get(name));
        let text = format!("{:?}", expected(name));
        assert!(found.contains(&text), "{name}: {found}");
    }

    let unknown = std::fs::read(program.join("data/unknown-member.csv")).unwrap();
    let result = runtime.execute(Command::argv(line).grant_stdin(unknown)).await.unwrap();
    assert_eq!(result.exit_code(), 3, "{:?}", result.stderr.text());
    drop(runtime);
    session.close().await.unwrap();
}

/// Prints what would differ from run to run and from host to host.
const OBSERVE: &str = "import os, random, tempfile, time, uuid
print(time.time() > 946684800 and time.time() < 946684900, time.monotonic() < 60)
print(random.random(), uuid.uuid4(), os.urandom(4).hex(), hash('text'))
print(os.listdir('.'), [(entry.name, entry.inode()) for entry in os.scandir('.')])
print(os.stat('main.py'), os.stat('.'))
began = time.monotonic()
time.sleep(3600)
print(round(time.monotonic() - began))
with tempfile.TemporaryDirectory() as directory:
    print(directory)
";

#[tokio::test(flavor = "multi_thread")]
async fn the_interpreter_is_deterministic_where_that_is_asked_for() {
    let Some(host) = host() else { return };
    let registry = RuntimeRegistry::builder(host).with_builtins().build().unwrap();
    let text = "type: wasi\nname: python\nwasi: {determinism: {seed: 3}}\nenvironment: {env: {PYTHONHASHSEED: '0'}}\n";
    let mut printed = Vec::new();
    for names in [["main.py", "b", "a"], ["a", "main.py", "b"]] {
        let spec = spec::load(text, "test", &registry).unwrap().spec;
        let session = Session::builder(&registry, spec).open().await.unwrap();
        for name in names {
            let content = InputContent::Text(OBSERVE.to_owned());
            let file = InputFile::new(WorkspacePath::new(name).unwrap(), content);
            session.materialize_input_files(vec![file]).await.unwrap();
        }
        let runtime = session.spawn(SpawnRequest::default()).await.unwrap();
        let result = runtime.execute(Command::argv(["python", "main.py"])).await.unwrap();
        assert_eq!(result.exit_code(), 0, "{result}\n{}", result.stderr.text().unwrap_or_default());
        printed.push(result.stdout.text().unwrap().to_owned());
        session.close().await.unwrap();
    }
    assert!(printed[0].starts_with("True True\n") && printed[0].contains("\n3600\n"), "{}", printed[0]);
    assert!(
        printed[0].contains("['a', 'b', 'main.py']") && printed[0].contains("st_mtime=946684800"),
        "{}",
        printed[0]
    );
    assert_eq!(printed[0], printed[1]);
}

#[tokio::test]
async fn the_machine_has_32_bits_and_says_so() {
    let Some(host) = host() else { return };
    let registry = RuntimeRegistry::builder(host).with_builtins().build().unwrap();
    let spec = spec::load("type: wasi\nname: python\n", "test", &registry).unwrap().spec;
    let session = Session::builder(&registry, spec).open().await.unwrap();
    let runtime = session.spawn(SpawnRequest::default()).await.unwrap();
    let sizes = "import struct, sys; print(sys.maxsize, struct.calcsize('P'), struct.calcsize('l'))";
    let result = runtime.execute(Command::argv(["python", "-c", sizes])).await.unwrap();
    assert_eq!(result.stdout.text().as_deref(), Some("2147483647 4 4\n"), "{result}");
    assert_eq!((result.machine.arch, result.machine.pointer_bits), ("wasm32", 32));
    session.close().await.unwrap();
}
