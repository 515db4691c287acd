//! Components that the published adapter makes of preview 1 modules: what a toolchain for WASI 0.2 gives.
//!
//! They do what their module does, but for exit codes: the adapter ends them by `exit`, which knows success and failure.

#![expect(clippy::unwrap_used, reason = "the helpers of a test fail like the test")]

use std::collections::BTreeMap;
use std::sync::Arc;

use bailiwick::spec::{self, LimitName};
use bailiwick::{
    Command, Host, InputContent, InputFile, RuntimeRegistry, RuntimeResult, Session, SpawnRequest, Termination,
    WorkspacePath,
};
use wasi_preview1_component_adapter_provider::{
    WASI_SNAPSHOT_PREVIEW1_ADAPTER_NAME as ADAPTER_NAME, WASI_SNAPSHOT_PREVIEW1_COMMAND_ADAPTER as ADAPTER,
};
use wit_component::ComponentEncoder;

macro_rules! guest {
    ($name:literal) => {
        include_str!(concat!("../../guest-fixtures/wasi/", $name, ".wat"))
    };
}

/// Makes a component of a module.
fn adapt(text: &str) -> Vec<u8> {
    let module = wat::parse_str(text).unwrap();
    let encoder = ComponentEncoder::default().validate(true).module(&module).unwrap();
    encoder.adapter(ADAPTER_NAME, ADAPTER).unwrap().encode().unwrap()
}

/// Runs a module, or the component that is made of it.
async fn run(
    guest: Vec<u8>,
    limits: &str,
    command: impl FnOnce(Command) -> Command,
    args: &[&str],
) -> Arc<RuntimeResult> {
    let mut host = Host::from_env(BTreeMap::new());
    host.dirs.shared_data.clear();
    let registry = RuntimeRegistry::builder(host).with_builtins().build().unwrap();
    let spec = format!("type: wasi\nname: test\nlimits: {{{limits}}}\n");
    let spec = spec::load(&spec, "test", &registry).unwrap().spec;
    let session = Session::builder(&registry, spec).without_reset().open().await.unwrap();
    let file = InputFile::new(WorkspacePath::new("guest.wasm").unwrap(), InputContent::Bytes(guest));
    session.materialize_input_files(vec![file]).await.unwrap();
    let runtime = session.spawn(SpawnRequest::default()).await.unwrap();
    let argv: Vec<&str> = ["./guest.wasm"].into_iter().chain(args.iter().copied()).collect();
    let result = runtime.execute(command(Command::argv(argv))).await.unwrap();
    session.close().await.unwrap();
    result
}

#[tokio::test]
async fn what_a_module_prints_and_reads_its_component_does() {
    let plain = |command: Command| command;
    for (name, text, args) in [
        ("hello", guest!("hello"), &[][..]),
        ("args", guest!("args"), &["one", "two words"]),
        ("stdin_cat", guest!("stdin_cat"), &[]),
        ("file_write", guest!("file_write"), &[]),
        ("both_streams", guest!("both_streams"), &[]),
    ] {
        let with_stdin =
            |command: Command| if name == "stdin_cat" { command.grant_stdin("given\n") } else { plain(command) };
        let module = run(wat::parse_str(text).unwrap(), "", with_stdin, args).await;
        let component = run(adapt(text), "", with_stdin, args).await;
        assert_eq!(component.termination, module.termination, "{name}: {component}");
        assert_eq!(component.stdout.text(), module.stdout.text(), "{name}");
        assert_eq!(component.stderr.text(), module.stderr.text(), "{name}");
    }
}

#[tokio::test]
async fn an_exit_code_is_0_or_1() {
    for (code, seen) in [("0", 0), ("1", 1), ("3", 1), ("126", 1), ("255", 1)] {
        let module = run(wat::parse_str(guest!("exit")).unwrap(), "", |command| command, &[code]).await;
        assert_eq!(module.exit_code().to_string(), code, "{module}");
        let component = run(adapt(guest!("exit")), "", |command| command, &[code]).await;
        assert_eq!(component.termination, Termination::Exited { code: seen }, "{code}: {component}");
    }
}

#[tokio::test]
async fn limits_and_traps_hold_an_adapted_guest() {
    let starting =
        |body: &str| adapt(&format!(r#"(module (memory (export "memory") 1) (func (export "_start") {body}))"#));
    let spin = run(starting("(loop (br 0))"), "wall_time: 300ms", |command| command, &[]).await;
    assert!(matches!(spin.termination, Termination::LimitExceeded { limit: LimitName::WallTime, .. }), "{spin}");
    let divide = run(starting("(drop (i32.div_s (i32.const 1) (i32.const 0)))"), "", |command| command, &[]).await;
    assert!(matches!(divide.termination, Termination::Trapped { trap: "integer_division_by_zero", .. }), "{divide}");
    let full = run(adapt(guest!("disk_full")), "disk: 1MiB", |command| command, &["fail"]).await;
    assert!(matches!(full.termination, Termination::LimitExceeded { limit: LimitName::Disk, .. }), "{full}");
}
