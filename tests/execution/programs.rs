//! The programs that `programs install` gets, each doing what a submission would have it do.
//!
//! `tests/run` installs them below `target/guests`; their compiled code is kept in the cache there.

#![expect(clippy::unwrap_used, reason = "the helpers of a test fail like the test")]
#![expect(clippy::print_stdout, reason = "a skip is printed with its reason")]
#![expect(clippy::disallowed_methods, reason = "tests write the submissions that they run")]

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use bailiwick::{
    Catalogue, Command, ErrorKind, Host, Mount, RuntimeRegistry, RuntimeResult, Session, SpawnRequest, known_program,
    spec,
};

fn host() -> Host {
    let below = |path: &str| Some(Path::new(env!("CARGO_MANIFEST_DIR")).join("target/guests").join(path));
    let mut host = Host::from_env(BTreeMap::new());
    host.dirs.shared_data.clear();
    (host.dirs.data, host.dirs.cache) = (below("data"), below("cache"));
    host
}

/// Says whether a program is there; where it is not, prints why the test is skipped, which CI never allows.
fn has(name: &str) -> bool {
    let id = known_program(name).unwrap().id();
    let there = Catalogue::open(&host()).find(&id).is_some();
    assert!(there || std::env::var_os("CI").is_none(), "in CI {id} must be there: run `tests/run`");
    if !there {
        println!("skipped: `tests/run` installs {id} below `target/guests`");
    }
    there
}

/// A submission, and what is granted beside it.
struct Bench {
    submission: tempfile::TempDir,
    spec: &'static str,
    mounts: Vec<Mount>,
    env: BTreeMap<String, String>,
}

impl Bench {
    fn new(spec: &'static str, files: &[(&str, &str)]) -> Self {
        let submission = tempfile::tempdir().unwrap();
        for (name, text) in files {
            std::fs::write(submission.path().join(name), text).unwrap();
        }
        Self { submission, spec, mounts: Vec::new(), env: BTreeMap::new() }
    }

    async fn run(&self, line: &[&str], stdin: &'static str) -> Arc<RuntimeResult> {
        let registry = RuntimeRegistry::builder(host()).with_builtins().build().unwrap();
        let text = registry.builtin_spec(self.spec).map_or(self.spec.to_owned(), |spec| spec.text.to_owned());
        let spec = spec::load(&text, "test", &registry).unwrap().spec;
        let session = Session::builder(&registry, spec).submission(self.submission.path()).open().await.unwrap();
        let mut request = SpawnRequest::default();
        (request.mounts, request.env) = (self.mounts.clone(), self.env.clone());
        let runtime = session.spawn(request).await.unwrap();
        let command = Command::argv(line.iter().copied()).grant_stdin(stdin.as_bytes().to_vec());
        let result = runtime.execute(command).await.unwrap();
        drop(runtime);
        session.close().await.unwrap();
        result
    }
}

#[track_caller]
fn assert_said(result: &RuntimeResult, code: i32, expected: &str) {
    assert_eq!(result.exit_code(), code, "{result}\n{:?}\n{:?}", result.stderr.text(), result.setup);
    assert_eq!(result.stdout.text().unwrap(), expected);
}

const PYTHON: &str = r#"
import asyncio, os, sqlite3, sys, tempfile
import greet, helper

async def late(n):
    await asyncio.sleep(0.01)
    return n * 2

async def main():
    return sum(await asyncio.gather(late(1), late(2)))

print(asyncio.run(main()))
with tempfile.NamedTemporaryFile("w+", suffix=".txt") as file:
    file.write("kept"), file.flush()
    print(open(file.name).read(), os.path.dirname(file.name))
with sqlite3.connect("notes.sqlite") as notes:
    notes.execute("create table note (text)")
    notes.executemany("insert into note values (?)", [("a",), ("b",)])
print(sqlite3.connect("notes.sqlite").execute("select count(*) from note").fetchone())
print(greet.hello(sys.argv[1]), helper.VALUE, os.getcwd(), sorted(os.listdir()))
sys.exit(int(sys.stdin.readline()))
"#;

#[tokio::test(flavor = "multi_thread")]
async fn python_has_asyncio_files_sqlite_and_packages_of_a_mounted_path() {
    if !has("python") {
        return;
    }
    let packages = tempfile::tempdir().unwrap();
    std::fs::create_dir(packages.path().join("greet")).unwrap();
    let hello = "def hello(name):\n    return f'hello {name}'\n";
    std::fs::write(packages.path().join("greet/__init__.py"), hello).unwrap();
    let mut bench = Bench::new("python", &[("main.py", PYTHON), ("helper.py", "VALUE = 7\n")]);
    bench.mounts.push(Mount { host: packages.path().to_owned(), guest: "/packages".to_owned(), writable: false });
    bench.env.insert("PYTHONPATH".to_owned(), "/packages".to_owned());
    let result = bench.run(&["python", "main.py", "world"], "3\n").await;
    // Nothing is left of bytecode, and the relative path of the database was the workspace's.
    let listed = "['helper.py', 'main.py', 'notes.sqlite']";
    assert_said(&result, 3, &format!("6\nkept /tmp\n(2,)\nhello world 7 /workspace {listed}\n"));
}

