//! The bounds of the WASI runtime, each at its limit and one step past it: never an error of the host.

#![expect(clippy::unwrap_used, reason = "the helpers of a test fail like the test")]

mod wat;

use std::time::Duration;

use bailiwick::spec::{self, Limit, LimitName, LimitValue, LimitsConfig, Span};
use bailiwick::{
    Command, Host, InputContent, InputFile, Ruled, RuntimeRegistry, Session, SpawnRequest, Termination, WorkspacePath,
};
use wat::Bench;

fn trapped(termination: &Termination) -> Option<&'static str> {
    if let Termination::Trapped { trap, .. } = termination { Some(trap) } else { None }
}

fn exceeded(termination: &Termination) -> Option<LimitName> {
    if let Termination::LimitExceeded { limit, .. } = termination { Some(*limit) } else { None }
}

#[tokio::test]
async fn what_the_host_allows_holds_for_commands_too() {
    let mut host = Host::default();
    let ceiling = Ruled::new(LimitValue::Time(Duration::from_secs(20)), "the test:1");
    host.policy.ceilings.insert(LimitName::WallTime, ceiling);
    let bench = Bench::open_on(host, "").await;
    let guest = r#"(module (memory (export "memory") 1) (func (export "_start")))"#;
    let mut limits = LimitsConfig::default();
    for (seconds, fits) in [(20, true), (21, false)] {
        limits.wall_time = Limit::Set(Span(Duration::from_secs(seconds)));
        let command = bench.command(guest).await.limited_by(limits.clone());
        let ran = bench.runtime.execute(command).await.map_err(bailiwick::ExecutionError::from);
        assert_eq!(ran.is_ok(), fits, "{ran:?}");
        if let Err(error) = ran {
            assert_eq!(error.kind(), bailiwick::ErrorKind::Forbidden);
            assert!(error.to_string().starts_with("the test:1 allows"), "{error}");
        }
    }
    bench.close().await;
}

#[tokio::test]
async fn what_the_host_allows_holds_for_the_lines_of_a_set_up() {
    let mut host = Host::default();
    let ceiling = Ruled::new(LimitValue::Time(Duration::from_millis(200)), "the test:1");
    host.policy.ceilings.insert(LimitName::WallTime, ceiling);
    let registry = RuntimeRegistry::builder(host).with_builtins().build().unwrap();
    let spec = "type: wasi\nname: test\nsetup: {commands: [./spin.wat]}\n";
    let spec = spec::load(spec, "test", &registry).unwrap().spec;
    let session = Session::builder(&registry, spec).without_reset().open().await.unwrap();
    let spin = r#"(module (memory (export "memory") 1) (func (export "_start") (loop (br 0))))"#;
    let file = InputFile::new(WorkspacePath::new("spin.wat").unwrap(), InputContent::Text(spin.to_owned()));
    session.materialize_input_files(vec![file]).await.unwrap();
    let runtime = session.spawn(SpawnRequest::default()).await.unwrap();
    let result = runtime.execute(Command::argv(["./none.wat"])).await.unwrap();
    assert_eq!(exceeded(&result.setup[0].termination), Some(LimitName::WallTime), "{result}");
    session.close().await.unwrap();
}

#[tokio::test]
async fn a_long_text_is_no_module() {
    let bench = Bench::open("").await;
    let text = format!("(module {})", ";; words\n".repeat(1 << 20));
    let result = bench.run(&text).await;
    assert!(result.to_string().contains("its text is longer than 8MiB"), "{result}");
    bench.close().await;
}

#[tokio::test]
async fn g11_random_bytes_come_up_to_a_mebibyte_a_call() {
    let bench = Bench::open("").await;
    let guest = |len: u64| {
        format!(
            r#"(module (import "wasi_snapshot_preview1" "random_get" (func $random (param i32 i32) (result i32)))
            (import "wasi_snapshot_preview1" "proc_exit" (func $exit (param i32)))
            (memory (export "memory") 32)
            (func (export "_start") (call $exit (call $random (i32.const 0) (i32.const {len})))))"#
        )
    };
    let at = bench.run(&guest(1 << 20)).await;
    assert_eq!((at.exit_code(), at.notes.len()), (0, 0), "{at}");
    for len in [(1 << 20) + 1, 0xffff_ffff] {
        let past = bench.run(&guest(len)).await;
        assert_eq!(past.exit_code(), 28, "{past}");
        assert!(past.notes.iter().any(|note| note.contains("random bytes")), "{:?}", past.notes);
    }
    bench.close().await;
}

