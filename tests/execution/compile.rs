//! What a submission may make the compiler do: bombs are refused before they are compiled, the rest has a time.

#![expect(clippy::unwrap_used, reason = "the helpers of a test fail like the test")]

mod wat;

use std::sync::Arc;
use std::time::{Duration, Instant};

use bailiwick::{Command, NotStarted, RuntimeResult, Termination};
use wat::Bench;

/// Far less than any of these bombs takes to compile, and far more than a look at it does.
const SOON: Duration = Duration::from_secs(8);

fn not_started(result: &Arc<RuntimeResult>) -> Option<NotStarted> {
    if let Termination::NotStarted { reason, .. } = result.termination { Some(reason) } else { None }
}

/// Turns text into a binary here, which is no work of the runtime's.
fn binary(text: &str) -> Vec<u8> {
    ::wat::parse_str(text).unwrap()
}

fn start(locals: &str, body: &str) -> Vec<u8> {
    binary(&format!(r#"(module (memory (export "memory") 1) (func (export "_start") {locals} {body}))"#))
}

#[tokio::test(flavor = "multi_thread")]
async fn g16_bombs_are_refused_before_they_are_compiled() {
    let adds = "(local.set 0 (i32.add (local.get 0) (i32.const 77777)))".repeat(200_000);
    let locals = format!("(local {})", "i32 ".repeat(2000));
    let moves: String = (0..40_000).map(|n| format!("(local.set {} (local.get {}))", n % 2000, n * 7 % 2000)).collect();
    let deep = format!("{}{}", "block ".repeat(100_000), "end ".repeat(100_000));
    let table = format!("(br_table {} (i32.const 0))", "0 ".repeat(400_000));
    let tiny = "(func (result i32) (i32.const 1))".repeat(100_000);
    let bombs = [
        ("one large function", start("(local i32)", &adds)),
        ("many locals", start(&format!("(local {})", "i32 ".repeat(49_000)), "")),
        ("many moves between many locals", start(&locals, &moves)),
        ("deep nesting", start("", &deep)),
        ("a large branch table", start("", &table)),
        (
            "many functions",
            binary(&format!(r#"(module (memory (export "memory") 1) {tiny} (func (export "_start")))"#)),
        ),
    ];
    let bench = Bench::open("").await;
    for (what, bomb) in bombs {
        let began = Instant::now();
        let result = bench.run(&bomb).await;
        assert_eq!(not_started(&result), Some(NotStarted::CompileLimit), "{what}: {result}");
        assert!(began.elapsed() < SOON, "{what}: {:?}", began.elapsed());
        assert_eq!(result.exit_code(), 126, "{what}");
    }
    bench.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn g16_a_module_has_a_largest_size_and_its_bounds_can_be_moved() {
    let module = start("", &"(nop)".repeat(2000));
    let size = module.len();
    for (size, expected) in [(size, None), (size - 1, Some(NotStarted::CompileLimit))] {
        let bench = Bench::open(&format!("wasi: {{compile: {{size: {size}}}}}")).await;
        assert_eq!(not_started(&bench.run(&module).await), expected, "{size}");
        bench.close().await;
    }
    let bench = Bench::open("wasi: {compile: {body: 1000}}").await;
    assert_eq!(not_started(&bench.run(&module).await), Some(NotStarted::CompileLimit));
    bench.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn g16_compiling_has_a_time() {
    // Much to compile, all of it within the other bounds.
    let function = format!("(func (param i32) (result i32) (local.get 0) {})", "(i32.add (i32.const 3))".repeat(300));
    let module = format!(r#"(module (memory (export "memory") 1) {} (func (export "_start")))"#, function.repeat(200));
    let bench = Bench::open("wasi: {compile: {time: 1ms}}").await;
    let command = bench.command(binary(&module)).await;
    let bailiwick::CommandLine::Argv(words) = command.line else { unreachable!() };
    for _ in 0..2 {
        let result: Arc<RuntimeResult> = bench.runtime.execute(Command::argv(words.clone())).await.unwrap();
        assert_eq!(not_started(&result), Some(NotStarted::CompileLimit), "{result}");
        assert!(result.to_string().contains("longer than 1ms"), "{result}");
    }
    // What is small is compiled in time, also while the large one still is.
    let small = Bench::open("").await;
    assert_eq!(small.run(&start("", "")).await.exit_code(), 0);
    small.close().await;
    bench.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn g16_what_is_cut_or_mixed_up_is_a_result() {
    let whole = start("(local i32)", "(local.set 0 (i32.const 1))");
    let bench = Bench::open("").await;
    for cut in 0..whole.len() {
        let result = bench.run(&whole[..cut]).await;
        assert!(not_started(&result).is_some(), "{cut} bytes: {result}");
    }
    for at in 0..whole.len() {
        let mut mixed = whole.clone();
        mixed[at] ^= 0x55;
        // However it ends, it is a result.
        bench.run(&mixed).await;
    }
    bench.close().await;
}
