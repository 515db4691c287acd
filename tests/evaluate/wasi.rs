//! The same on WASI: many cases of a small guest, and the same verdicts as on any runtime.

use bailiwick::evaluate::{RunOptions, Verdict};

use crate::support::Place;

/// Reads standard input and writes it back; traps on an `!`, hangs on a `?`.
const GUEST: &str = r#"(module
  (import "wasi_snapshot_preview1" "fd_read" (func $read (param i32 i32 i32 i32) (result i32)))
  (import "wasi_snapshot_preview1" "fd_write" (func $write (param i32 i32 i32 i32) (result i32)))
  (memory (export "memory") 1)
  (func (export "_start")
    (i32.store (i32.const 0) (i32.const 64))
    (i32.store (i32.const 4) (i32.const 1024))
    (drop (call $read (i32.const 0) (i32.const 0) (i32.const 1) (i32.const 8)))
    (if (i32.eq (i32.load8_u (i32.const 64)) (i32.const 33)) (then unreachable))
    (if (i32.eq (i32.load8_u (i32.const 64)) (i32.const 63)) (then (loop $on (br $on))))
    (i32.store (i32.const 4) (i32.load (i32.const 8)))
    (drop (call $write (i32.const 1) (i32.const 0) (i32.const 1) (i32.const 8)))))"#;

fn place(cases: &str) -> Place {
    let mut place = Place::new(cases, "");
    std::fs::remove_file(place.path("submission/main.sh")).unwrap();
    place.spec = "type: wasi\nname: wat\ncommands: {entry_file: './{entry_file}.wat', command: ''}\n".to_owned();
    place.write("submission/main.wat", GUEST);
    place
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn verdicts_are_those_of_the_guest() {
    let place = place(
        r#"
defaults: {limits: {wall_time: 300ms}}
cases:
  - {id: right, stdin: abc, expect: {stdout: abc}}
  - {id: wrong, stdin: abc, expect: {stdout: abd}}
  - {id: traps, stdin: "!"}
  - {id: hangs, stdin: "?"}
"#,
    );
    place.judge().await.expect(&[
        ("right", Verdict::Ac),
        ("wrong", Verdict::Wa),
        ("traps", Verdict::Rte),
        ("hangs", Verdict::Tle),
    ]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_thousand_cases_have_two_thousand_verdicts() {
    let numbers: Vec<String> = (0..2_000).map(|number| number.to_string()).collect();
    let cases = format!(
        "cases: [{{id: c, matrix: {{n: [{}]}}, stdin: '${{n}}', expect: {{stdout: '${{n}}'}}}}]",
        numbers.join(",")
    );
    let place = place(&cases);
    let one = place.judge_with(RunOptions::jobs(1)).await;
    assert_eq!(one.results.score().count(Verdict::Ac), 2_000);
    let two = place.judge_with(RunOptions::jobs(2)).await;
    assert_eq!(one.timeless(), two.timeless());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_module_that_is_none_does_not_start() {
    let place = place("cases: [{id: a}]");
    place.write("submission/main.wat", "(module (import \"x\" \"y\" (func)))");
    place.judge().await.expect(&[("a", Verdict::Ce)]);
}

#[tokio::test]
async fn a_runtime_without_ports_is_told_before_the_first_case() {
    let place = place("adapter: http\ncases: [{id: a}]");
    let registry = place.registry();
    let error = place.prepare(&registry).await.unwrap_err();
    assert_eq!(error.kind(), bailiwick::ErrorKind::Spec, "{error}");
    assert!(error.to_string().contains("ports"), "{error}");
    place.is_clean(&registry).await;
}
