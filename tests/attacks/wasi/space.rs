//! Attacks on memory and tables of descriptors: what a guest may take, and what it may make the host write.

use std::collections::BTreeMap;

use bailiwick::spec::LimitName;
use bailiwick::{Command, Termination};

use crate::guest::{Guest, SCRATCH};
use crate::support::{LONG, Yard, run, said, write};

#[tokio::test(flavor = "multi_thread")]
async fn g9_memories_and_tables_are_counted_together() {
    let yard = Yard::open_alone().await;
    let registry = yard.registry();
    let limit: u64 = 64 << 20;
    let (session, runtime) = Yard::open(&registry, "limits: {memory: 64MiB, wall_time: 20s}").await;
    let grow = |fields: &str, body: &str| {
        format!(
            "(module (memory (export \"memory\") 1) {fields} (func (export \"_start\") (loop $again {body} (br $again))))"
        )
    };
    let failing = "(if (i32.lt_s (local.get $n) (i32.const 0)) (then unreachable))";
    let page = format!("(local.set $n (memory.grow (i32.const 1))) {failing}");
    let table = format!("(local.set $n (table.grow $t (ref.null func) (i32.const 100000))) {failing}");
    let with_local =
        |text: String| text.replace("(func (export \"_start\")", "(func (export \"_start\") (local $n i32)");
    for (what, guest) in [
        ("pages", with_local(grow("", &page))),
        ("a table", with_local(grow("(table $t 0 funcref)", &table))),
        ("both", with_local(grow("(table $t 0 funcref)", &format!("{page} {table}")))),
    ] {
        let result = run(&session, &runtime, &guest).await;
        assert!(
            matches!(&result.termination, Termination::LimitExceeded { limit: LimitName::Memory, .. }),
            "{what}: {result}"
        );
        assert!(*result.usage.peak_memory.value().unwrap() <= limit, "{what}: {result}");
    }
    // More memories and a wider address are refused, or count too.
    for (what, fields) in [
        ("many memories", "(memory 512) (memory 512) (memory 512)"),
        ("a wide memory", "(memory i64 4096)"),
        ("a huge table", "(table 100000000 funcref)"),
        ("many tables", &"(table 1000 funcref)".repeat(90)),
    ] {
        let result = run(&session, &runtime, &format!("(module {fields} (func (export \"_start\")))")).await;
        assert!(
            matches!(
                &result.termination,
                Termination::LimitExceeded { limit: LimitName::Memory, .. }
                    | Termination::NotStarted { .. }
                    | Termination::Trapped { trap: "host_call", .. }
            ),
            "{what}: {result}"
        );
    }
    session.close().await.unwrap();
    drop((session, runtime));
    yard.check(registry).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn g10_descriptors_may_be_closed_and_moved_in_any_order() {
    let yard = Yard::open_alone().await;
    let registry = yard.registry();
    let mut guest = Guest::new();
    for call in [
        "fd_renumber (i32.const 4) (i32.const 3)",
        "fd_renumber (i32.const 3) (i32.const 3)",
        "fd_renumber (i32.const 3) (i32.const 999)",
        "fd_renumber (i32.const 999) (i32.const 3)",
        "fd_renumber (i32.const -1) (i32.const -2)",
        "fd_close (i32.const 5)",
        "fd_close (i32.const 5)",
        "fd_close (i32.const 2)",
        "fd_close (i32.const 0)",
        "fd_close (i32.const -1)",
    ] {
        guest.call(call);
    }
    guest.open(3, "attack.wat", 0);
    let path = guest.text("attack.wat");
    // Opens for as long as it is let, and says how it ended.
    guest.then(format!(
        "(loop $again
           (local.set $e (call $path_open (i32.const 3) (i32.const 0) {path} (i32.const 0) (i64.const 2) (i64.const 0)
             (i32.const 0) {SCRATCH}))
           (local.set $n (i32.add (local.get $n) (i32.const 1)))
           (br_if $again (i32.and (i32.eqz (local.get $e)) (i32.lt_u (local.get $n) (i32.const 100000)))))
         (call $say (i64.extend_i32_u (local.get $n)))
         (call $say (i64.extend_i32_u (local.get $e)))"
    ));
    let (session, runtime) = Yard::open(&registry, "limits: {open_files: 64}").await;
    let result = run(&session, &runtime, &guest.finish()).await;
    assert_eq!(result.exit_code(), 0, "{result}");
    let numbers = said(&result);
    let [opened, end] = numbers[numbers.len() - 2..] else { panic!("{numbers:?}") };
    assert!(end != 0 && opened < 200, "{numbers:?}");
    session.close().await.unwrap();
    drop((session, runtime));
    yard.check(registry).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn g11_odd_buffers_and_g13_odd_listings_and_g17_odd_times() {
    let yard = Yard::open_alone().await;
    let registry = yard.registry();
    let edge = "(i32.const 131071)";
    let odd = ["0", "1", "-1", "9223372036854775807", "-9223372036854775808", "4294967296"];
    let mut calls = vec![
        "random_get (i32.const 0) (i32.const -1)".to_owned(),
        "random_get (i32.const -1) (i32.const 1)".to_owned(),
        format!("random_get {edge} (i32.const 2)"),
        format!("fd_write (i32.const 1) {edge} (i32.const 1) {SCRATCH}"),
        format!("fd_write (i32.const 1) (i32.const 40000) (i32.const -1) {SCRATCH}"),
        format!("fd_write (i32.const 1) (i32.const 40000) (i32.const 1000000) {SCRATCH}"),
        format!("fd_read (i32.const 0) (i32.const 40000) (i32.const 268435456) {SCRATCH}"),
        format!("fd_readdir (i32.const 4) (i32.const 40000) (i32.const -1) (i64.const 0) {SCRATCH}"),
        format!("fd_readdir (i32.const 4) {edge} (i32.const 1) (i64.const 0) (i32.const 131070)"),
        format!("readlink (i32.const 4) (i32.const 1024) (i32.const 0) (i32.const 0) (i32.const 0) {SCRATCH}"),
        format!("readlink (i32.const 4) (i32.const 1024) (i32.const -1) (i32.const 0) (i32.const 0) {SCRATCH}"),
        "poll_oneoff (i32.const 0) (i32.const 0) (i32.const -1) (i32.const 600)".to_owned(),
        "poll_oneoff (i32.const -8) (i32.const -8) (i32.const 1) (i32.const 600)".to_owned(),
        "args_sizes_get (i32.const -4) (i32.const -4)".to_owned(),
        "environ_sizes_get (i32.const 131070) (i32.const 0)".to_owned(),
        "fd_prestat_get (i32.const 3) (i32.const 131068)".to_owned(),
    ];
    for clock in [0, 1, 2, 3, 4, -1] {
        calls.push(format!("clock_res_get (i32.const {clock}) {SCRATCH}"));
        calls.push(format!("clock_time_get (i32.const {clock}) (i64.const -1) {SCRATCH}"));
    }
    for number in odd {
        for (buffer, length) in [("40000", "0"), ("40000", "1"), ("40000", "24"), ("40000", "4096")] {
            calls.push(format!(
                "fd_readdir (i32.const 4) (i32.const {buffer}) (i32.const {length}) (i64.const {number}) {SCRATCH}"
            ));
        }
        for fd in [4, 6] {
            for whence in [0, 1, 2, 3] {
                calls.push(format!("fd_seek (i32.const {fd}) (i64.const {number}) (i32.const {whence}) {SCRATCH}"));
            }
            for flags in [0, 1, 2, 3, 5, 10, 15, -1] {
                calls.push(format!(
                    "fd_filestat_set_times (i32.const {fd}) (i64.const {number}) (i64.const {number}) (i32.const {flags})"
                ));
            }
            calls.push(format!("fd_filestat_set_size (i32.const {fd}) (i64.const {number})"));
            calls.push(format!(
                "fd_pwrite (i32.const {fd}) (i32.const 32) (i32.const 1) (i64.const {number}) {SCRATCH}"
            ));
            calls.push(format!("fd_advise (i32.const {fd}) (i64.const {number}) (i64.const {number}) (i32.const 9)"));
            calls.push(format!("fd_allocate (i32.const {fd}) (i64.const {number}) (i64.const {number})"));
        }
    }
    let (session, runtime) = Yard::open(&registry, "limits: {disk: 1MiB, on_unsupported: best_effort}").await;
    for call in calls {
        let mut guest = Guest::new();
        guest.open_with(4, "made", 1, 66);
        guest.call(&call);
        let result = run(&session, &runtime, &guest.finish()).await;
        // Refused or trapped or done: any end of the guest's own will do, and the host goes on.
        assert!(
            matches!(&result.termination, Termination::Exited { .. } | Termination::Trapped { .. })
                || matches!(&result.termination, Termination::LimitExceeded { limit: LimitName::Disk, .. }),
            "{call}: {result}"
        );
    }
    session.close().await.unwrap();
    drop((session, runtime));
    yard.check(registry).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn g14_megabytes_of_arguments_and_variables_are_bounded() {
    let yard = Yard::open_alone().await;
    let registry = yard.registry();
    let (session, runtime) = Yard::open(&registry, "").await;
    let mut guest = Guest::new();
    guest.call(format!("args_sizes_get (i32.const 640) {SCRATCH}"));
    guest.call(format!("environ_sizes_get (i32.const 640) {SCRATCH}"));
    write(&session, "attack.wat", guest.finish().as_bytes()).await;
    let mut command = Command::argv(vec!["./attack.wat".to_owned(), "x".repeat(16 << 20)]);
    command.env = BTreeMap::from([("BIG".to_owned(), "y".repeat(16 << 20))]);
    // Either it runs, or the host says that it is too much: never a hang, never a panic.
    let ended = tokio::time::timeout(LONG, runtime.execute(command)).await.unwrap();
    if let Ok(result) = ended {
        assert!(matches!(&result.termination, Termination::Exited { .. } | Termination::NotStarted { .. }), "{result}");
    }
    session.close().await.unwrap();
    drop((session, runtime));
    yard.check(registry).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn g18_no_guest_finds_what_another_left_in_memory() {
    let yard = Yard::open_alone().await;
    let registry = yard.registry();
    let (session, runtime) = Yard::open(&registry, "").await;
    let fills = "(module (memory (export \"memory\") 64) (table $t 1000 funcref) (elem declare func $f) (func $f)
        (func (export \"_start\")
          (table.fill $t (i32.const 0) (ref.func $f) (i32.const 1000))
          (memory.fill (i32.const 0) (i32.const 85) (i32.const 4194304))))";
    let looks = "(module (memory (export \"memory\") 32) (table $t 1000 funcref)
        (func (export \"_start\") (local $n i32)
          (drop (memory.grow (i32.const 32)))
          (loop $again
            (if (i64.ne (i64.load (local.get $n)) (i64.const 0)) (then unreachable))
            (local.set $n (i32.add (local.get $n) (i32.const 8)))
            (br_if $again (i32.lt_u (local.get $n) (i32.const 4194304))))
          (local.set $n (i32.const 0))
          (loop $again
            (if (i32.eqz (ref.is_null (table.get $t (local.get $n)))) (then unreachable))
            (local.set $n (i32.add (local.get $n) (i32.const 1)))
            (br_if $again (i32.lt_u (local.get $n) (i32.const 1000))))))";
    for _ in 0..40 {
        for guest in [fills, looks] {
            let result = run(&session, &runtime, guest).await;
            assert_eq!(result.exit_code(), 0, "{result}");
        }
    }
    session.close().await.unwrap();
    drop((session, runtime));
    yard.check(registry).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn g31_nothing_of_the_host_is_in_the_padding() {
    let yard = Yard::open_alone().await;
    let registry = yard.registry();
    let mut guest = Guest::new();
    // Each structure is filled with 0xAA first; its padding must come back as it was, or zero.
    let calls = [
        (format!("fd_filestat_get (i32.const 4) {SCRATCH}"), [(617, 7)].as_slice()),
        (format!("fd_fdstat_get (i32.const 4) {SCRATCH}"), [(601, 1), (604, 4)].as_slice()),
        (format!("fd_prestat_get (i32.const 4) {SCRATCH}"), [(601, 3)].as_slice()),
    ];
    for (call, padding) in &calls {
        guest.then("(memory.fill (i32.const 600) (i32.const 170) (i32.const 64))");
        guest.then(format!("(drop (call ${call}))"));
        for at in padding.iter().flat_map(|(from, length)| *from..from + length) {
            guest.then(format!("(call $say (i64.load8_u (i32.const {at})))"));
        }
    }
    let numbers = said(&yard.run("", &guest.finish()).await);
    assert_eq!(numbers.len(), 15);
    assert!(numbers.iter().all(|byte| [0, 170].contains(byte)), "{numbers:?}");
    assert_eq!(said(&yard.run("", &guest.finish()).await), numbers);
    yard.check(registry).await;
}
