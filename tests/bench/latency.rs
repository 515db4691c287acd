//! The rows of the WASI budgets.

use std::hint::black_box;
use std::time::{Duration, Instant};

use bailiwick::{Catalogue, Command, Program, Session, SpawnRequest};
use tokio::runtime::Runtime;

use crate::bare::Bare;
use crate::ours::{Live, registry, repository, wasi};
use crate::report::{Report, in_turn, middle};

const SPIN: &str = r#"(module (memory (export "memory") 1)
  (func (export "_start") (local $i i64) (local $x i64)
    (loop $again
      (local.set $x (i64.add (i64.mul (local.get $x) (i64.const 6364136223846793005)) (local.get $i)))
      (local.set $i (i64.add (local.get $i) (i64.const 1)))
      (br_if $again (i64.lt_u (local.get $i) (i64.const 100000000))))
    (i64.store (i32.const 8) (local.get $x))))"#;

fn module(name: &str) -> Vec<u8> {
    wat::parse_file(repository("guest-fixtures/wasi").join(name)).unwrap()
}

/// `execute` through a live runtime, of a guest that prints a line.
pub(crate) fn execute(executor: &Runtime, report: &mut Report) {
    let name = "execute: prints a line";
    if !report.wants(name) {
        return;
    }
    let registry = registry(|_| {});
    let guest = module("hello.wat");
    let guests = tempfile::tempdir().unwrap();
    std::io::Write::write_all(&mut std::fs::File::create(guests.path().join("guest.wasm")).unwrap(), &guest).unwrap();
    let live = Live::open(executor, &registry, "", guests.path());
    let dir = tempfile::tempdir_in("/dev/shm").unwrap();
    let bare = Bare::new(&guest, Some(dir.path()));
    let ours = || assert_eq!(black_box(live.run(&["./guest.wasm"])).exit_code(), 0);
    let peer = || drop(black_box(bare.run(&["./guest.wasm"])));
    report.pair(name, in_turn(5_000, ours, peer), "bare wasmtime, pooled", 2.0);
    executor.block_on(live.session.close()).unwrap();
}

/// Reads `in.txt` and writes what it read to `out.txt`.
const FILES: &str = r#"(module
  (import "wasi_snapshot_preview1" "path_open" (func $open (param i32 i32 i32 i32 i32 i64 i64 i32 i32) (result i32)))
  (import "wasi_snapshot_preview1" "fd_read" (func $read (param i32 i32 i32 i32) (result i32)))
  (import "wasi_snapshot_preview1" "fd_write" (func $write (param i32 i32 i32 i32) (result i32)))
  (import "wasi_snapshot_preview1" "fd_close" (func $close (param i32) (result i32)))
  (memory (export "memory") 1)
  (data (i32.const 0) "\40\00\00\00\00\01\00\00")
  (data (i32.const 32) "in.txt")
  (data (i32.const 48) "out.txt")
  (func $check (param i32) (if (local.get 0) (then unreachable)))
  (func (export "_start")
    (call $check (call $open (i32.const 4) (i32.const 0) (i32.const 32) (i32.const 6) (i32.const 0)
      (i64.const 2) (i64.const 0) (i32.const 0) (i32.const 16)))
    (call $check (call $read (i32.load (i32.const 16)) (i32.const 0) (i32.const 1) (i32.const 8)))
    (call $check (call $close (i32.load (i32.const 16))))
    (call $check (call $open (i32.const 4) (i32.const 0) (i32.const 48) (i32.const 7) (i32.const 9)
      (i64.const 64) (i64.const 0) (i32.const 0) (i32.const 16)))
    (i32.store (i32.const 4) (i32.load (i32.const 8)))
    (call $check (call $write (i32.load (i32.const 16)) (i32.const 0) (i32.const 1) (i32.const 8)))
    (call $check (call $close (i32.load (i32.const 16))))))"#;

/// `execute` through a live runtime, of a guest that reads a file and writes another.
pub(crate) fn files(executor: &Runtime, report: &mut Report) {
    let name = "execute: reads and writes a file";
    if !report.wants(name) {
        return;
    }
    let registry = registry(|_| {});
    let guest = wat::parse_str(FILES).unwrap();
    let dir = tempfile::tempdir_in("/dev/shm").unwrap();
    for (name, bytes) in [("guest.wasm", &guest[..]), ("in.txt", b"1 2 3\n")] {
        std::io::Write::write_all(&mut std::fs::File::create(dir.path().join(name)).unwrap(), bytes).unwrap();
    }
    let live = Live::open(executor, &registry, "", dir.path());
    let bare = Bare::new(&guest, Some(dir.path()));
    let ours = || assert_eq!(black_box(live.run(&["./guest.wasm"])).exit_code(), 0);
    let peer = || drop(black_box(bare.run(&["./guest.wasm"])));
    report.pair(name, in_turn(5_000, ours, peer), "bare wasmtime, pooled", 2.0);
    executor.block_on(live.session.close()).unwrap();
}