#[tokio::test]
async fn g14_arguments_and_environment_have_a_largest_size() {
    let bench = Bench::open("").await;
    let guest = r#"(module (memory (export "memory") 1) (func (export "_start")))"#;
    let fits = bench.command(guest).await.grant_env("LARGE", "x".repeat(1 << 19));
    assert_eq!(bench.runtime.execute(fits).await.unwrap().exit_code(), 0);
    let past = bench.command(guest).await.grant_env("LARGE", "x".repeat(1 << 20));
    let error = bailiwick::ExecutionError::from(bench.runtime.execute(past).await.unwrap_err());
    assert_eq!(error.kind(), bailiwick::ErrorKind::Spec, "{error}");
    assert!(error.hint().unwrap().contains("1MiB"), "{:?}", error.hint());
    bench.close().await;
}

#[tokio::test]
async fn g28_host_calls_are_counted() {
    let bench = Bench::open("wasi: {host_calls: 100}").await;
    // Asks for the time so often, then ends.
    let guest = |calls: u32| {
        format!(
            r#"(module (import "wasi_snapshot_preview1" "clock_time_get" (func $time (param i32 i64 i32) (result i32)))
            (memory (export "memory") 1)
            (func (export "_start") (local $n i32)
              (loop $more
                (drop (call $time (i32.const 1) (i64.const 0) (i32.const 0)))
                (local.set $n (i32.add (local.get $n) (i32.const 1)))
                (br_if $more (i32.lt_u (local.get $n) (i32.const {calls}))))))"#
        )
    };
    let at = bench.run(&guest(100)).await;
    assert_eq!((at.exit_code(), at.notes.len()), (0, 0), "{at}");
    let past = bench.run(&guest(1_000_000_000)).await;
    assert_eq!(trapped(&past.termination), Some("too_many_host_calls"), "{past}");
    assert!(past.notes.iter().any(|note| note.contains("100 host calls")), "{:?}", past.notes);
    bench.close().await;
}

#[tokio::test]
async fn g9_memory_is_held_to_the_page() {
    let bench = Bench::open("limits: {memory: 1MiB}").await;
    let initial = |pages: u32| format!(r#"(module (memory (export "memory") {pages}) (func (export "_start")))"#);
    assert_eq!(bench.run(&initial(16)).await.exit_code(), 0);
    let past = bench.run(&initial(17)).await;
    assert_eq!(exceeded(&past.termination), Some(LimitName::Memory), "{past}");
    // Grows in one step, and fails where that is refused.
    let grow = |pages: u32| {
        format!(
            r#"(module (memory (export "memory") 1)
            (func (export "_start")
              (if (i32.eq (memory.grow (i32.const {pages})) (i32.const -1)) (then unreachable))))"#
        )
    };
    assert_eq!(bench.run(&grow(15)).await.exit_code(), 0);
    let past = bench.run(&grow(16)).await;
    assert_eq!(exceeded(&past.termination), Some(LimitName::Memory), "{past}");
    bench.close().await;
}

#[tokio::test]
async fn g9_tables_are_memory_too() {
    let bench = Bench::open("limits: {memory: 1MiB}").await;
    // The page of memory takes 64 KiB, an element of a table 16 bytes: 61,440 of them fit.
    let table = |elements: u32| {
        format!(
            r#"(module (memory (export "memory") 1) (table $t 0 funcref)
            (func (export "_start")
              (if (i32.eq (table.grow $t (ref.null func) (i32.const {elements})) (i32.const -1)) (then unreachable))))"#
        )
    };
    assert_eq!(bench.run(&table(61_440)).await.exit_code(), 0);
    let past = bench.run(&table(61_441)).await;
    assert_eq!(exceeded(&past.termination), Some(LimitName::Memory), "{past}");
    bench.close().await;
}

