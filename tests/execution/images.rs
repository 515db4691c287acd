//! Images on a real engine: built once, known again, shown and removed; and every way in which one cannot be had.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]
#![expect(clippy::disallowed_methods, reason = "tests prepare files by path")]
#![expect(clippy::print_stdout, reason = "a skip is printed with its reason")]

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::{Arc, Mutex};

use bailiwick::spec::{self, EnvironmentSpec};
use bailiwick::{
    AnyRuntimeKind, Cached, Command, ErrorKind, ExecutionError, GcMode, GcScope, Host, Owner, Progress,
    RuntimeRegistry, Session, SpawnRequest,
};
use serde_json::{Value, json};

const SMALL: &str = "bailiwick-test/busybox:latest";

/// What was told of long work.
#[derive(Default)]
struct Told(Mutex<Vec<String>>);

impl Progress for Told {
    fn step(&self, what: &str) {
        self.0.lock().unwrap().push(what.to_owned());
    }
}

impl Told {
    fn has(&self, words: &str) -> bool {
        self.0.lock().unwrap().iter().any(|line| line.contains(words))
    }
}

fn registry() -> Option<RuntimeRegistry> {
    if !Path::new("/var/run/docker.sock").exists() {
        assert!(std::env::var_os("CI").is_none(), "the tests of Docker must run in CI");
        println!("skipped: no engine; start dockerd, then `bash tests/data/docker/images.sh`");
        return None;
    }
    let mut host = Host::from_env(BTreeMap::new());
    host.dirs.shared_data.clear();
    Some(RuntimeRegistry::builder(host).with_builtins().build().unwrap())
}

fn spec(registry: &RuntimeRegistry, section: Value) -> EnvironmentSpec {
    let value = json!({"type": "docker", "name": "images", "docker": section});
    spec::from_value(value, "test", registry, &[]).unwrap().spec
}

fn kind(registry: &RuntimeRegistry) -> &Arc<dyn AnyRuntimeKind> {
    registry.kind("docker").unwrap()
}

async fn prepare(registry: &RuntimeRegistry, section: Value) -> (Result<(), ExecutionError>, Told) {
    let told = Told::default();
    let prepared = kind(registry).prepare(&spec(registry, section).section, &told).await;
    (prepared, told)
}

/// The images that a context of this name was built to.
async fn built(registry: &RuntimeRegistry, name: &str) -> Vec<Cached> {
    let prefix = format!("bailiwick/{name}:");
    let all = kind(registry).cached().await.unwrap();
    all.into_iter().filter(|cached| cached.name.starts_with(&prefix)).collect()
}

async fn run(registry: &RuntimeRegistry, section: Value, line: &str) -> String {
    let session = Session::builder(registry, spec(registry, section)).open().await.unwrap();
    let runtime = session.spawn(SpawnRequest::default()).await.unwrap();
    let result = runtime.execute(Command::line(line)).await.unwrap();
    session.close().await.unwrap();
    result.stdout.text().unwrap()
}

#[tokio::test]
async fn an_image_is_built_once_known_again_shown_and_removed() {
    let Some(registry) = registry() else { return };
    let (temp, outside) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    std::fs::write(outside.path().join("secret"), "secret").unwrap();
    let name = format!("built-once-{}", std::process::id());
    let context = temp.path().join(&name);
    std::fs::create_dir(&context).unwrap();
    let put = |name: &str, text: &str| std::fs::write(context.join(name), text).unwrap();
    put("Dockerfile", &format!("FROM {SMALL}\nARG WORD=none\nCOPY . /app\nRUN echo step-$WORD > /made\n"));
    put("kept", "kept");
    put("left-out", "left out");
    put(".dockerignore", "left-*\n");
    std::os::unix::fs::symlink(outside.path().join("secret"), context.join("link")).unwrap();
    let section = |word: &str| {
        let build = json!({"context": context.to_str().unwrap(), "args": {"WORD": word}});
        json!({"build": build, "pull": "never", "network": "none"})
    };

    let (prepared, told) = prepare(&registry, section("one")).await;
    prepared.unwrap();
    assert!(told.has("building bailiwick/") && told.has("COPY . /app"), "{:?}", told.0);
    let first = built(&registry, &name).await;
    assert_eq!((first.len(), first[0].sort), (1, "image"));
    let (prepared, told) = prepare(&registry, section("one")).await;
    prepared.unwrap();
    assert!(!told.has("building"), "{:?}", told.0);
    let again = built(&registry, &name).await;
    assert_eq!(again.len(), 1);
    assert!(again[0].used >= first[0].used);

    let line = "cat /made; cat /app/kept; ls -A /app; cat /app/link";
    assert_eq!(run(&registry, section("one"), line).await, "step-one\nkept.dockerignore\nDockerfile\nkept\nlink\n");
    prepare(&registry, section("two")).await.0.unwrap();
    put("kept", "changed");
    prepare(&registry, section("two")).await.0.unwrap();
    let all = built(&registry, &name).await;
    assert_eq!(all.len(), 3);

    // Nothing that was not built here is removed, whatever it is called.
    kind(&registry).evict(&Cached::new("image", SMALL, 0, first[0].used)).await.unwrap();
    for cached in &all {
        kind(&registry).evict(cached).await.unwrap();
        kind(&registry).evict(cached).await.unwrap();
    }
    assert_eq!(built(&registry, &name).await, []);
    assert_eq!(
        run(&registry, json!({"image": SMALL, "pull": "never", "network": "none"}), "echo there").await,
        "there\n"
    );
}

