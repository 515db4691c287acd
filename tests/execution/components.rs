//! Components of WASI 0.2 behind the same session: what they print and exit with, and the limits that hold them.
//!
//! Each is written out against the interfaces, since what makes components of modules is no part of the tests' build.

#![expect(clippy::unwrap_used, reason = "the helpers of a test fail like the test")]

use std::collections::BTreeMap;
use std::os::unix::fs::MetadataExt;
use std::path::Path;
use std::sync::Arc;

use bailiwick::spec::{self, LimitName};
use bailiwick::{
    Command, Host, InputContent, InputFile, NotStarted, RuntimeRegistry, RuntimeResult, Session, SpawnRequest,
    Termination, WorkspacePath,
};

fn host() -> Host {
    let mut host = Host::from_env(BTreeMap::new());
    host.dirs.shared_data.clear();
    host
}

fn registry(host: Host) -> RuntimeRegistry {
    RuntimeRegistry::builder(host).with_builtins().build().unwrap()
}

/// Runs a component alone in a workspace, under these limits.
async fn run(host: Host, text: &str, limits: &str) -> Arc<RuntimeResult> {
    let registry = registry(host);
    let spec = format!("type: wasi\nname: test\nlimits: {{{limits}}}\n");
    let spec = spec::load(&spec, "test", &registry).unwrap().spec;
    let session = Session::builder(&registry, spec).without_reset().open().await.unwrap();
    let file = InputFile::new(WorkspacePath::new("c.wat").unwrap(), InputContent::Text(text.to_owned()));
    session.materialize_input_files(vec![file]).await.unwrap();
    let runtime = session.spawn(SpawnRequest::default()).await.unwrap();
    let result = runtime.execute(Command::argv(["./c.wat"])).await.unwrap();
    session.close().await.unwrap();
    result
}

/// A component from its imports, its lowered functions as a core instance, and the core functions of its program.
fn component(imports: &str, lowered: &str, program: &str) -> String {
    format!(
        r#"(component
  {imports}
  (core module $libc (memory (export "memory") 1)
    (func (export "realloc") (param i32 i32 i32 i32) (result i32) (i32.const 4096)))
  (core instance $libc (instantiate $libc))
  {lowered}
  (core module $main
    (import "libc" "memory" (memory 1))
    {program})
  (core instance $main (instantiate $main (with "libc" (instance $libc)) (with "wasi" (instance $wasi))))
  (func $run (result (result)) (canon lift (core func $main "run")))
  (instance $cli-run (export "run" (func $run)))
  (export "wasi:cli/run@0.2.0" (instance $cli-run)))"#
    )
}

const STREAMS: &str = r#"
  (import "wasi:io/error@0.2.0" (instance $error (export "error" (type (sub resource)))))
  (alias export $error "error" (type $e))
  (import "wasi:io/streams@0.2.0" (instance $streams
    (export "output-stream" (type $os (sub resource)))
    (alias outer 1 $e (type $outer-error))
    (export "error" (type $err (eq $outer-error)))
    (type $failure (variant (case "last-operation-failed" (own $err)) (case "closed")))
    (export "stream-error" (type $stream-error (eq $failure)))
    (export "[method]output-stream.blocking-write-and-flush" (func
      (param "self" (borrow $os)) (param "contents" (list u8)) (result (result (error $stream-error)))))))
  (alias export $streams "output-stream" (type $os))
  (import "wasi:cli/stdout@0.2.0" (instance $stdout
    (alias outer 1 $os (type $outer-os))
    (export "output-stream" (type $stream (eq $outer-os)))
    (export "get-stdout" (func (result (own $stream))))))"#;

const STREAMS_LOWERED: &str = r#"
  (core func $get-stdout (canon lower (func $stdout "get-stdout")))
  (core func $write (canon lower (func $streams "[method]output-stream.blocking-write-and-flush")
    (memory (core memory $libc "memory")) (realloc (core func $libc "realloc"))))
  (core instance $wasi (export "get-stdout" (func $get-stdout)) (export "write" (func $write)))"#;

const STREAMS_IMPORTED: &str = r#"
    (import "wasi" "get-stdout" (func $get-stdout (result i32)))
    (import "wasi" "write" (func $write (param i32 i32 i32 i32)))"#;

fn printing(run: &str) -> String {
    let program = format!(
        r#"{STREAMS_IMPORTED}
    (data (i32.const 64) "hello\0a")
    (func (export "run") (result i32) {run})"#
    );
    component(STREAMS, STREAMS_LOWERED, &program)
}

