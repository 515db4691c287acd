//! The hard corners of the WASI runtime: guests that do not end, readers that do not read, caches that lie.

#![expect(clippy::unwrap_used, reason = "the helpers of a test fail like the test")]

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};

use bailiwick::spec::{self, LimitName};
use bailiwick::{
    Command, Host, InputContent, InputFile, Killer, RuntimeEvent, RuntimeRegistry, RuntimeResult, Session,
    SpawnRequest, Stdin, SubmissionRuntime, Termination, WorkspacePath,
};
use futures_util::StreamExt;

/// Longer than anything here may take on a loaded machine.
const LONG: Duration = Duration::from_secs(30);

fn guests() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("guest-fixtures/wasi")
}

fn host() -> Host {
    let mut host = Host::from_env(BTreeMap::new());
    host.dirs.shared_data.clear();
    host
}

fn registry(host: Host) -> RuntimeRegistry {
    RuntimeRegistry::builder(host).with_builtins().build().unwrap()
}

async fn open(registry: &RuntimeRegistry, more: &str) -> (Session, Arc<dyn SubmissionRuntime>) {
    let text = format!("type: wasi\nname: test\n{more}");
    let spec = spec::load(&text, "test", registry).unwrap().spec;
    let session = Session::builder(registry, spec).submission(guests()).without_reset().open().await.unwrap();
    let runtime = session.spawn(SpawnRequest::default()).await.unwrap();
    (session, runtime)
}

async fn run(runtime: &Arc<dyn SubmissionRuntime>, words: &[&str]) -> Arc<RuntimeResult> {
    runtime.execute(Command::argv(words.iter().copied())).await.unwrap()
}

async fn write(session: &Session, name: &str, text: &str) {
    let file = InputFile::new(WorkspacePath::new(name).unwrap(), InputContent::Text(text.to_owned()));
    session.materialize_input_files(vec![file]).await.unwrap();
}

#[tokio::test]
async fn a_kill_returns_though_nobody_polls() {
    let registry = registry(host());
    let (session, runtime) = open(&registry, "limits: {wall_time: null}").await;
    for guest in ["./spin.wat", "./sleep.wat"] {
        let running = runtime.stream(Command::argv([guest])).await.unwrap();
        // The task behind the stream has not had a turn yet on this executor of one thread.
        tokio::time::timeout(LONG, runtime.kill()).await.unwrap().unwrap();
        let result = tokio::time::timeout(LONG, running.wait()).await.unwrap().unwrap();
        assert_eq!(result.termination, Termination::Killed { by: Killer::Caller }, "{guest}");
        assert_eq!(result.exit_code(), 143);
    }
    session.close().await.unwrap();
}

#[tokio::test]
async fn a_spinning_guest_gives_the_executor_back() {
    let registry = registry(host());
    let (session, runtime) = open(&registry, "limits: {wall_time: null}").await;
    let running = runtime.stream(Command::argv(["./spin.wat"])).await.unwrap();
    let mut turns = 0;
    let began = Instant::now();
    while began.elapsed() < Duration::from_millis(200) {
        tokio::task::yield_now().await;
        turns += 1;
    }
    // A turn of a guest is 10 ms: in 200 ms there are about 20 of ours.
    assert!(turns >= 5, "the guest let this task run {turns} times");
    running.kill().await.unwrap();
    session.close().await.unwrap();
}

