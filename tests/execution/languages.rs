//! Programs in C, Rust and Go: relative and absolute names, arguments, variables, input, exit codes; and what becomes
//! of mistakes with memory.
//!
//! They are compiled by `tests/data/toolchains/build.sh`: C always, Rust and Go where their toolchains are.

#![expect(clippy::disallowed_methods, reason = "the script that compiles the guests is a process")]
#![expect(clippy::print_stdout, reason = "a skip is printed with its reason")]
#![expect(clippy::unwrap_used, reason = "the helpers of a test fail like the test")]

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::{Arc, OnceLock};

use bailiwick::{
    Command, Host, InputContent, InputFile, RuntimeRegistry, RuntimeResult, Session, SpawnRequest, SubmissionRuntime,
    WorkspacePath, spec,
};

fn repository(path: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(path)
}

/// Gives a compiled guest; `None`, with the reason printed, where it could not be compiled and this is not CI.
fn guest(name: &str) -> Option<PathBuf> {
    static BUILT: OnceLock<PathBuf> = OnceLock::new();
    // In CI the guests in C must be there; `BAILIWICK_TEST_LANGUAGES` names the others that must.
    let must = if std::env::var_os("CI").is_some() { "c" } else { "" };
    let more = std::env::var("BAILIWICK_TEST_LANGUAGES").unwrap_or_default();
    // Each test may be a process of its own: they all compile, and each module appears whole in its place.
    let dir = BUILT.get_or_init(|| {
        let dir = repository("target/guests/languages");
        let wanted = must.split_whitespace().chain(more.split_whitespace());
        let script = repository("tests/data/toolchains/build.sh");
        let built = std::process::Command::new("sh").arg(script).arg(&dir).args(wanted).status().unwrap();
        assert!(built.success(), "the guests cannot be compiled");
        dir
    });
    let module = dir.join(name).with_extension("wasm");
    if !module.is_file() {
        println!("skipped: {name} was not compiled; `tests/data/toolchains/build.sh DIR` says what is missing");
    }
    module.is_file().then_some(module)
}

async fn open(module: &Path) -> (Session, Arc<dyn SubmissionRuntime>) {
    let mut host = Host::from_env(BTreeMap::new());
    host.dirs.shared_data.clear();
    let registry = RuntimeRegistry::builder(host).with_builtins().build().unwrap();
    let spec = spec::load("type: wasi\nname: languages\n", "test", &registry).unwrap().spec;
    let session = Session::builder(&registry, spec).open().await.unwrap();
    let file = |name, bytes| InputFile::new(WorkspacePath::new(name).unwrap(), InputContent::Bytes(bytes));
    let program = file("program.wasm", std::fs::read(module).unwrap());
    session.materialize_input_files(vec![program, file("sub/there.txt", Vec::new())]).await.unwrap();
    let runtime = session.spawn(SpawnRequest::default()).await.unwrap();
    (session, runtime)
}

const SHOWN: &str = "args: [one] [two words] []\n\
    variable: a=b c\n\
    through the absolute name: relative\n\
    through the relative name: absolute\n\
    input: given\n";

async fn paths(name: &str) {
    let Some(module) = guest(name) else { return };
    let (session, runtime) = open(&module).await;
    for (cwd, below) in [(None, ""), (Some("/workspace/sub"), "sub/"), (Some("sub"), "sub/")] {
        let mut command = Command::argv(["/workspace/program.wasm", "one", "two words", ""]).grant_stdin("given");
        command.env.insert("GRANTED".to_owned(), "a=b c".to_owned());
        command.cwd = cwd.map(str::to_owned);
        let result = runtime.execute(command).await.unwrap();
        assert_eq!(result.exit_code(), 7, "{name} in {cwd:?}: {result}\n{:?}", result.stderr.text());
        assert_eq!(result.stdout.text().unwrap(), SHOWN, "{name} in {cwd:?}");
        for word in ["relative", "absolute"] {
            let path = format!("{below}{word}.txt");
            let written = session.get_file_contents(&[path.as_str()]).await.unwrap();
            let found = format!("{:?}", written.get(&path));
            assert!(found.contains(&format!("{word:?}")), "{name} in {cwd:?}: {found}");
        }
    }
    session.close().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn programs_in_c_name_files_in_both_ways() {
    paths("c-paths").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn programs_in_rust_name_files_in_both_ways() {
    paths("rust-paths").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn programs_in_go_name_files_in_both_ways() {
    paths("go-paths").await;
}

/// What a native machine ends, and this one goes on with; `docs/enforcement.md` has a row for each.
#[tokio::test(flavor = "multi_thread")]
async fn mistakes_with_memory_end_no_program_in_c() {
    let Some(module) = guest("c-bugs") else { return };
    let (session, runtime) = open(&module).await;
    for (word, shown) in [
        ("null", "wrote through null: x\n"),
        ("overrun", "the neighbour is xxxond\n"),
        ("after_free", "read another's\n"),
        ("sizes", "long 4 pointer 4 size_t 4\n"),
        // The allocator of wasi-libc does not look; another one may, and then it aborts.
        ("double_free", "freed twice\n"),
    ] {
        let result: Arc<RuntimeResult> = runtime.execute(Command::argv(["./program.wasm", word])).await.unwrap();
        assert_eq!((result.exit_code(), result.stdout.text().as_deref()), (0, Some(shown)), "{word}: {result}");
    }
    session.close().await.unwrap();
}
