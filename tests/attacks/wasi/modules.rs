//! Attacks by modules: what they ask for, what they are called, and how they end.

use bailiwick::{NotStarted, RuntimeResult, Termination};

use crate::guest::Guest;
use crate::support::{SECRET, Yard, run, write};

fn refusal(result: &RuntimeResult) -> NotStarted {
    match &result.termination {
        Termination::NotStarted { reason, .. } => *reason,
        _ => panic!("{result}"),
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn g20_the_words_of_a_trap_are_short_and_know_nothing_of_the_host() {
    let yard = Yard::open_alone().await;
    let registry = yard.registry();
    let (session, runtime) = Yard::open(&registry, "").await;
    // A megabyte of name, with what a terminal would obey, in every frame.
    let name = "evil\\1b]0;title\\07\\0a".repeat(60_000);
    let guest = format!(
        "(module (memory (export \"memory\") 1)
          (func $f (@name \"{name}\") (param $n i32)
            (if (i32.eqz (local.get $n)) (then unreachable))
            (call $f (i32.sub (local.get $n) (i32.const 1))))
          (func (export \"_start\") (call $f (i32.const 100))))"
    );
    let result = run(&session, &runtime, &guest).await;
    let Termination::Trapped { backtrace, .. } = &result.termination else { panic!("{result}") };
    let words = backtrace.concat();
    assert!(backtrace.len() <= 16 && words.len() < 16 << 10, "{} bytes in {}", words.len(), backtrace.len());
    assert!(words.contains("evil") && !words.contains(|sign: char| sign.is_control()), "{words:?}");
    for text in [format!("{result} {result:?}"), words] {
        assert!(!text.contains(yard.path().to_str().unwrap()) && !text.contains(env!("CARGO_MANIFEST_DIR")));
    }
    session.close().await.unwrap();
    drop((session, runtime));
    yard.check(registry).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn g20_the_words_of_a_refusal_are_short() {
    let yard = Yard::open_alone().await;
    let registry = yard.registry();
    let (session, runtime) = Yard::open(&registry, "").await;
    let name = "evil\\1b]0;title\\07\\0a".repeat(4_000);
    let guest = format!("(module (import \"{name}\" \"f\" (func)) (func (export \"_start\")))");
    let many: String = (0..5000).map(|n| format!("(import \"env\" \"function_{n}\" (func))")).collect();
    for guest in [guest, format!("(module {many} (func (export \"_start\")))")] {
        let result = run(&session, &runtime, &guest).await;
        assert_eq!(refusal(&result), NotStarted::UnknownImport);
        let text = result.to_string();
        assert!(text.len() < 16 << 10, "{} bytes", text.len());
        assert!(!text.contains(|sign: char| sign.is_control()), "{text:?}");
    }
    // Text that is no module is shown by the parser's message, as far as that is short.
    let text = format!("(module (func (export \"_start\") {}", "\u{1b}[31m evil ".repeat(10_000));
    let shown = run(&session, &runtime, &text).await.to_string();
    assert!(shown.len() < 16 << 10 && !shown.contains('\u{1b}'), "{} bytes", shown.len());
    session.close().await.unwrap();
    drop((session, runtime));
    yard.check(registry).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn g21_what_is_no_command_is_refused_by_name() {
    let yard = Yard::open_alone().await;
    let registry = yard.registry();
    let (session, runtime) = Yard::open(&registry, "").await;
    let start = "(func (export \"_start\"))";
    for (guest, reason) in [
        ("(component)".to_owned(), NotStarted::BadModule),
        ("(component (core module (func (export \"_start\"))))".to_owned(), NotStarted::BadModule),
        ("(component (import \"evil\" (func)))".to_owned(), NotStarted::UnknownImport),
        ("(module (memory (export \"_start\") 1))".to_owned(), NotStarted::BadModule),
        ("(module (func (export \"_start\") (param i32)))".to_owned(), NotStarted::BadModule),
        (format!("(module (import \"wasi_snapshot_preview1\" \"no_such\" (func)) {start})"), NotStarted::UnknownImport),
        (
            format!("(module (import \"wasi_snapshot_preview1\" \"fd_close\" (func)) {start})"),
            NotStarted::UnknownImport,
        ),
        (format!("(module (import \"env\" \"memory\" (memory 1)) {start})"), NotStarted::UnknownImport),
    ] {
        assert_eq!(refusal(&*run(&session, &runtime, &guest).await), reason, "{guest}");
    }
    // Sections that mean nothing may be as large as they like, and names may say what they like.
    let mut module = wat::parse_str("(module (func (export \"_start\")))").unwrap();
    let section = [&[5, b'n', b'o', b'i', b's', b'e'][..], &vec![b'x'; 32 << 20]].concat();
    for content in [section, [&[4][..], b"name", &[0xff; 4096]].concat()] {
        let mut length = content.len();
        module.push(0);
        while length >= 0x80 {
            module.push(u8::try_from(length & 0x7f).unwrap() | 0x80);
            length >>= 7;
        }
        module.push(u8::try_from(length).unwrap());
        module.extend(content);
    }
    write(&session, "large.wasm", &module).await;
    let result = runtime.execute(bailiwick::Command::argv(["./large.wasm"])).await.unwrap();
    assert_eq!(result.exit_code(), 0, "{result}");
    session.close().await.unwrap();
    drop((session, runtime));
    yard.check(registry).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn g26_there_are_no_threads_to_start_or_to_wait_for() {
    let yard = Yard::open_alone().await;
    let registry = yard.registry();
    let (session, runtime) = Yard::open(&registry, "").await;
    let start = "(func (export \"_start\"))";
    let spawn = format!("(module (import \"wasi\" \"thread-spawn\" (func (param i32) (result i32))) {start})");
    assert_eq!(refusal(&*run(&session, &runtime, &spawn).await), NotStarted::UnknownImport);
    let shared = "(module (memory (export \"memory\") 1 1 shared)
        (func (export \"_start\") (drop (memory.atomic.wait32 (i32.const 0) (i32.const 0) (i64.const -1)))))";
    // A wait on shared memory would hold the host's thread for ever.
    let result = run(&session, &runtime, shared).await;
    let refused = matches!(&result.termination, Termination::NotStarted { .. } | Termination::LimitExceeded { .. });
    assert!(refused, "{result}");
    let alone = shared.replace("1 1 shared", "1");
    let result = run(&session, &runtime, &alone).await;
    assert!(matches!(&result.termination, Termination::Trapped { .. } | Termination::NotStarted { .. }), "{result}");
    session.close().await.unwrap();
    drop((session, runtime));
    yard.check(registry).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn g2_no_variable_of_the_host_is_seen() {
    let yard = Yard::open_alone().await;
    let registry = yard.registry();
    let guest = std::fs::read_to_string(
        std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("guest-fixtures/wasi/env_names.wat"),
    );
    let result = yard.run("", &guest.unwrap()).await;
    let text = result.stdout.text().unwrap();
    assert!(text.contains("PWD") && !text.contains("CANARY") && !text.contains(SECRET), "{text}");
    // A guest that asks for what was not given gets a number of variables, and nothing else.
    let mut guest = Guest::new();
    guest.call("environ_sizes_get (i32.const 600) (i32.const 604)");
    guest.then("(call $say (i64.load32_u (i32.const 600)))");
    assert_eq!(yard.run("", &guest.finish()).await.stdout.text().unwrap(), "0\n5\n");
    yard.check(registry).await;
}