/// A whole session: open, put the guest in, spawn, run, read a file, close.
pub(crate) fn session(executor: &Runtime, report: &mut Report) {
    let name = "session: open, spawn, run, read, close";
    if !report.wants(name) {
        return;
    }
    let registry = registry(|_| {});
    let (spec, guest) = (wasi(&registry, ""), module("hello.wat"));
    let whole = || {
        executor.block_on(async {
            let session = Session::builder(&registry, spec.clone()).without_reset().open().await.unwrap();
            let path = bailiwick::WorkspacePath::new("guest.wasm").unwrap();
            let file = bailiwick::InputFile::new(path, bailiwick::InputContent::Bytes(guest.clone()));
            session.materialize_input_files(vec![file]).await.unwrap();
            let runtime = session.spawn(SpawnRequest::default()).await.unwrap();
            let result = runtime.execute(Command::argv(["./guest.wasm"])).await.unwrap();
            assert_eq!(result.exit_code(), 0);
            black_box(session.get_file_contents(&["guest.wasm"]).await.unwrap());
            drop(runtime);
            session.close().await.unwrap();
        });
    };
    let (ours, _) = in_turn(500, whole, || ());
    report.alone(name, ours, Duration::from_micros(100));
}

/// A guest that only computes.
pub(crate) fn cpu_bound(executor: &Runtime, report: &mut Report) {
    let name = "CPU-bound guest";
    if !report.wants(name) {
        return;
    }
    let registry = registry(|_| {});
    let guests = tempfile::tempdir().unwrap();
    std::io::Write::write_all(&mut std::fs::File::create(guests.path().join("spin.wat")).unwrap(), SPIN.as_bytes())
        .unwrap();
    let live = Live::open(executor, &registry, "", guests.path());
    let bare = Bare::new(&wat::parse_str(SPIN).unwrap(), None);
    let ours = || assert_eq!(black_box(live.run(&["./spin.wat"])).exit_code(), 0);
    report.pair(name, in_turn(15, ours, || drop(bare.run(&["spin"]))), "bare wasmtime, epochs", 1.0 / 0.97);
}

/// CPython that is compiled and cached.
pub(crate) fn python(executor: &Runtime, report: &mut Report) {
    let name = "CPython, cached: print(1)";
    let path = repository("target/guests/data/programs/python/3.12.0/module.wasm");
    if !report.wants(name) {
        return;
    }
    let Ok(module) = std::fs::read(&path) else {
        return report.skip(name, "`tests/run` installs it below `target/guests`");
    };
    let data = tempfile::tempdir().unwrap();
    let registry = registry(|host| {
        host.dirs.data = Some(data.path().to_owned());
        host.dirs.cache = Some(repository("target/guests/cache"));
    });
    Catalogue::open(registry.host()).add("python", &path, Program::default()).unwrap();
    let live = Live::open(executor, &registry, "", &repository("tests/data/python-program"));
    let bare = Bare::new(&module, None);
    let words = ["python", "-I", "-S", "-c", "print(1)"];
    let ours = || assert_eq!(black_box(live.run(&words)).exit_code(), 0);
    report.pair(name, in_turn(20, ours, || drop(bare.run(&words))), "bare wasmtime, pooled", 1.1);
}

/// How far past a wall limit of 20 ms a guest gets.
pub(crate) fn overshoot(executor: &Runtime, report: &mut Report) {
    const LIMIT: Duration = Duration::from_millis(20);
    for (name, guest) in [("overshoot p99: spins", "./spin.wat"), ("overshoot p99: sleeps", "./sleep.wat")] {
        if !report.wants(name) {
            continue;
        }
        let registry = registry(|_| {});
        let live = Live::open(executor, &registry, "limits: {wall_time: 20ms}", &repository("guest-fixtures/wasi"));
        live.run(&[guest]);
        let mut past: Vec<_> = (0..200)
            .map(|_| {
                let began = Instant::now();
                assert_eq!(live.run(&[guest]).exit_code(), 124);
                began.elapsed().saturating_sub(LIMIT)
            })
            .collect();
        report.alone(name, middle(&mut past, 99), Duration::from_millis(5));
    }
}

/// From the kill to its return.
pub(crate) fn kill(executor: &Runtime, report: &mut Report) {
    let name = "kill to return p99: spins";
    if !report.wants(name) {
        return;
    }
    let registry = registry(|_| {});
    let live = Live::open(executor, &registry, "", &repository("guest-fixtures/wasi"));
    let mut took: Vec<_> = (0..200)
        .map(|_| {
            executor.block_on(async {
                let running = live.runtime.stream(Command::argv(["./spin.wat"])).await.unwrap();
                tokio::time::sleep(Duration::from_millis(2)).await;
                let began = Instant::now();
                running.kill().await.unwrap();
                began.elapsed()
            })
        })
        .collect();
    report.alone(name, middle(&mut took, 99), Duration::from_millis(1));
}
