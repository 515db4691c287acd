//! An engine of ours that is killed: what it left is found by its label and its lock, and nothing else is touched.

use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use crate::engine::proxy::{Do, Proxy};
use crate::engine::{Raw, SMALL, is_there};

fn foreign(labels: &Value) -> String {
    let body = json!({"Image": SMALL, "Cmd": ["sleep", "1000"], "Labels": labels});
    let (_, made) = Raw::call("POST", "/containers/create", Some(&body)).unwrap();
    made["Id"].as_str().unwrap().to_owned()
}

#[test]
fn d15_gc_removes_what_a_killed_engine_left_and_nothing_else() {
    if !is_there() {
        return;
    }
    let dir = tempfile::tempdir().unwrap();
    let spec = dir.path().join("spec.yaml");
    let text = format!("type: docker\nname: crash\ndocker: {{image: '{SMALL}', pull: never}}\n");
    std::fs::write(&spec, text).unwrap();
    let bailiwick = || {
        let mut command = Command::new(env!("CARGO_BIN_EXE_bailiwick"));
        let state = dir.path().join("state");
        command.env_clear().env("BAILIWICK_STATE_DIR", state).env("BAILIWICK_BASE_DIR", dir.path());
        command
    };
    let foreigners = [
        foreign(&json!({})),
        foreign(&json!({"bailiwick.owner": "0123456789abcdef0123456789abcdef"})),
        foreign(&json!({"bailiwick.host": "elsewhere"})),
    ];
    let mut running = bailiwick();
    running.args(["run", "--spec"]).arg(&spec).args(["--", "sleep", "1000"]).stdout(Stdio::null());
    let mut running = running.spawn().unwrap();
    let owner = owner_in(&dir.path().join("state/owners"));
    let label = format!("bailiwick.owner={owner}");
    let began = Instant::now();
    let is_up = || Raw::containers(&label).iter().any(|one| one["State"] == "running");
    while !is_up() {
        assert!(began.elapsed() < Duration::from_secs(60), "no container came up");
        std::thread::yield_now();
    }
    // A look at an engine that lives removes nothing.
    assert!(bailiwick().arg("gc").output().unwrap().status.success());
    assert_eq!(Raw::containers(&label).len(), 1);
    running.kill().unwrap();
    running.wait().unwrap();
    assert_eq!(Raw::containers(&label).len(), 1, "it was killed before it could remove anything");
    let dry = bailiwick().args(["gc", "--dry-run"]).output().unwrap();
    assert!(String::from_utf8_lossy(&dry.stdout).contains(&owner), "{dry:?}");
    assert_eq!(Raw::containers(&label).len(), 1);
    let gone = bailiwick().arg("gc").output().unwrap();
    assert!(gone.status.success(), "{gone:?}");
    assert_eq!(Raw::containers(&label), Vec::<Value>::new());
    for id in foreigners {
        assert_eq!(Raw::inspect(&id)["Id"], json!(id), "a foreign container was touched");
        Raw::call("DELETE", &format!("/containers/{id}?force=1"), None).unwrap();
    }
    let left: Vec<_> = std::fs::read_dir(dir.path().join("state/owners")).unwrap().collect();
    assert!(left.is_empty(), "{left:?}");
}

/// A phase of the command: its arguments, and the request with which the phase begins at the engine.
struct Phase {
    what: &'static str,
    section: &'static str,
    eval: bool,
    is_it: fn(&str) -> bool,
    /// What becomes of that request.
    then: Do,
}

fn asks(line: &str, method: &str, end: &str) -> bool {
    let mut words = line.split(' ');
    let is_method = words.next() == Some(method);
    is_method && words.next().is_some_and(|path| path.split('?').next().unwrap().ends_with(end))
}

/// Every phase that an engine sees, each begun there: the engine does not hear of the request, or its answer comes to nobody.
fn phases() -> Vec<Phase> {
    let phase = |what, is_it, then| Phase { what, section: "", eval: false, is_it, then };
    vec![
        phase("making", |line| asks(line, "POST", "/containers/create"), Do::Stall),
        phase("made", |line| asks(line, "POST", "/containers/create"), Do::Hold),
        phase("starting", |line| asks(line, "POST", "/start") && line.contains("/containers/"), Do::Hold),
        Phase {
            section: ", mount_workspace: false",
            ..phase("copying in", |line| asks(line, "PUT", "/archive"), Do::Stall)
        },
        phase("set-up", |line| asks(line, "POST", "/start") && line.contains("/exec/"), Do::Forward),
        Phase { eval: true, ..phase("set-up made an image", |line| asks(line, "POST", "/commit"), Do::Hold) },
        Phase {
            eval: true,
            ..phase("evaluating", |line| asks(line, "GET", "/json") && line.contains("/exec/"), Do::Forward)
        },
        phase("cleaning up", |line| line.starts_with("DELETE") && line.contains("/containers/"), Do::Stall),
    ]
}

