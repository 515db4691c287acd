//! An ordinary Python program of several modules, under CPython on WASI.
//!
//! The interpreter is fetched once by `tests/data/python-wasi/get.sh` and compiled into a cache beside it.

#![expect(clippy::unwrap_used, reason = "the helpers of a test fail like the test")]
#![expect(clippy::print_stdout, reason = "a skip is printed with its reason")]

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use bailiwick::spec;
use bailiwick::{Catalogue, Command, Host, Program, RuntimeRegistry, Session, SpawnRequest};

fn repository(path: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(path)
}

/// Gives the interpreter's module; `None`, with the reason printed, where it was not fetched and this is not CI.
fn interpreter() -> Option<PathBuf> {
    let named = std::env::var_os("BAILIWICK_TEST_PYTHON").map(PathBuf::from);
    let module = named.unwrap_or_else(|| repository("target/guests/python-3.12.0.wasm"));
    if module.is_file() {
        return Some(module);
    }
    assert!(std::env::var_os("CI").is_none(), "in CI the interpreter must be there: {}", module.display());
    println!("skipped: fetch the interpreter by `tests/data/python-wasi/get.sh {}`", module.display());
    None
}

/// A host whose catalogue has the interpreter as `python3`, with a cache that later runs of the tests use again.
fn host(module: &Path, data: &Path) -> Host {
    let mut host = Host::from_env(BTreeMap::new());
    host.dirs.shared_data.clear();
    host.dirs.data = Some(data.to_owned());
    host.dirs.cache = Some(module.with_file_name("cache"));
    let mut program = Program { version: Some("3.12.0".to_owned()), ..Program::default() };
    program.env.insert("PYTHONDONTWRITEBYTECODE".to_owned(), "1".to_owned());
    program.env.insert("PYTHONPATH".to_owned(), "/site".to_owned());
    program.mounts.push(bailiwick::ProgramMount { host: site(), guest: "/site".to_owned() });
    Catalogue::open(&host).add("python3", module, program).unwrap();
    host
}

fn site() -> String {
    repository("tests/data/python-wasi/site").to_string_lossy().into_owned()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_program_of_several_modules_gives_what_it_gives_anywhere() {
    let Some(module) = interpreter() else { return };
    let data = tempfile::tempdir().unwrap();
    let registry = RuntimeRegistry::builder(host(&module, data.path())).with_builtins().build().unwrap();
    let spec = spec::load("type: wasi\nname: python\n", "test", &registry).unwrap().spec;
    let program = repository("tests/data/python-program");
    let session = Session::builder(&registry, spec).submission(&program).open().await.unwrap();
    let runtime = session.spawn(SpawnRequest::default()).await.unwrap();

    let line = ["python3", "main.py", "--members", "data/members.json", "--as-of", "2026-11-20"];
    let loans = std::fs::read(program.join("data/loans.csv")).unwrap();
    let result = runtime.execute(Command::argv(line).grant_stdin(loans)).await.unwrap();
    assert_eq!(result.exit_code(), 0, "{result}\n{:?}", result.stderr.text());
    let expected = |name: &str| std::fs::read_to_string(program.join("expected").join(name)).unwrap();
    assert_eq!(result.stdout.text().unwrap(), expected("stdout.txt"));
    let used = result.program.as_ref().unwrap();
    assert_eq!((used.name.as_str(), used.version.as_deref()), ("python3", Some("3.12.0")));
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
