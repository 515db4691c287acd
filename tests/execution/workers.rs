//! Guests in worker processes: what ends them, what they cannot reach, and what is left of them.

#![expect(clippy::unwrap_used, reason = "the helpers of a test fail like the test")]

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, Instant};

use bailiwick::spec::{self, LimitName};
use bailiwick::{
    Command, ErrorKind, ExecutionError, Host, InputContent, InputFile, NotStarted, RuntimeEvent, RuntimeRegistry,
    RuntimeResult, Session, SpawnRequest, Stdin, SubmissionRuntime, Termination, WorkspacePath,
};
use futures_util::StreamExt as _;
use serde_json::{Value, json};

/// Far more than any of these takes, and an end to a test that hangs.
const BOUND: Duration = Duration::from_secs(120);

/// A session whose guests run in workers.
struct Place {
    session: Session,
    runtime: Arc<dyn SubmissionRuntime>,
}

fn registry() -> RuntimeRegistry {
    let mut host = Host::from_env(BTreeMap::new());
    host.dirs.shared_data.clear();
    host.worker = Some(PathBuf::from(env!("CARGO_BIN_EXE_bailiwick")));
    RuntimeRegistry::builder(host).with_builtins().build().unwrap()
}

async fn place(registry: &RuntimeRegistry, limits: &Value, section: &Value) -> Place {
    let mut wasi = json!({"containment": "worker"});
    for (key, value) in section.as_object().into_iter().flatten() {
        wasi[key] = value.clone();
    }
    let value = json!({"type": "wasi", "name": "test", "limits": limits, "wasi": wasi});
    let spec = spec::from_value(value, "test", registry, &[]).unwrap().spec;
    let session = Session::builder(registry, spec).open().await.unwrap();
    let runtime = session.spawn(SpawnRequest::default()).await.unwrap();
    Place { session, runtime }
}

impl Place {
    async fn put(&self, name: &str, guest: impl AsRef<[u8]>) {
        let content = InputContent::Bytes(guest.as_ref().to_vec());
        let file = InputFile::new(WorkspacePath::new(name).unwrap(), content);
        self.session.materialize_input_files(vec![file]).await.unwrap();
    }

    async fn run(&self, name: &str) -> Arc<RuntimeResult> {
        let ran = self.runtime.execute(Command::argv([name]));
        tokio::time::timeout(BOUND, ran).await.expect("it hangs").unwrap_or_else(|error| panic!("{error:?}"))
    }

    async fn close(self) {
        self.session.close().await.unwrap();
    }
}

fn limit(result: &RuntimeResult) -> Option<LimitName> {
    if let Termination::LimitExceeded { limit, .. } = result.termination { Some(limit) } else { None }
}

/// Lists the worker processes of this one.
fn workers() -> Vec<u32> {
    let own = std::process::id();
    let entries = std::fs::read_dir("/proc").unwrap().flatten();
    let pids = entries.filter_map(|entry| entry.file_name().to_str()?.parse::<u32>().ok());
    pids.filter(|pid| status(*pid, "PPid:").as_deref() == Some(&own.to_string())).collect()
}

fn status(pid: u32, name: &str) -> Option<String> {
    let text = std::fs::read_to_string(format!("/proc/{pid}/status")).ok()?;
    Some(text.lines().find_map(|line| line.strip_prefix(name))?.trim().to_owned())
}

/// Gives the worker that has used the processor, once there is one.
async fn busy() -> u32 {
    let used = |pid: &u32| {
        let text = std::fs::read_to_string(format!("/proc/{pid}/schedstat")).unwrap_or_default();
        text.split(' ').next().and_then(|word| word.parse::<u64>().ok()).unwrap_or(0)
    };
    loop {
        if let Some(pid) = workers().into_iter().find(|pid| used(pid) > 300_000_000) {
            return pid;
        }
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}

const SPIN: &str = r#"(module (memory (export "memory") 1) (func (export "_start") (loop (br 0))))"#;
const DONE: &str = r#"(module (memory (export "memory") 1) (func (export "_start")))"#;
/// Prints a byte for every page of its memory that is not empty, after the first, and leaves all of them full.
const STALE: &str = r#"(module
    (import "wasi_snapshot_preview1" "fd_write" (func $write (param i32 i32 i32 i32) (result i32)))
    (memory (export "memory") 17)
    (func (export "_start") (local $at i32)
        (local.set $at (i32.const 65536))
        (loop $next
            (if (i32.load8_u (local.get $at)) (then
                (i32.store8 (i32.const 64) (i32.const 33))
                (i32.store (i32.const 0) (i32.const 64)) (i32.store (i32.const 4) (i32.const 1))
                (drop (call $write (i32.const 1) (i32.const 0) (i32.const 1) (i32.const 8)))))
            (local.set $at (i32.add (local.get $at) (i32.const 4096)))
            (br_if $next (i32.lt_u (local.get $at) (i32.const 1114112))))
        (memory.fill (i32.const 65536) (i32.const 85) (i32.const 1048576))))"#;

