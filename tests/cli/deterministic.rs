//! `--deterministic`, which belongs to no runtime by name.

use bailiwick::RuntimeRegistry;
use bailiwick::cli::{Input, Streams};

use crate::support::{Bench, Kept, host};

/// Prints the time of day in seconds, as raw bytes, and then eight random ones.
const GUEST: &str = r#"(module
  (import "wasi_snapshot_preview1" "fd_write" (func $write (param i32 i32 i32 i32) (result i32)))
  (import "wasi_snapshot_preview1" "clock_time_get" (func $time (param i32 i64 i32) (result i32)))
  (import "wasi_snapshot_preview1" "random_get" (func $random (param i32 i32) (result i32)))
  (memory (export "memory") 1)
  (func (export "_start")
    (drop (call $time (i32.const 0) (i64.const 1) (i32.const 16)))
    (i64.store (i32.const 16) (i64.div_u (i64.load (i32.const 16)) (i64.const 1000000000)))
    (drop (call $random (i32.const 24) (i32.const 8)))
    (i32.store (i32.const 0) (i32.const 16))
    (i32.store (i32.const 4) (i32.const 16))
    (drop (call $write (i32.const 1) (i32.const 0) (i32.const 1) (i32.const 8)))))"#;

fn run(bench: &Bench, flags: &[&str]) -> (u64, Vec<u8>) {
    let (stdout, stderr) = (Kept::default(), Kept::default());
    let streams = Streams {
        stdout: Box::new(stdout.clone()),
        stderr: Box::new(stderr.clone()),
        stdin: Input { reader: Box::new(std::io::empty()), is_given: false },
        colour: false,
        progress: false,
    };
    let guest = bench.file("guest.wat", GUEST);
    let words = [&["bailiwick", "run"], flags, &[&guest]].concat().into_iter().map(std::ffi::OsString::from);
    let registry = |host| RuntimeRegistry::builder(host).with_builtins().build();
    let code = bailiwick::cli::run_with(streams, host(bench.home.path()), registry, words.collect::<Vec<_>>());
    assert_eq!(code, std::process::ExitCode::SUCCESS, "{}", String::from_utf8_lossy(&stderr.bytes()));
    let bytes = stdout.bytes();
    (u64::from_le_bytes(bytes[..8].try_into().unwrap()), bytes[8..].to_owned())
}

#[test]
fn a_seed_may_follow_the_flag_and_the_specs_own_stays() {
    const START: u64 = 946_684_800;
    let bench = Bench::new();
    let (time, zero) = run(&bench, &["--deterministic"]);
    assert_eq!(time, START);
    assert_eq!(run(&bench, &["--deterministic=0"]), (START, zero.clone()));
    let (_, seven) = run(&bench, &["--deterministic=7"]);
    assert_ne!(seven, zero);
    assert_eq!(run(&bench, &["--deterministic", "--set", "wasi.determinism.seed=7"]), (START, seven.clone()));
    let start = "wasi.determinism.start=2010-01-01T00:00:00Z";
    assert_eq!(run(&bench, &["--deterministic=7", "--set", start]), (1_262_304_000, seven));
    let (now, _) = run(&bench, &[]);
    assert!(now > 1_600_000_000, "without the flag the host's clock shows");
}

#[test]
fn a_runtime_without_it_refuses_the_flag() {
    let said = Bench::new().run(&["run", "--deterministic", "say"]).expect(2);
    assert!(said.stderr.contains("the runtime `echo` cannot be deterministic"), "{}", said.stderr);
    assert!(said.stderr.contains("hint: "), "{}", said.stderr);
    Bench::new().run(&["run", "--deterministic=x", "say"]).expect(2);
}
