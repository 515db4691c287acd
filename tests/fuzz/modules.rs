//! Modules that nobody should load: each is a result, in bounded time, and the engine serves the next one.
//!
//! As `tests/fuzz/main.rs`, in a program of its own because it needs the engine of WASI.

#![expect(clippy::disallowed_methods, reason = "the test writes the modules that a spec names")]
#![expect(clippy::print_stdout, reason = "how much was run is part of what it shows")]
#![expect(clippy::unwrap_used, reason = "the helpers of a test fail like the test")]

#[expect(dead_code, reason = "the targets that have no other seeds are in the other program")]
mod driver;

use std::collections::BTreeMap;
use std::fs;
use std::panic;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use bailiwick::spec::{self, EnvironmentSpec};
use bailiwick::{
    Command, ErrorKind, Host, InputContent, InputFile, NoProgress, RuntimeRegistry, RuntimeResult, Session,
    SpawnRequest, SubmissionRuntime, WorkspacePath,
};
use serde_json::{Value, json};

use driver::{run_from, seeds};

/// Whether anything panicked, on whatever thread.
static PANICKED: AtomicBool = AtomicBool::new(false);
/// After how many modules everything is begun anew.
const ROUND: u32 = 512;
/// How often the module is a program of the spec, which is compiled ahead of time.
const PREPARED: usize = 8;

#[test]
fn modules() {
    let before = panic::take_hook();
    panic::set_hook(Box::new(move |info| {
        PANICKED.store(true, Ordering::SeqCst);
        before(info);
    }));
    let words: [&[u8]; 12] = [
        b"\0asm\x01\0\0\0",
        b"\0asm\x0d\0\x01\0",
        b"\xff\xff\xff\xff\x0f",
        b"\x80\x80\x80\x80\x10",
        b"\x03\x40\x0c\0\x0b",
        b"\x16wasi_snapshot_preview1",
        b"\x06_start\0",
        b"\xfc\x0b\0",
        b"\xfd\x0c",
        b"\x40\0",
        b"(module",
        &[0x02, 0x40, 0x02, 0x40, 0x02, 0x40, 0x02, 0x40, 0x02, 0x40, 0x02, 0x40],
    ];
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
    let temp = tempfile::tempdir().unwrap();
    let program = temp.path().join("program.wasm");
    let mut bench = runtime.block_on(Bench::open());
    let mut count = 0;
    run_from("modules", modules_and_texts(), &words, |input, chance| {
        runtime.block_on(async {
            let result = bench.run(input).await;
            assert!((0..=255).contains(&result.exit_code()), "{result}");
            if chance.below(PREPARED) == 0 {
                bench.prepare(&program, input).await;
            }
            count += 1;
            if count % ROUND == 0 {
                bench.sound().await;
                bench.close().await;
                bench = Bench::open().await;
            }
        });
        assert!(!PANICKED.load(Ordering::SeqCst), "a thread panicked");
    });
    runtime.block_on(async {
        bench.sound().await;
        bench.close().await;
    });
}

/// Gives the seeds of the target and every guest of the fixtures, as modules; those of the target as texts too.
fn modules_and_texts() -> Vec<Vec<u8>> {
    let texts = seeds("modules");
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("guest-fixtures/wasi");
    let mut paths: Vec<_> = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    paths.sort();
    let guests = paths.iter().filter(|path| path.extension().is_some_and(|ending| ending == "wat"));
    let guests: Vec<Vec<u8>> = guests.map(|path| fs::read(path).unwrap()).collect();
    let own = texts.iter().map(|text| wat::parse_bytes(text).unwrap());
    // One of the fixtures is no module, on purpose.
    let modules = own.chain(guests.iter().filter_map(|text| wat::parse_bytes(text).ok()));
    let modules: Vec<Vec<u8>> = modules.map(|module| module.into_owned()).collect();
    assert!(modules.len() > 2 * texts.len(), "the fixtures are seeds");
    modules.into_iter().chain(texts).collect()
}

/// A session with one runtime, under limits that every module meets soon.
struct Bench {
    registry: RuntimeRegistry,
    session: Session,
    runtime: Arc<dyn SubmissionRuntime>,
}

impl Bench {
    async fn open() -> Self {
        let mut host = Host::from_env(BTreeMap::new());
        host.dirs.shared_data.clear();
        let registry = RuntimeRegistry::builder(host).with_builtins().build().unwrap();
        let session = Session::builder(&registry, load(&registry, json!({}))).without_reset().open().await.unwrap();
        let runtime = session.spawn(SpawnRequest::default()).await.unwrap();
        Self { registry, session, runtime }
    }

    /// Runs a module of the submission: whatever it is, a result.
    async fn run(&self, module: &[u8]) -> Arc<RuntimeResult> {
        let path = WorkspacePath::new("guest.wasm").unwrap();
        let file = InputFile::new(path, InputContent::Bytes(module.to_vec()));
        self.session.materialize_input_files(vec![file]).await.unwrap();
        self.runtime.execute(Command::argv(["./guest.wasm"])).await.unwrap()
    }

    /// Compiles a module that the spec names: it is ready, or it is said why not.
    async fn prepare(&self, path: &Path, module: &[u8]) {
        fs::write(path, module).unwrap();
        let spec = load(&self.registry, json!({"programs": {"program": {"module": path}}}));
        let kind = self.registry.kind_of(&spec).unwrap();
        if let Err(error) = kind.prepare(&spec.section, &NoProgress).await {
            assert!(error.kind() != ErrorKind::Bug && !error.to_string().is_empty(), "{error:?}");
        }
    }

    /// Runs what is sound, to see that the engine still is.
    async fn sound(&self) {
        let text = r#"(module (memory (export "memory") 1) (func (export "_start")))"#;
        let result = self.run(&wat::parse_str(text).unwrap()).await;
        assert!(result.termination.is_success(), "{result}");
    }

    async fn close(&self) {
        self.session.close().await.unwrap();
    }
}

fn load(registry: &RuntimeRegistry, wasi: Value) -> EnvironmentSpec {
    let limits =
        json!({"wall_time": "500ms", "memory": "64MiB", "output": "64KiB", "disk": "16MiB", "fuel": 2_000_000});
    let spec = json!({"type": "wasi", "name": "fuzz", "wasi": wasi, "limits": limits});
    spec::from_value(spec, "fuzz", registry, &[]).unwrap().spec
}
