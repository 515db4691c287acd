//! An engine of ours that is killed: what it left is found by its label and its lock, and nothing else is touched.

use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use serde_json::{Value, json};

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