#[tokio::test]
async fn a_text_is_built_without_a_context() {
    let Some(registry) = registry() else { return };
    let text = format!("FROM {SMALL}\nRUN echo inline > /made-{}\nCOPY . /app\n", std::process::id());
    let section = json!({"build": {"inline": text}, "pull": "never", "network": "none"});
    let (prepared, told) = prepare(&registry, section.clone()).await;
    prepared.unwrap();
    assert_eq!(run(&registry, section, "cat /made-*; ls -A /app").await, "inline\n");
    let lines = told.0.into_inner().unwrap();
    let own: Vec<Cached> = built(&registry, "image").await;
    let own: Vec<&Cached> = own.iter().filter(|cached| lines[0].ends_with(&cached.name)).collect();
    assert_eq!(own.len(), 1, "{lines:?}");
    kind(&registry).evict(own[0]).await.unwrap();
}

#[tokio::test]
async fn what_cannot_be_had_is_one_line_with_a_hint() {
    let Some(registry) = registry() else { return };
    let told = |error: &ExecutionError| (error.kind(), error.to_string(), error.hint().unwrap_or_default().to_owned());
    let nowhere = "127.0.0.1:1/nothing/here:1";
    for (section, kind, message, hint) in [
        (
            json!({"image": "bailiwick-test/nothing:1", "pull": "never"}),
            ErrorKind::Unavailable,
            "is not there",
            "docker.pull",
        ),
        (json!({"image": nowhere}), ErrorKind::Unavailable, "could not be pulled", "cannot reach the registry"),
        (json!({"image": nowhere, "pull": "always"}), ErrorKind::Unavailable, "could not be pulled", "cannot reach"),
        (
            json!({"build": {"inline": format!("FROM {nowhere}\n")}}),
            ErrorKind::Unavailable,
            "could not be pulled",
            "cannot reach",
        ),
        (
            json!({"build": {"inline": "FROM bailiwick-test/nothing:1\n"}, "pull": "never"}),
            ErrorKind::Unavailable,
            "is not there",
            "docker.pull",
        ),
        (json!({"build": {"context": "/nowhere/at/all"}}), ErrorKind::Spec, "cannot be built from", "build.context"),
        (
            json!({"build": {"inline": format!("FROM {SMALL}\nRUN echo seen-by-all && exit 7\n")}, "pull": "never", "network": "none"}),
            ErrorKind::Unavailable,
            "seen-by-all",
            "prepare",
        ),
        (
            json!({"build": {"inline": format!("FROM {SMALL}\nNONSENSE\n")}, "pull": "never"}),
            ErrorKind::Unavailable,
            "NONSENSE",
            "prepare",
        ),
        (
            json!({"build": {"inline": format!("FROM {SMALL}\nCOPY ../../etc/passwd /\n")}, "pull": "never"}),
            ErrorKind::Unavailable,
            "could not be built",
            "prepare",
        ),
    ] {
        let error = prepare(&registry, section.clone()).await.0.unwrap_err();
        let (is, says, advises) = told(&error);
        assert!(is == kind && says.contains(message) && advises.contains(hint), "{section}: {is:?} {says} | {advises}");
    }
    for wrong in [json!({"image": "a b"}), json!({"build": {}}), json!({"build": {"context": "relative"}})] {
        let value = json!({"type": "docker", "name": "images", "docker": wrong});
        assert!(spec::from_value(value, "test", &registry, &[]).is_err(), "{wrong}");
    }
    // Who has no engine has no images, and that is no error.
    let mut host = Host::from_env(BTreeMap::new());
    host.engine.endpoint = Some("unix:///nowhere/docker.sock".to_owned());
    let registry = RuntimeRegistry::builder(host).with_builtins().build().unwrap();
    assert_eq!(kind(&registry).cached().await.unwrap(), []);
}

/// D15: by the owner's label, on this machine, and only once the owner is dead.
#[tokio::test]
async fn d15_images_of_a_dead_owner_go_and_no_others() {
    if registry().is_none() {
        return;
    }
    let (state, temp) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let mut host = Host::from_env(BTreeMap::new());
    host.dirs.shared_data.clear();
    host.dirs.state = Some(state.path().to_owned());
    let registry = RuntimeRegistry::builder(host.clone()).with_builtins().build().unwrap();
    let (dead, alive) = (Owner::open(&host).unwrap(), Owner::open(&host).unwrap());
    for owner in [&dead, &alive] {
        owner.note("docker", "unix:///var/run/docker.sock").unwrap();
    }
    let name = |what: &str| format!("owned-{}-{what}", std::process::id());
    for (what, owner) in [("dead", &dead), ("alive", &alive)] {
        let context = temp.path().join(name(what));
        std::fs::create_dir(&context).unwrap();
        let text = format!("FROM {SMALL}\nLABEL bailiwick.owner={}\n", owner.id());
        std::fs::write(context.join("Dockerfile"), &text).unwrap();
        let section = json!({"build": {"context": context.to_str().unwrap()}, "pull": "never"});
        prepare(&registry, section).await.0.unwrap();
    }
    dead.leave_lock();
    drop(dead);
    let found = registry.gc(GcMode::DryRun, GcScope::DeadOwners).await;
    assert!(found.removed_elsewhere.iter().any(|one| one.contains(&name("dead"))), "{found:?}");
    assert_eq!(built(&registry, &name("dead")).await.len(), 1);
    let removed = registry.gc(GcMode::Remove, GcScope::DeadOwners).await;
    assert!(removed.failed_elsewhere.is_empty(), "{removed:?}");
    assert_eq!(built(&registry, &name("dead")).await, []);
    let kept = built(&registry, &name("alive")).await;
    assert_eq!(kept.len(), 1);
    kind(&registry).evict(&kept[0]).await.unwrap();
    drop(alive);
}
