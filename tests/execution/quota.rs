//! The disk limit of WASI guests where no file system holds it: what they write is charged before it is written.

#![expect(clippy::unwrap_used, reason = "the helpers of a test fail like the test")]

use std::collections::BTreeMap;
use std::sync::Arc;

use bailiwick::spec::{self, LimitName};
use bailiwick::{
    Command, Host, InputContent, InputFile, NotStarted, RuntimeRegistry, RuntimeResult, Session, SpawnRequest,
    Termination, WorkspacePath,
};

const DISK_FULL: &str = include_str!("../../guest-fixtures/wasi/disk_full.wat");

/// A session whose workspace is a plain directory.
struct Plain {
    session: Session,
    base: tempfile::TempDir,
}

impl Plain {
    async fn open(limits: &str) -> Self {
        let base = tempfile::tempdir().unwrap();
        let mut host = Host::from_env(BTreeMap::new());
        host.dirs.shared_data.clear();
        host.dirs.base = Some(base.path().to_owned());
        let registry = RuntimeRegistry::builder(host).with_builtins().build().unwrap();
        let spec = format!("type: wasi\nname: test\nlimits: {{{limits}}}\n");
        let spec = spec::load(&spec, "test", &registry).unwrap().spec;
        let session = Session::builder(&registry, spec).without_reset().open().await.unwrap();
        Self { session, base }
    }

    async fn put(&self, name: &str, content: InputContent) {
        let file = InputFile::new(WorkspacePath::new(name).unwrap(), content);
        self.session.materialize_input_files(vec![file]).await.unwrap();
    }

    async fn run(&self, text: &str, arg: &str) -> Arc<RuntimeResult> {
        self.put("guest.wat", InputContent::Text(text.to_owned())).await;
        let runtime = self.session.spawn(SpawnRequest::default()).await.unwrap();
        let result = runtime.execute(Command::argv(["./guest.wat", arg])).await.unwrap();
        runtime.cleanup().await.unwrap();
        result
    }

    async fn close(self) {
        self.session.close().await.unwrap();
        assert_eq!(std::fs::read_dir(self.base.path()).unwrap().count(), 0);
    }
}

fn exceeded(result: &RuntimeResult) -> Option<LimitName> {
    if let Termination::LimitExceeded { limit, .. } = result.termination { Some(limit) } else { None }
}

/// Makes directories until one is refused, at most a thousand, and exits with how many it made.
const DIRECTORIES: &str = r#"(module
  (import "wasi_snapshot_preview1" "path_create_directory" (func $mkdir (param i32 i32 i32) (result i32)))
  (import "wasi_snapshot_preview1" "proc_exit" (func $proc_exit (param i32)))
  (memory (export "memory") 1)
  (data (i32.const 0) "d000")
  (func (export "_start") (local $n i32)
    (loop $more
      (i32.store8 (i32.const 3) (i32.add (i32.const 48) (i32.rem_u (local.get $n) (i32.const 10))))
      (i32.store8 (i32.const 2) (i32.add (i32.const 48) (i32.div_u (local.get $n) (i32.const 10))))
      (if (call $mkdir (i32.const 3) (i32.const 0) (i32.const 4)) (then (call $proc_exit (local.get $n))))
      (local.set $n (i32.add (local.get $n) (i32.const 1)))
      (br_if $more (i32.lt_u (local.get $n) (i32.const 90))))))"#;

/// Prints 64 KiB at a time, four times.
const PRINTS: &str = r#"(module
  (import "wasi_snapshot_preview1" "fd_write" (func $write (param i32 i32 i32 i32) (result i32)))
  (memory (export "memory") 2)
  (func (export "_start") (local $n i32)
    (i32.store (i32.const 0) (i32.const 16))
    (i32.store (i32.const 4) (i32.const 65536))
    (loop $more
      (if (call $write (i32.const 1) (i32.const 0) (i32.const 1) (i32.const 8)) (then unreachable))
      (local.set $n (i32.add (local.get $n) (i32.const 1)))
      (br_if $more (i32.lt_u (local.get $n) (i32.const 4))))))"#;

/// A component whose `run` does nothing.
const COMPONENT: &str = r#"(component
  (core module $m (func (export "run") (result i32) (i32.const 0)))
  (core instance $i (instantiate $m))
  (func $run (result (result)) (canon lift (core func $i "run")))
  (instance $command (export "run" (func $run)))
  (export "wasi:cli/run@0.2.0" (instance $command)))"#;

#[tokio::test]
async fn bytes_are_held_and_named() {
    let plain = Plain::open("disk: 1MiB").await;
    let result = plain.run(DISK_FULL, "fail").await;
    assert_eq!((exceeded(&result), result.exit_code()), (Some(LimitName::Disk), 153), "{result}");
    assert!(result.unenforced.is_empty(), "{:?}", result.unenforced);
    let result = plain.run(DISK_FULL, "cope").await;
    assert_eq!(result.exit_code(), 0, "{result}");
    plain.close().await;
}

#[tokio::test]
async fn what_the_host_puts_in_counts_nothing() {
    let plain = Plain::open("disk: 1MiB").await;
    plain.put("large", InputContent::Bytes(vec![1; 8 << 20])).await;
    let small = DISK_FULL.replace("(i32.const 2048)", "(i32.const 4)");
    // After the first charge too.
    for _ in 0..2 {
        let result = plain.run(&small, "fail").await;
        assert_eq!(result.stdout.text().as_deref(), Some("never refused\n"), "{result}");
        plain.put("large", InputContent::Bytes(vec![1; 9 << 20])).await;
    }
    plain.close().await;
}

#[tokio::test]
async fn entries_are_held_and_named() {
    let plain = Plain::open("entries: 20").await;
    let result = plain.run(DIRECTORIES, "").await;
    assert_eq!((exceeded(&result), result.guest_code), (Some(LimitName::Entries), Some(20)), "{result}");
    plain.close().await;
}

#[tokio::test]
async fn what_is_printed_takes_no_room() {
    let plain = Plain::open("disk: 4KiB").await;
    let result = plain.run(PRINTS, "").await;
    assert_eq!((result.exit_code(), result.stdout.bytes), (0, 4 << 16), "{result}");
    plain.close().await;
}

#[tokio::test]
async fn a_component_is_not_started_when_the_limit_was_asked_for() {
    let plain = Plain::open("disk: 1MiB").await;
    let result = plain.run(COMPONENT, "").await;
    assert!(
        matches!(&result.termination, Termination::NotStarted { reason: NotStarted::BadModule, message, .. }
            if message.contains("disk limit")),
        "{result}"
    );
    plain.close().await;
    let plain = Plain::open("").await;
    let result = plain.run(COMPONENT, "").await;
    assert_eq!(result.exit_code(), 0, "{result}");
    assert!(result.notes.iter().any(|note| note.contains("disk limit")), "{:?}", result.notes);
    plain.close().await;
}
