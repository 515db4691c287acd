//! Sessions end to end, on the WASI runtime.

#![expect(clippy::unwrap_used, reason = "the helpers of a test fail like the test")]

use std::path::Path;
use std::time::Duration;

use bailiwick::spec::{self, EnvironmentSpec};
use bailiwick::{Command, Host, RuntimeRegistry, Session, SpawnRequest, Termination};

fn registry() -> RuntimeRegistry {
    RuntimeRegistry::builder(Host::default()).with_builtins().build().unwrap()
}

fn spec(registry: &RuntimeRegistry, text: &str) -> EnvironmentSpec {
    spec::load(text, "test", registry).unwrap().spec
}

fn fixture(name: &str) -> std::path::PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("guest-fixtures").join(name)
}

#[tokio::test(flavor = "multi_thread")]
async fn hello() {
    let registry = registry();
    let spec = spec(&registry, "type: wasi\nname: t\n");
    let session = Session::builder(&registry, spec).submission(fixture("wasi")).open().await.unwrap();
    let runtime = session.spawn(SpawnRequest::default()).await.unwrap();
    let result = runtime.execute(Command::argv(["./hello.wat"])).await.unwrap();
    println!("{result} {result:#?}");
    assert_eq!(result.stdout.text().as_deref(), Some("hello\n"));
    assert_eq!(result.termination, Termination::Exited { code: 0 });
    drop(runtime);
    session.close().await.unwrap();
}

#[tokio::test]
async fn a_spinning_guest_on_the_callers_only_thread_meets_its_wall_limit() {
    let registry = registry();
    let spec = spec(&registry, "type: wasi\nname: t\nlimits: {wall_time: 200ms}\n");
    let session = Session::builder(&registry, spec).submission(fixture("wasi")).open().await.unwrap();
    let runtime = session.spawn(SpawnRequest::default()).await.unwrap();
    for guest in ["./spin.wat", "./sleep.wat"] {
        let result = runtime.execute(Command::argv([guest, "10000"])).await.unwrap();
        println!("{guest} {result} {:?}", result.usage);
        assert_eq!(result.exit_code(), 124);
        assert!(*result.usage.wall_time.value().unwrap() < Duration::from_secs(5));
    }
    session.close().await.unwrap();
}