#[tokio::test(flavor = "multi_thread")]
async fn what_python_lacks_is_an_exception_of_its_own() {
    if !has("python") {
        return;
    }
    let program = "import subprocess\ntry:\n    subprocess.run(['ls'])\nexcept OSError as error:\n    print(error)\n";
    let bench = Bench::new("python", &[("main.py", program)]);
    let result = bench.run(&["python", "main.py"], "").await;
    assert_eq!(result.exit_code(), 0, "{:?}", result.stderr.text());
    assert!(result.stdout.text().unwrap().contains("does not support processes"), "{:?}", result.stdout.text());
}

#[tokio::test(flavor = "multi_thread")]
async fn javascript_reads_writes_and_ends_with_its_code() {
    if !has("js") {
        return;
    }
    let main = r#"
import * as std from "qjs:std";
import { total } from "./total.js";
const numbers = std.in.readAsString().split(/\s+/).filter(Boolean).map(Number);
const file = std.open("out.json", "w");
file.puts(JSON.stringify({ total: total(numbers) }));
file.close();
console.log(std.loadFile("out.json"), scriptArgs[1]);
std.exit(numbers.length);
"#;
    let total = "export const total = (numbers) => numbers.reduce((a, b) => a + b, 0);\n";
    let bench = Bench::new("js", &[("main.js", main), ("total.js", total)]);
    let result = bench.run(&["js", "main.js", "a b"], "1 2 3.5\n").await;
    assert_said(&result, 3, "{\"total\":6.5} a b\n");
}

#[tokio::test(flavor = "multi_thread")]
async fn c_is_compiled_in_the_sandbox_and_runs() {
    if !has("cc") {
        return;
    }
    let main = r#"
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
int main(int argc, char **argv) {
    double sum = 0, x;
    while (scanf("%lf", &x) == 1) sum += x;
    char *text = malloc(32);
    strcpy(text, argc > 1 ? argv[1] : "-");
    printf("%.2f %.3f %s %zu\n", sum, sqrt(2), text, sizeof(long));
    return 5;
}
"#;
    let bench = Bench::new("c", &[("main.c", main)]);
    let result = bench.run(&["./main.wasm", "word"], "1 2 3.5\n").await;
    assert_said(&result, 5, "6.50 1.414 word 4\n");
}

#[tokio::test(flavor = "multi_thread")]
async fn c_that_does_not_compile_is_a_result_with_the_compilers_words() {
    if !has("cc") {
        return;
    }
    let bench = Bench::new("c", &[("main.c", "int main(void) { return x; }\n")]);
    let result = bench.run(&["./main.wasm"], "").await;
    assert_eq!(result.exit_code(), 126, "{result}");
    let said = result.setup[0].stderr.text().unwrap();
    assert!(said.contains("'x' undeclared"), "{said}");
}

#[tokio::test(flavor = "multi_thread")]
async fn micropython_runs_with_hooks_that_nothing_provides() {
    if !has("micropython") {
        return;
    }
    let bench =
        Bench::new("type: wasi\nname: mp\n", &[("main.py", "import sys\nprint(sum(map(int, input().split())))\n")]);
    let result = bench.run(&["micropython", "main.py"], "1 2 3\n").await;
    assert_said(&result, 0, "6\n");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_spec_may_say_which_version_it_uses() {
    if !has("js") {
        return;
    }
    let text = "type: wasi\nname: x\nwasi: {programs: {node: {use: js@0.11.0}}}\n";
    let result = Bench::new(text, &[]).run(&["node", "-e", "console.log(1 + 1)"], "").await;
    assert_said(&result, 0, "2\n");
    let used = result.program.as_ref().unwrap();
    assert_eq!((used.name.as_str(), used.version.as_deref()), ("node", Some("0.11.0")));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_version_that_is_not_installed_is_an_error_that_says_what_is() {
    let data = tempfile::tempdir().unwrap();
    let mut host = host();
    host.dirs.data = Some(data.path().to_owned());
    let module: PathBuf = data.path().join("m.wasm");
    std::fs::write(&module, b"\0asm\x01\0\0\0").unwrap();
    let program = bailiwick::Program { version: Some("2".to_owned()), ..bailiwick::Program::default() };
    Catalogue::open(&host).add("python", &module, program).unwrap();
    let registry = RuntimeRegistry::builder(host).with_builtins().build().unwrap();
    for (wanted, hint) in [("python@3.12.0", "programs install python`"), ("other@1", "programs add other")] {
        let text = format!("type: wasi\nname: x\nwasi: {{programs: {{python: {{use: {wanted}}}}}}}\n");
        let spec = spec::load(&text, "test", &registry).unwrap().spec;
        let session = Session::builder(&registry, spec).open().await.unwrap();
        let error = session.spawn(SpawnRequest::default()).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Spec);
        assert!(error.to_string().contains("installed: python@2"), "{error}");
        assert!(error.hint().unwrap().contains(hint), "{:?}", error.hint());
        session.close().await.unwrap();
    }
}