#[tokio::test]
async fn g9_many_memories_tables_and_wide_addresses_are_results() {
    let bench = Bench::open("limits: {memory: 64MiB}").await;
    let many = |what: &str, count: usize| {
        format!(r#"(module (memory (export "memory") 1) {} (func (export "_start")))"#, what.repeat(count))
    };
    for (what, count) in [("(memory 1)", 3), ("(memory 1)", 200), ("(table 10 funcref)", 200), ("(memory i64 1)", 1)] {
        let result = bench.run(&many(what, count)).await;
        // Either it runs within the bounds, or it never started: both are results with a known end.
        let known = matches!(
            result.termination,
            Termination::Exited { code: 0 }
                | Termination::NotStarted { .. }
                | Termination::Trapped { .. }
                | Termination::LimitExceeded { limit: LimitName::Memory, .. }
        );
        assert!(known, "{count} × {what}: {result}");
        assert!(count < 100 || result.exit_code() != 0, "{count} × {what}: {result}");
    }
    bench.close().await;
}

#[tokio::test]
async fn g30_many_instances_of_a_component_are_a_result() {
    let bench = Bench::open("").await;
    let instances = "(core instance (instantiate $m))".repeat(500);
    let component = format!(
        r#"(component
          (core module $m (memory (export "memory") 1) (func (export "run") (result i32) (i32.const 0)))
          {instances}
          (core instance $i (instantiate $m))
          (func $run (result (result)) (canon lift (core func $i "run")))
          (instance $r (export "run" (func $run)))
          (export "wasi:cli/run@0.2.0" (instance $r)))"#
    );
    let result = bench.run(&component).await;
    assert_ne!(result.exit_code(), 0, "{result}");
    let one = component.replace(&instances, "");
    assert_eq!(bench.run(&one).await.exit_code(), 0);
    bench.close().await;
}

#[tokio::test]
async fn g8_the_stack_has_an_end_and_so_has_fuel() {
    let bench = Bench::open("limits: {stack: 256KiB}").await;
    let depth = |calls: u32| {
        format!(
            r#"(module (memory (export "memory") 1)
            (func $down (param i32) (if (local.get 0) (then (call $down (i32.sub (local.get 0) (i32.const 1))))))
            (func (export "_start") (call $down (i32.const {calls}))))"#
        )
    };
    assert_eq!(bench.run(&depth(100)).await.exit_code(), 0);
    let past = bench.run(&depth(100_000_000)).await;
    assert_eq!(trapped(&past.termination), Some("stack_overflow"), "{past}");
    bench.close().await;

    let guest = r#"(module (memory (export "memory") 1)
        (func (export "_start") (local $n i32)
          (loop $more
            (local.set $n (i32.add (local.get $n) (i32.const 1)))
            (br_if $more (i32.lt_u (local.get $n) (i32.const 1000))))))"#;
    let bench = Bench::open("limits: {fuel: 1000000}").await;
    let needed = *bench.run(guest).await.usage.fuel.value().unwrap();
    let mut codes = Vec::new();
    for fuel in needed - 20..=needed {
        let mut limits = LimitsConfig::default();
        limits.fuel = Limit::Set(fuel);
        let mut again = [0, 0];
        for code in &mut again {
            let command = bench.command(guest).await.limited_by(limits.clone());
            *code = bench.runtime.execute(command).await.unwrap().exit_code();
        }
        assert_eq!(again[0], again[1], "{fuel} of {needed} fuel end in two ways");
        codes.push(again[0]);
    }
    // The engine looks at every loop and function: one step makes the difference, and all below it is too little.
    let enough = codes.iter().position(|code| *code == 0).unwrap();
    assert!(enough > 0 && codes[..enough].iter().all(|code| *code == 124), "{codes:?}");
    assert!(codes[enough..].iter().all(|code| *code == 0), "{codes:?}");
    bench.close().await;
}