#[tokio::test(flavor = "multi_thread")]
async fn nothing_of_a_guest_is_left_for_the_next() {
    let registry = registry();
    let place = place(&registry, &json!({}), &json!({})).await;
    place.put("stale.wat", STALE).await;
    for _ in 0..20 {
        let result = place.run("stale.wat").await;
        assert!(result.termination.is_success(), "{result}");
        assert_eq!(result.stdout.bytes, 0, "memory of an earlier guest");
    }
    place.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_no_look_interrupts_ends_at_its_limit_all_the_same() {
    let registry = registry();
    let limits = json!({"wall_time": "300ms", "memory": "4GiB"});
    let place = place(&registry, &limits, &json!({})).await;
    let fill = r#"(module (memory (export "memory") 32768) (func (export "_start")
        (loop (memory.fill (i32.const 0) (i32.const 7) (i32.const 0x7fffffff)) (br 0))))"#;
    place.put("fill.wat", fill).await;
    place.put("spin.wat", SPIN).await;
    for name in ["fill.wat", "spin.wat"] {
        let result = place.run(name).await;
        assert_eq!((limit(&result), result.exit_code()), (Some(LimitName::WallTime), 124), "{name}: {result}");
    }
    place.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn processor_time_is_the_guests_own() {
    let registry = registry();
    let place = place(&registry, &json!({"cpu_time": "200ms"}), &json!({})).await;
    place.put("spin.wat", SPIN).await;
    place.put("done.wat", DONE).await;
    for _ in 0..3 {
        let spun = place.run("spin.wat").await;
        assert_eq!(limit(&spun), Some(LimitName::CpuTime), "{spun}");
        assert!(place.run("done.wat").await.termination.is_success());
    }
    place.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn compiling_is_bounded_in_time_and_memory() {
    let registry = registry();
    let adds = "(local.set 0 (i32.add (local.get 0) (i32.const 77777)))".repeat(400_000);
    let large = format!(r#"(module (memory (export "memory") 1) (func (export "_start") (local i32) {adds}))"#);
    let large = wat::parse_str(large).unwrap();
    let open = json!({"body": "64MiB", "work": 1_000_000_000_000_u64});
    for (name, bound, value, said) in
        [("memory", "memory", "16MiB", "more memory than"), ("time", "time", "20ms", "took longer than")]
    {
        let mut compile = open.clone();
        compile[bound] = json!(value);
        let place = place(&registry, &json!({}), &json!({ "compile": compile })).await;
        place.put("large.wasm", &large).await;
        place.put("done.wat", DONE).await;
        let result = place.run("large.wasm").await;
        let Termination::NotStarted { reason: NotStarted::CompileLimit, message, .. } = &result.termination else {
            panic!("{name}: {result}")
        };
        assert!(message.contains(said), "{name}: {message}");
        place.close().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_worker_that_dies_is_its_own_guests_end_and_nobody_elses() {
    let registry = registry();
    let (one, other) = (place(&registry, &json!({}), &json!({})).await, place(&registry, &json!({}), &json!({})).await);
    one.put("spin.wat", SPIN).await;
    other.put("done.wat", DONE).await;
    let mut running = one.runtime.stream(Command::argv(["spin.wat"])).await.unwrap();
    let pid = tokio::time::timeout(BOUND, busy()).await.expect("no worker works");
    let pid = rustix::process::Pid::from_raw(pid.cast_signed()).unwrap();
    rustix::process::kill_process(pid, rustix::process::Signal::ABORT).unwrap();
    while let Some(Ok(RuntimeEvent::Stdout(_) | RuntimeEvent::Stderr(_))) = running.next().await {}
    let result = running.wait().await.unwrap();
    assert!(matches!(result.termination, Termination::Signaled { signal: 6, by: Some(_) }), "{result}");
    assert!(other.run("done.wat").await.termination.is_success());
    one.put("done.wat", DONE).await;
    assert!(one.run("done.wat").await.termination.is_success());
    one.close().await;
    other.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_worker_is_sealed_and_has_what_was_granted() {
    let registry = registry();
    let place = place(&registry, &json!({}), &json!({})).await;
    place.put("spin.wat", SPIN).await;
    let running = place.runtime.stream(Command::argv(["spin.wat"])).await.unwrap();
    let pid = tokio::time::timeout(BOUND, busy()).await.expect("no worker works");
    let has = |name: &str| status(pid, name).unwrap();
    assert_eq!((has("Seccomp:").as_str(), has("NoNewPrivs:").as_str()), ("2", "1"));
    assert_eq!(u64::from_str_radix(&has("CapEff:"), 16), Ok(0));
    assert_eq!(has("Threads:"), "1");
    assert_eq!(std::fs::read(format!("/proc/{pid}/environ")).unwrap(), b"");
    let links = std::fs::read_dir(format!("/proc/{pid}/fd")).unwrap().flatten();
    let links: Vec<String> =
        links.map(|link| std::fs::read_link(link.path()).unwrap().to_string_lossy().into_owned()).collect();
    // The workspace and `/tmp` are the roots of file systems of their own; code comes by files in memory.
    let known = ["socket:", "anon_inode:", "/memfd:", "/dev/null", "/proc/"];
    let strange: Vec<&String> =
        links.iter().filter(|link| *link != "/" && !known.iter().any(|known| link.starts_with(known))).collect();
    assert!(
        strange.iter().all(|link| link.contains("bailiwick") || link.starts_with("/w") || link.starts_with("/t")),
        "{links:?}"
    );
    running.kill().await.unwrap();
    place.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn input_of_any_size_goes_through_beside_output_of_any_size() {
    let registry = registry();
    let place = place(&registry, &json!({"output": "64MiB"}), &json!({})).await;
    let cat = r#"(module
        (import "wasi_snapshot_preview1" "fd_write" (func $write (param i32 i32 i32 i32) (result i32)))
        (import "wasi_snapshot_preview1" "fd_read" (func $read (param i32 i32 i32 i32) (result i32)))
        (memory (export "memory") 8)
        (func (export "_start")
            (i32.store (i32.const 0) (i32.const 4096))
            (loop $next
                (i32.store (i32.const 4) (i32.const 300000))
                (drop (call $read (i32.const 0) (i32.const 0) (i32.const 1) (i32.const 8)))
                (if (i32.load (i32.const 8)) (then
                    (i32.store (i32.const 4) (i32.load (i32.const 8)))
                    (drop (call $write (i32.const 1) (i32.const 0) (i32.const 1) (i32.const 12)))
                    (br $next))))))"#;
    place.put("cat.wat", cat).await;
    let bytes: Vec<u8> = (0..20_000_000_u32).map(|at| (at % 253) as u8).collect();
    let command = Command::argv(["cat.wat"]).grant_stdin(Stdin::from(bytes.clone()));
    let ran = tokio::time::timeout(BOUND, place.runtime.execute(command)).await.expect("it hangs");
    let result = ran.unwrap();
    assert!(result.termination.is_success(), "{result}");
    assert!(result.stdout.kept == bytes, "{} bytes", result.stdout.bytes);
    place.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn workers_end_with_those_who_asked_for_them() {
    let registry = registry();
    for _ in 0..3 {
        let place = place(&registry, &json!({}), &json!({})).await;
        place.put("done.wat", DONE).await;
        assert!(place.run("done.wat").await.termination.is_success());
        place.close().await;
    }
    drop(registry);
    let began = Instant::now();
    while !workers().is_empty() {
        assert!(began.elapsed() < BOUND, "{:?} live on", workers());
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}

#[tokio::test]
async fn without_a_program_for_workers_there_is_none_and_nothing_runs_here_instead() {
    let mut host = Host::from_env(BTreeMap::new());
    host.dirs.shared_data.clear();
    let registry = RuntimeRegistry::builder(host).with_builtins().build().unwrap();
    let value = json!({"type": "wasi", "name": "test", "wasi": {"containment": "worker"}});
    let spec = spec::from_value(value, "test", &registry, &[]).unwrap().spec;
    let session = Session::builder(&registry, spec).open().await.unwrap();
    let error: ExecutionError = session.spawn(SpawnRequest::default()).await.err().unwrap();
    assert_eq!(error.kind(), ErrorKind::Unavailable, "{error:?}");
    assert!(error.hint().unwrap().contains("worker_main"), "{error:?}");
    session.close().await.unwrap();
}