const HELLO: &str =
    "(call $write (call $get-stdout) (i32.const 64) (i32.const 6) (i32.const 128)) (i32.load8_u (i32.const 128))";

fn exiting(name: &str, param: &str, code: i32) -> String {
    let imports =
        format!(r#"(import "wasi:cli/exit@0.2.0" (instance $exit (export "{name}" (func (param {param})))))"#);
    let lowered = format!(
        r#"(core func $leave (canon lower (func $exit "{name}")))
           (core instance $wasi (export "leave" (func $leave)))"#
    );
    let program = format!(
        r#"(import "wasi" "leave" (func $leave (param i32)))
           (func (export "run") (result i32) (call $leave (i32.const {code})) unreachable)"#
    );
    component(&imports, &lowered, &program)
}

const SLEEP: (&str, &str) = (
    r#"
  (import "wasi:io/poll@0.2.0" (instance $poll
    (export "pollable" (type $p (sub resource)))
    (export "[method]pollable.block" (func (param "self" (borrow $p))))))
  (alias export $poll "pollable" (type $p))
  (import "wasi:clocks/monotonic-clock@0.2.0" (instance $clock
    (alias outer 1 $p (type $outer-p))
    (export "pollable" (type $pollable (eq $outer-p)))
    (export "subscribe-duration" (func (param "when" u64) (result (own $pollable))))))"#,
    r#"
  (core func $after (canon lower (func $clock "subscribe-duration")))
  (core func $block (canon lower (func $poll "[method]pollable.block")))
  (core instance $wasi (export "after" (func $after)) (export "block" (func $block)))"#,
);

fn sleeping() -> String {
    let program = r#"
    (import "wasi" "after" (func $after (param i64) (result i32)))
    (import "wasi" "block" (func $block (param i32)))
    (func (export "run") (result i32) (call $block (call $after (i64.const 3600000000000))) (i32.const 0))"#;
    component(SLEEP.0, SLEEP.1, program)
}

fn is_limit(result: &Arc<RuntimeResult>, name: LimitName) -> bool {
    matches!(result.termination, Termination::LimitExceeded { limit, .. } if limit == name)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_component_prints_and_exits_as_a_module_does() {
    let result = run(host(), &printing(HELLO), "").await;
    assert_eq!((result.exit_code(), result.stdout.text().unwrap()), (0, "hello\n".to_owned()), "{result}");
    assert_eq!(result.machine.arch, "wasm32");
    let result = run(host(), &printing("(i32.const 1)"), "").await;
    assert_eq!(result.exit_code(), 1, "what `run` gives: {result}");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_exit_is_0_or_1_unless_it_names_a_code() {
    for code in [0, 1] {
        let result = run(host(), &exiting("exit", "\"status\" (result)", code), "").await;
        assert_eq!(result.termination, Termination::Exited { code }, "{result}");
    }
    for code in [0, 3, 126, 255] {
        let result = run(host(), &exiting("exit-with-code", "\"status-code\" u8", code), "").await;
        assert_eq!(result.termination, Termination::Exited { code }, "{result}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_no_component_can_be_started_by_is_refused() {
    let result = run(host(), "(component)", "").await;
    let bad = matches!(result.termination, Termination::NotStarted { reason: NotStarted::BadModule, .. });
    assert!(bad && result.to_string().contains("wasi:cli/run"), "{result}");
    let foreign = r#"(component (import "acme:door/open" (func)))"#;
    let result = run(host(), foreign, "").await;
    let unknown = matches!(result.termination, Termination::NotStarted { reason: NotStarted::UnknownImport, .. });
    assert!(unknown && result.to_string().contains("acme:door/open"), "{result}");
}

#[tokio::test(flavor = "multi_thread")]
async fn time_memory_output_and_fuel_hold_a_component() {
    let result = run(host(), &sleeping(), "wall_time: 200ms").await;
    assert!(is_limit(&result, LimitName::WallTime), "asleep in a host call: {result}");
    let spin = printing("(loop $l (br $l)) (i32.const 0)");
    assert!(is_limit(&run(host(), &spin, "wall_time: 200ms").await, LimitName::WallTime));
    assert!(is_limit(&run(host(), &spin, "fuel: 100000").await, LimitName::Fuel));
    let grow = printing("(loop $l (br_if $l (i32.ne (memory.grow (i32.const 16)) (i32.const -1)))) (i32.const 1)");
    let result = run(host(), &grow, "memory: 4MiB").await;
    assert!(is_limit(&result, LimitName::Memory), "{result}");
    let flood = printing(
        "(local $s i32) (local.set $s (call $get-stdout))
         (loop $l (call $write (local.get $s) (i32.const 64) (i32.const 4096) (i32.const 128))
           (br_if $l (i32.eqz (i32.load8_u (i32.const 128))))) (i32.const 0)",
    );
    assert!(is_limit(&run(host(), &flood, "output: 64KiB").await, LimitName::Output));
}

#[tokio::test(flavor = "multi_thread")]
async fn g12_g30_a_flood_of_handles_ends_the_guest_and_nothing_else() {
    let streams = printing("(loop $l (drop (call $get-stdout)) (br $l)) (i32.const 0)");
    let pollables = component(
        SLEEP.0,
        SLEEP.1,
        r#"
    (import "wasi" "after" (func $after (param i64) (result i32)))
    (import "wasi" "block" (func $block (param i32)))
    (func (export "run") (result i32) (loop $l (drop (call $after (i64.const 1))) (br $l)) (i32.const 0))"#,
    );
    for flood in [streams, pollables] {
        // Without a limit of open files there is still one of handles.
        for limits in ["open_files: 20", "wall_time: 20s", "open_files: null, wall_time: 60s"] {
            let result = run(host(), &flood, limits).await;
            let trapped = matches!(&result.termination, Termination::Trapped { .. });
            assert!(trapped, "{limits}: {result}");
        }
    }
}

/// Makes a socket, connects it to 127.0.0.1:80, and exits 0 if either is denied.
fn connecting() -> String {
    let imports = r#"
  (import "wasi:io/streams@0.2.0" (instance $streams
    (export "input-stream" (type (sub resource)))
    (export "output-stream" (type (sub resource)))))
  (alias export $streams "input-stream" (type $is))
  (alias export $streams "output-stream" (type $os))
  (import "wasi:sockets/network@0.2.0" (instance $network
    (export "network" (type (sub resource)))
    (type $codes (enum "unknown" "access-denied" "not-supported" "invalid-argument" "out-of-memory" "timeout"
      "concurrency-conflict" "not-in-progress" "would-block" "invalid-state" "new-socket-limit"
      "address-not-bindable" "address-in-use" "remote-unreachable" "connection-refused" "connection-reset"
      "connection-aborted" "datagram-too-large" "name-unresolvable" "temporary-resolver-failure"
      "permanent-resolver-failure"))
    (export "error-code" (type (eq $codes)))
    (type $families (enum "ipv4" "ipv6"))
    (export "ip-address-family" (type (eq $families)))
    (type $four (tuple u8 u8 u8 u8))
    (export "ipv4-address" (type $ipv4 (eq $four)))
    (type $eight (tuple u16 u16 u16 u16 u16 u16 u16 u16))
    (export "ipv6-address" (type $ipv6 (eq $eight)))
    (type $at4 (record (field "port" u16) (field "address" $ipv4)))
    (export "ipv4-socket-address" (type $socket4 (eq $at4)))
    (type $at6 (record (field "port" u16) (field "flow-info" u32) (field "address" $ipv6) (field "scope-id" u32)))
    (export "ipv6-socket-address" (type $socket6 (eq $at6)))
    (type $at (variant (case "ipv4" $socket4) (case "ipv6" $socket6)))
    (export "ip-socket-address" (type (eq $at)))))
  (alias export $network "network" (type $net))
  (alias export $network "error-code" (type $code))
  (alias export $network "ip-address-family" (type $family))
  (alias export $network "ip-socket-address" (type $address))
  (import "wasi:sockets/instance-network@0.2.0" (instance $instance
    (alias outer 1 $net (type $outer-net))
    (export "network" (type $n (eq $outer-net)))
    (export "instance-network" (func (result (own $n))))))
  (import "wasi:sockets/tcp@0.2.0" (instance $tcp
    (alias outer 1 $net (type $outer-net))
    (export "network" (type $n (eq $outer-net)))
    (alias outer 1 $code (type $outer-code))
    (export "error-code" (type $c (eq $outer-code)))
    (alias outer 1 $address (type $outer-address))
    (export "ip-socket-address" (type $a (eq $outer-address)))
    (alias outer 1 $is (type $outer-is))
    (export "input-stream" (type $in (eq $outer-is)))
    (alias outer 1 $os (type $outer-os))
    (export "output-stream" (type $out (eq $outer-os)))
    (export "tcp-socket" (type $socket (sub resource)))
    (type $both (tuple (own $in) (own $out)))
    (export "[method]tcp-socket.finish-connect" (func (param "self" (borrow $socket))
      (result (result $both (error $c)))))
    (export "[method]tcp-socket.start-connect" (func (param "self" (borrow $socket)) (param "network" (borrow $n))
      (param "remote-address" $a) (result (result (error $c)))))))
  (alias export $tcp "tcp-socket" (type $socket))
  (import "wasi:sockets/tcp-create-socket@0.2.0" (instance $create
    (alias outer 1 $code (type $outer-code))
    (export "error-code" (type $c (eq $outer-code)))
    (alias outer 1 $family (type $outer-family))
    (export "ip-address-family" (type $f (eq $outer-family)))
    (alias outer 1 $socket (type $outer-socket))
    (export "tcp-socket" (type $s (eq $outer-socket)))
    (export "create-tcp-socket" (func (param "address-family" $f) (result (result (own $s) (error $c)))))))"#;
    let lowered = r#"
  (core func $net (canon lower (func $instance "instance-network")))
  (core func $make (canon lower (func $create "create-tcp-socket") (memory (core memory $libc "memory"))))
  (core func $connect (canon lower (func $tcp "[method]tcp-socket.start-connect") (memory (core memory $libc "memory"))))
  (core func $finish (canon lower (func $tcp "[method]tcp-socket.finish-connect") (memory (core memory $libc "memory"))))
  (core instance $wasi (export "finish" (func $finish)) (export "net" (func $net)) (export "make" (func $make)) (export "connect" (func $connect)))"#;
    let program = r#"
    (import "wasi" "net" (func $net (result i32)))
    (import "wasi" "make" (func $make (param i32 i32)))
    (import "wasi" "finish" (func $finish (param i32 i32)))
    (import "wasi" "connect"
      (func $connect (param i32 i32 i32 i32 i32 i32 i32 i32 i32 i32 i32 i32 i32 i32 i32)))
    (func (export "run") (result i32)
      (call $make (i32.const 0) (i32.const 64))
      ;; Not even made: as good.
      (if (i32.load8_u (i32.const 64)) (then (return (i32.const 0))))
      (call $connect (i32.load (i32.const 68)) (call $net) (i32.const 0) (i32.const 80) (i32.const 127) (i32.const 0)
        (i32.const 0) (i32.const 1) (i32.const 0) (i32.const 0) (i32.const 0) (i32.const 0) (i32.const 0) (i32.const 0)
        (i32.const 128))
      (if (i32.load8_u (i32.const 128)) (then (return (i32.const 1))))
      (loop $wait
        (call $finish (i32.load (i32.const 68)) (i32.const 128))
        (br_if $wait (i32.and (i32.load8_u (i32.const 128)) (i32.eq (i32.load8_u (i32.const 132)) (i32.const 8)))))
      ;; An error, and that one: access denied.
      (i32.eqz (i32.and (i32.load8_u (i32.const 128)) (i32.eq (i32.load8_u (i32.const 132)) (i32.const 1)))))"#;
    component(imports, lowered, program)
}

#[tokio::test(flavor = "multi_thread")]
async fn no_address_is_reached() {
    let result = run(host(), &connecting(), "").await;
    assert_eq!(result.exit_code(), 0, "a connection was not denied: {result}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_second_engine_takes_the_component_from_the_disk() {
    let cache = tempfile::tempdir().unwrap();
    let mut host = host();
    host.dirs.cache = Some(cache.path().to_owned());
    let made = |dir: &Path| {
        let entries = std::fs::read_dir(dir.join("modules")).unwrap().map(|entry| entry.unwrap());
        // An artifact that is made again is another file.
        entries.map(|entry| (entry.file_name(), entry.metadata().unwrap().ino())).collect::<Vec<_>>()
    };
    let first = run(host.clone(), &printing(HELLO), "").await;
    let kept = made(cache.path());
    assert!(kept.len() == 1 && kept[0].0.to_string_lossy().ends_with(".component.cwasm"), "{kept:?}");
    let second = run(host, &printing(HELLO), "").await;
    assert_eq!((first.exit_code(), second.exit_code(), second.stdout.text().unwrap()), (0, 0, "hello\n".to_owned()));
    assert_eq!(made(cache.path()), kept, "it was compiled again");
}
