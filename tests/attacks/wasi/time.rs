//! Attacks on time: guests that try to outlive their limits, and limits at their edges.

use std::sync::Arc;
use std::task::Poll;

use bailiwick::spec::LimitName;
use bailiwick::{Command, RuntimeResult, Stdin, Termination};

use crate::guest::{Guest, OPENED, OUT, SCRATCH, forever};
use crate::support::{LONG, Yard, run, write};

const WALL: &str = "limits: {wall_time: 300ms, memory: 512MiB}";

fn assert_limit(result: &RuntimeResult, wanted: LimitName, what: &str) {
    let held = matches!(&result.termination, Termination::LimitExceeded { limit, .. } if *limit == wanted);
    assert!(held, "{what}: {result}");
}

/// Runs guests that never end by themselves, and sees each of them ended by the wall limit.
async fn outlast(guests: &[(&str, String)]) {
    let yard = Yard::open_alone().await;
    let registry = yard.registry();
    let (session, runtime) = Yard::open(&registry, WALL).await;
    for (what, guest) in guests {
        assert_limit(&*run(&session, &runtime, guest).await, LimitName::WallTime, what);
    }
    session.close().await.unwrap();
    drop((session, runtime));
    yard.check(registry).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn g7_no_host_call_outlasts_the_wall_limit() {
    let mut sleep = Guest::new();
    // One subscription to the monotonic clock: an hour.
    sleep.then("(i32.store (i32.const 664) (i32.const 1)) (i64.store (i32.const 672) (i64.const 3600000000000))");
    sleep.call("poll_oneoff (i32.const 648) (i32.const 700) (i32.const 1) (i32.const 800)");
    outlast(&[
        ("an hour", sleep.finish()),
        ("random numbers", forever(20, "(drop (call $random_get (i32.const 65536) (i32.const 1000000)))")),
        ("listings", forever(2, "(drop (call $fd_readdir (i32.const 4) (i32.const 40000) (i32.const 4096) (i64.const 0) (i32.const 600)))")),
        ("the clock", forever(2, "(drop (call $clock_time_get (i32.const 1) (i64.const 0) (i32.const 600)))")),
        ("empty polls", forever(2, "(drop (call $poll_oneoff (i32.const 648) (i32.const 700) (i32.const 0) (i32.const 800)))")),
        ("writes to nowhere", forever(2, "(drop (call $fd_write (i32.const 99) (i32.const 0) (i32.const 1) (i32.const 8)))")),
    ])
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn g7_input_that_never_comes_outlasts_no_limit() {
    let yard = Yard::open_alone().await;
    let registry = yard.registry();
    let (session, runtime) = Yard::open(&registry, WALL).await;
    let mut guest = Guest::new();
    guest.then("(i32.store (i32.const 32) (i32.const 40000)) (i32.store (i32.const 36) (i32.const 64))");
    guest.call("fd_read (i32.const 0) (i32.const 32) (i32.const 1) (i32.const 40)");
    write(&session, "attack.wat", guest.finish().as_bytes()).await;
    let (writer, stdin) = Stdin::live();
    let running = runtime.execute(Command::argv(["./attack.wat"]).grant_stdin(stdin));
    let result = tokio::time::timeout(LONG, running).await.unwrap().unwrap();
    drop(writer);
    assert_limit(&result, LimitName::WallTime, "a read");
    session.close().await.unwrap();
    drop((session, runtime));
    yard.check(registry).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn g8_no_instruction_outlasts_the_wall_limit() {
    let fill = "(memory.fill (i32.const 0) (i32.const 7) (i32.const 67108864))";
    let copy = "(memory.copy (i32.const 0) (i32.const 1) (i32.const 67108863))";
    let bare = |fields: &str, body: &str| {
        format!("(module (memory (export \"memory\") 1) {fields} (func (export \"_start\") {body}))")
    };
    outlast(&[
        ("filling", forever(1024, fill)),
        ("copying", forever(1024, copy)),
        ("an empty loop", bare("", "(loop $again (br $again))")),
        ("a loop of calls", bare("(func $f)", "(loop $again (call $f) (br $again))")),
        (
            "a loop through a table",
            bare("(table 1 funcref) (elem (i32.const 0) $f) (func $f)", "(loop $again (call_indirect (i32.const 0)) (br $again))"),
        ),
        (
            "filling a table",
            bare("(table $t 1000000 funcref)", "(loop $again (table.fill $t (i32.const 0) (ref.null func) (i32.const 1000000)) (br $again))"),
        ),
        ("a start function", "(module (memory (export \"memory\") 1) (func $s (loop $again (br $again))) (start $s) (func (export \"_start\")))".to_owned()),
        ("tail calls", bare("(func $f (return_call $f))", "(call $f)")),
        (
            "exceptions",
            bare("(tag $t)", "(loop $again (block $caught (try_table (catch_all $caught) (throw $t))) (br $again))"),
        ),
    ])
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn g28_many_small_calls_outlast_no_limit() {
    let mut files = Guest::new();
    let path = files.text("x");
    files.then(format!(
        "(loop $again
           (drop (call $path_open (i32.const 4) (i32.const 0) {path} (i32.const 1) (i64.const 66) (i64.const 0)
             (i32.const 0) {OUT}))
           (drop (call $fd_sync {OPENED}))
           (drop (call $fd_close {OPENED}))
           (drop (call $unlink (i32.const 4) {path}))
           (br $again))"
    ));
    let stat = format!("(drop (call $fd_filestat_get (i32.const 4) {SCRATCH}))");
    outlast(&[("making and removing", files.finish()), ("looking", forever(2, &stat))]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn g25_fuel_is_exact_at_its_edges() {
    let yard = Yard::open_alone().await;
    let registry = yard.registry();
    let guest = "(module (memory (export \"memory\") 1) (func (export \"_start\") (local $n i32)
        (loop $again (local.set $n (i32.add (local.get $n) (i32.const 1)))
          (br_if $again (i32.lt_u (local.get $n) (i32.const 1000))))))";
    let run_with = async |fuel: u64| {
        let (session, runtime) = Yard::open(&registry, &format!("limits: {{fuel: {fuel}}}")).await;
        let result = run(&session, &runtime, guest).await;
        session.close().await.unwrap();
        result
    };
    let whole = run_with(1_000_000).await;
    assert_eq!(whole.exit_code(), 0, "{whole}");
    let used = *whole.usage.fuel.value().expect("fuel was asked for");
    assert_eq!(*run_with(1_000_000).await.usage.fuel.value().unwrap(), used);
    // It is looked at where a function or a turn of a loop begins, so the last few instructions may go unpaid.
    for (fuel, ends) in [(used, true), (used + 1, true), (1 << 50, true), (used - 100, false), (1, false)] {
        let result = run_with(fuel).await;
        if ends {
            assert_eq!(result.exit_code(), 0, "{fuel}: {result}");
        } else {
            assert_limit(&result, LimitName::Fuel, &fuel.to_string());
        }
    }
    yard.check(registry).await;
}

#[tokio::test]
async fn g19_a_command_may_be_dropped_at_every_await() {
    let yard = Yard::open_alone().await;
    let registry = yard.registry();
    let (session, runtime) = Yard::open(&registry, "").await;
    let mut guest = Guest::new();
    guest.open(4, "attack.wat", 0);
    guest.call("sock_shutdown (i32.const 0) (i32.const 3)");
    guest.then(
        "(loop $again (drop (call $random_get (i32.const 40000) (i32.const 20000))) (br_if $again (i32.const 0)))",
    );
    let guest = guest.finish();
    write(&session, "attack.wat", guest.as_bytes()).await;
    let mut ended = 0;
    for polls in 0..200 {
        let mut running = Box::pin(runtime.execute(Command::argv(["./attack.wat"])));
        for _ in 0..polls {
            let polled = std::future::poll_fn(|context| Poll::Ready(running.as_mut().poll(context))).await;
            if let Poll::Ready(result) = polled {
                assert_eq!(result.unwrap().exit_code(), 0);
                ended += 1;
                break;
            }
            tokio::task::yield_now().await;
        }
        drop(running);
        if ended > 10 {
            break;
        }
    }
    let result: Arc<RuntimeResult> = run(&session, &runtime, &guest).await;
    assert_eq!(result.exit_code(), 0, "{result}");
    session.close().await.unwrap();
    drop((session, runtime));
    yard.check(registry).await;
}
