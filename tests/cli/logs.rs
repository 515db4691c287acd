//! The log: what a guest says, and how it names things, never gets into it.

use std::process::Command;

/// A word that stands in every place that a guest can fill.
const CANARY: &str = "canary-7f3a";

/// A module whose name, function, output and memory hold the canary, and which then traps.
const GUEST: &str = r#"(module $canary-7f3a
  (import "wasi_snapshot_preview1" "fd_write" (func $write (param i32 i32 i32 i32) (result i32)))
  (memory (export "memory") 1)
  (data (i32.const 0) "\10\00\00\00\0c\00\00\00")
  (data (i32.const 16) "canary-7f3a\n")
  (func $canary-7f3a unreachable)
  (func (export "_start")
    (drop (call $write (i32.const 1) (i32.const 0) (i32.const 1) (i32.const 12)))
    (drop (call $write (i32.const 2) (i32.const 0) (i32.const 1) (i32.const 12)))
    (call $canary-7f3a)))"#;

/// A module that cannot be linked, and says so with the canary.
const UNKNOWN: &str = r#"(module (import "canary-7f3a" "canary-7f3a" (func)) (func (export "_start")))"#;

fn logged(format: &str, submission: &std::path::Path, file: &str) -> (String, String) {
    let output = Command::new(env!("CARGO_BIN_EXE_bailiwick"))
        .args(["run", "-vvv", "--log-format", format, "--json", "--env", &format!("WORD={CANARY}"), "--submission"])
        .arg(submission)
        .arg("--")
        .args([file, CANARY])
        .env("HOME", submission)
        .output()
        .unwrap();
    (String::from_utf8(output.stderr).unwrap(), String::from_utf8(output.stdout).unwrap())
}

#[test]
fn nothing_of_a_guest_gets_into_the_log() {
    let submission = tempfile::tempdir().unwrap();
    let (traps, unknown) = (format!("./{CANARY}.wat"), format!("./{CANARY}-2.wat"));
    std::fs::write(submission.path().join(&traps), GUEST).unwrap();
    std::fs::write(submission.path().join(&unknown), UNKNOWN).unwrap();
    for format in ["text", "json"] {
        for (file, termination) in [(&traps, "trapped"), (&unknown, "not_started")] {
            let (log, result) = logged(format, submission.path(), file);
            assert!(result.contains(CANARY) && result.contains(termination), "{result}");
            assert!(log.contains("bailiwick::command") && log.contains(termination), "{log}");
            assert!(!log.contains(CANARY), "{log}");
        }
    }
}