#[tokio::test]
async fn a_dropped_future_ends_its_guest() {
    let registry = registry(host());
    let (session, runtime) = open(&registry, "limits: {wall_time: null}").await;
    for guest in ["./spin.wat", "./sleep.wat", "./flood.wat"] {
        let cut = tokio::time::timeout(Duration::from_millis(30), run(&runtime, &[guest])).await;
        assert!(cut.is_err() || guest == "./flood.wat", "{guest} ended");
        drop(runtime.stream(Command::argv([guest])).await.unwrap());
    }
    let result = run(&runtime, &["./hello.wat"]).await;
    assert_eq!(result.exit_code(), 0, "{result}");
    session.close().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_reader_that_comes_late_gets_every_byte() {
    let registry = registry(host());
    let (session, runtime) = open(&registry, "limits: {output_overflow: truncate, output: 64KiB}").await;
    let mut running = runtime.stream(Command::argv(["./one_big_write.wat"])).await.unwrap();
    let (mut seen, mut ends) = (0_u64, 0);
    tokio::time::sleep(Duration::from_millis(50)).await;
    let mut printed = 0;
    while let Some(event) = tokio::time::timeout(LONG, running.next()).await.unwrap() {
        match event.unwrap() {
            RuntimeEvent::Stdout(bytes) | RuntimeEvent::Stderr(bytes) => seen += bytes.len() as u64,
            RuntimeEvent::Finished(result) => {
                (ends, printed) = (ends + 1, result.stdout.bytes);
                assert!(result.stdout.is_truncated() && result.stdout.kept.len() <= 64 << 10);
            }
        }
    }
    assert_eq!((seen, ends), (printed, 1));
    session.close().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn live_input_arrives_and_much_of_it_too() {
    let registry = registry(host());
    let (session, runtime) = open(&registry, "limits: {output_overflow: truncate}").await;
    let (writer, stdin) = Stdin::live();
    let running = runtime.stream(Command::argv(["./stdin_cat.wat"]).grant_stdin(stdin)).await.unwrap();
    let chunk = vec![b'x'; 1 << 20];
    let feed = tokio::spawn(async move {
        for _ in 0..100 {
            assert!(writer.write(chunk.clone()).await);
        }
    });
    let result = tokio::time::timeout(LONG * 4, running.wait()).await.unwrap().unwrap();
    feed.await.unwrap();
    assert_eq!((result.exit_code(), result.stdout.bytes), (0, 100 << 20), "{result}");
    session.close().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn many_guests_at_once_keep_their_own_output() {
    let registry = registry(host());
    let (session, runtime) = open(&registry, "").await;
    let mut running = tokio::task::JoinSet::new();
    for index in 0..200 {
        let runtime = Arc::clone(&runtime);
        running.spawn(async move {
            let command = Command::argv(["./stdin_cat.wat"]).grant_stdin(format!("guest {index}\n"));
            (index, runtime.execute(command).await.unwrap())
        });
    }
    while let Some(done) = running.join_next().await {
        let (index, result) = done.unwrap();
        assert_eq!(result.stdout.text().unwrap(), format!("guest {index}\n"));
    }
    session.close().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_full_workspace_is_the_guests_own_trouble() {
    let registry = registry(host());
    let (session, runtime) = open(&registry, "limits: {disk: 1MiB, on_unsupported: best_effort}").await;
    let result = run(&runtime, &["./disk_full.wat", "fail"]).await;
    if result.unenforced.is_empty() {
        let limit = matches!(result.termination, Termination::LimitExceeded { limit: LimitName::Disk, .. });
        assert!(limit, "{result}");
    }
    session.close().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_damaged_or_forged_artifact_is_never_run() {
    let cache = tempfile::tempdir().unwrap();
    let mut host = host();
    host.dirs.cache = Some(cache.path().to_owned());
    for damage in [None, Some(&b"\x7fELF forged"[..]), Some(b"")] {
        if let Some(bytes) = damage {
            for entry in std::fs::read_dir(cache.path().join("modules")).unwrap() {
                let path = entry.unwrap().path();
                std::fs::remove_file(&path).unwrap();
                std::io::Write::write_all(&mut std::fs::File::create(&path).unwrap(), bytes).unwrap();
            }
        }
        let registry = registry(host.clone());
        let (session, runtime) = open(&registry, "").await;
        assert_eq!(run(&runtime, &["./hello.wat"]).await.stdout.text().unwrap(), "hello\n");
        session.close().await.unwrap();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn two_engines_share_one_cache() {
    let cache = tempfile::tempdir().unwrap();
    let mut host = host();
    host.dirs.cache = Some(cache.path().to_owned());
    let mut engines = tokio::task::JoinSet::new();
    for _ in 0..4 {
        let host = host.clone();
        engines.spawn(async move {
            let registry = registry(host);
            let (session, runtime) = open(&registry, "").await;
            for guest in ["./hello.wat", "./args.wat", "./exit.wat"] {
                run(&runtime, &[guest, "0"]).await;
            }
            session.close().await.unwrap();
        });
    }
    while let Some(done) = engines.join_next().await {
        done.unwrap();
    }
    let kept: Vec<_> = std::fs::read_dir(cache.path().join("modules")).unwrap().map(|entry| entry.unwrap()).collect();
    assert_eq!(kept.len(), 3, "{kept:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_submissions_artifact_is_no_module() {
    let registry = registry(host());
    let (session, runtime) = open(&registry, "").await;
    write(&session, "forged.wasm", "\u{7f}ELF and so on").await;
    let result = run(&runtime, &["./forged.wasm"]).await;
    assert!(result.to_string().contains("precompiled artifact"), "{result}");
    assert_eq!(result.exit_code(), 126);
    session.close().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_workspace_that_the_sandbox_would_hide_is_refused_or_noted() {
    let registry = registry(host());
    let spec = |more: &str| {
        let text = format!("type: wasi\nname: test\n{more}");
        spec::load(&text, "test", &registry).unwrap().spec
    };
    let session = Session::builder(&registry, spec("")).open().await.unwrap();
    write(&session, "workspace/y", "hidden").await;
    let refused = session.spawn(SpawnRequest::default()).await.unwrap_err();
    assert_eq!(refused.kind(), bailiwick::ErrorKind::Workspace, "{refused}");
    assert!(refused.hint().unwrap().contains("wasi.workdir"), "{refused:?}");
    session.close().await.unwrap();

    let session = Session::builder(&registry, spec("limits: {on_unsupported: best_effort}")).open().await.unwrap();
    write(&session, "workspace/y", "hidden").await;
    write(&session, "hello.wat", &std::fs::read_to_string(guests().join("hello.wat")).unwrap()).await;
    let runtime = session.spawn(SpawnRequest::default()).await.unwrap();
    let result = run(&runtime, &["./hello.wat"]).await;
    assert_eq!(result.notes, ["shadowed: workspace"]);
    session.close().await.unwrap();
}