#[tokio::test(flavor = "multi_thread")]
async fn d15_a_command_killed_in_any_phase_leaves_nothing_that_gc_does_not_find() {
    if !is_there() {
        return;
    }
    let stranger = foreign(&json!({"bailiwick.owner": "0123456789abcdef0123456789abcdef"}));
    for phase in phases() {
        killed_in(phase).await;
        assert_eq!(Raw::inspect(&stranger)["Id"], json!(stranger), "a foreign container was touched");
    }
    Raw::call("DELETE", &format!("/containers/{stranger}?force=1"), None).unwrap();
}

async fn killed_in(Phase { what, section, eval, is_it, then }: Phase) {
    let (dir, proxy) = (tempfile::tempdir().unwrap(), Proxy::start());
    let write = |name: &str, text: &str| std::fs::write(dir.path().join(name), text).unwrap();
    std::fs::create_dir(dir.path().join("submission")).unwrap();
    std::fs::create_dir(dir.path().join("base")).unwrap();
    write("submission/main", "main");
    write("cases.yaml", "version: 1\nname: crash\nadapter: cli\ncases: [{id: one}]\n");
    // What is killed in its set-up runs until then; every other one is soon over.
    let setup = if what == "set-up" { "sleep 1000" } else { "echo made >/tmp/made" };
    let host = proxy.endpoint();
    write(
        "spec.yaml",
        &format!(
            "type: docker\nname: crash\nsetup: {{commands: [{setup}]}}\n\
             docker: {{image: '{SMALL}', pull: never, host: {host}{section}}}\n"
        ),
    );
    let bailiwick = |words: &[&str]| {
        let mut command = Command::new(env!("CARGO_BIN_EXE_bailiwick"));
        command.env_clear().current_dir(dir.path()).args(words).stdin(Stdio::null());
        command.env("BAILIWICK_STATE_DIR", dir.path().join("state"));
        command.env("BAILIWICK_BASE_DIR", dir.path().join("base"));
        command
    };
    let (reached, seen) = std::sync::mpsc::channel();
    proxy.rule(move |line| {
        if !is_it(line) {
            return Do::Forward;
        }
        let _ = reached.send(());
        then.clone()
    });
    let submission = ["--spec", "spec.yaml", "--submission", "submission"];
    let mut running = match eval {
        true => bailiwick(&["eval", "cases.yaml", "--command", "sleep 1000"]),
        // What is cleaned up after has ended before.
        false => bailiwick(&["run"]),
    };
    running.args(submission).stdout(Stdio::null()).stderr(Stdio::null());
    if !eval {
        running.args(["--", "true"]);
    }
    let mut running = running.spawn().unwrap();
    let waited = tokio::task::spawn_blocking(move || seen.recv_timeout(Duration::from_secs(60)));
    assert!(waited.await.unwrap().is_ok(), "{what}: it never came to that");
    let owner = owner_in(&dir.path().join("state/owners"));
    running.kill().unwrap();
    assert_eq!(running.wait().unwrap().code(), None, "{what}: it ended before it was killed");
    proxy.rule(|_| Do::Forward);
    // The engine may still be at work on what it was asked, for nobody: what comes of it is found later.
    let began = Instant::now();
    loop {
        let gone = tokio::task::block_in_place(|| bailiwick(&["gc"]).output().unwrap());
        let is_gone = gone.status.success() && Raw::containers(&format!("bailiwick.owner={owner}")).is_empty();
        if is_gone && images_of(&owner) == 0 {
            break;
        }
        assert!(began.elapsed() < Duration::from_secs(60), "{what}: {gone:?}");
    }
    for name in ["base", "state/owners"] {
        let left: Vec<_> = std::fs::read_dir(dir.path().join(name)).unwrap().collect();
        assert!(left.is_empty(), "{what}: {left:?}");
    }
}

fn images_of(owner: &str) -> usize {
    let all = Raw::get("/images/json").unwrap();
    let is_of =
        |image: &&Value| image["Labels"]["bailiwick.owner"] == owner || image["RepoTags"].to_string().contains(owner);
    all.as_array().unwrap().iter().filter(is_of).count()
}

fn owner_in(locks: &std::path::Path) -> String {
    let began = Instant::now();
    loop {
        let names = std::fs::read_dir(locks).into_iter().flatten().flatten();
        let lock = names.filter_map(|entry| entry.file_name().into_string().ok()).find(|name| name.ends_with(".lock"));
        if let Some(lock) = lock {
            return lock.trim_end_matches(".lock").to_owned();
        }
        assert!(began.elapsed() < Duration::from_secs(60), "no owner");
        std::thread::yield_now();
    }
}
