//! The real binary: every runtime of this build on this host, what it prints, and how it exits.

use std::path::Path;
use std::process::{Child, Command, Output, Stdio};

use rustix::process::{Pid, Signal, kill_process};
use serde_json::Value;

fn command(home: &Path, args: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_bailiwick"));
    std::fs::create_dir_all(home.join("base")).unwrap();
    command.arg("selftest").args(args).env("BAILIWICK_BASE_DIR", home.join("base"));
    for name in ["CACHE", "DATA", "STATE"] {
        command.env(format!("BAILIWICK_{name}_DIR"), home.join(name));
    }
    command.env("CANARY_OF_THE_HOST", "never to be seen");
    command
}

fn selftest(args: &[&str]) -> (Output, tempfile::TempDir) {
    let home = tempfile::tempdir().unwrap();
    let output = command(home.path(), args).output().unwrap();
    assert_eq!(std::fs::read_dir(home.path().join("base")).unwrap().count(), 0, "a workspace was left behind");
    (output, home)
}

/// Gives the object that was printed, which its schema describes.
#[track_caller]
fn object(output: &Output) -> Value {
    let object: Value = serde_json::from_slice(&output.stdout).unwrap();
    let mut schema = Command::new(env!("CARGO_BIN_EXE_bailiwick"));
    let schema: Value = serde_json::from_slice(&schema.args(["schema", "selftest"]).output().unwrap().stdout).unwrap();
    let validator = jsonschema::validator_for(&schema).unwrap();
    let errors: Vec<_> = validator.iter_errors(&object).map(|error| error.to_string()).collect();
    assert!(errors.is_empty(), "{errors:#?}\n{object:#}");
    object
}

/// Runs the self-test of one runtime and asserts that it stands; gives the outcomes by name.
#[track_caller]
fn stands(args: &[&str]) -> std::collections::BTreeMap<String, String> {
    let (output, _home) = selftest(&[args, &["--json"]].concat());
    let object = object(&output);
    assert_eq!((output.status.code(), &object["stands"]), (Some(0), &Value::Bool(true)), "{object:#}");
    let checks = object["runtimes"][0]["checks"].as_array().unwrap();
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    let wall = checks.iter().find(|check| check["check"] == "wall_time").unwrap();
    assert!(wall["overshoot"]["seconds"].is_f64(), "{wall}");
    checks.iter().map(|check| (text(&check["check"]), text(&check["outcome"]))).collect()
}

#[cfg(all(feature = "wasi", feature = "wat"))]
#[test]
fn wasi_holds_what_it_claims() {
    let outcomes = stands(&["--runtime", "wasi"]);
    for held in ["memory", "stack", "fuel", "host_files_unread", "links_lead_nowhere", "network", "nothing_left"] {
        assert_eq!(outcomes[held], "held", "{held}");
    }
    assert_eq!((&*outcomes["file_size"], &*outcomes["nothing_runs"]), ("not claimed", "by construction"));
}

#[cfg(feature = "docker")]
#[test]
fn docker_holds_what_it_claims() {
    if !crate::engine::is_there() {
        return;
    }
    let image = format!("docker.image={}", crate::engine::SMALL);
    let outcomes = stands(&["--runtime", "docker", "--set", &image]);
    for held in ["memory", "processes", "host_files_unread", "network", "nothing_runs", "nothing_left"] {
        assert_eq!(outcomes[held], "held", "{held}");
    }
    assert_eq!((&*outcomes["fuel"], &*outcomes["disk"]), ("not claimed", "best effort"));
}

#[cfg(feature = "local")]
#[test]
fn local_holds_what_it_claims_and_claims_no_walls() {
    let outcomes = stands(&["--runtime", "local", "--allow-unsandboxed"]);
    for open in ["host_files_unread", "host_files_unwritten", "links_lead_nowhere", "network", "disk"] {
        assert_eq!(outcomes[open], "not claimed", "{open}");
    }
    for held in ["wall_time", "environment", "nothing_runs", "host_follows_no_link"] {
        assert_eq!(outcomes[held], "held", "{held}");
    }
}

#[cfg(feature = "local")]
#[test]
fn what_isolates_nothing_asks_for_consent() {
    let (output, _home) = selftest(&["--runtime", "local", "--json"]);
    let object: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!((output.status.code(), &object["error"]["kind"]), (Some(2), &Value::from("forbidden")), "{object}");
}

#[cfg(all(feature = "docker", feature = "local"))]
#[test]
fn what_cannot_run_here_fails_only_where_it_is_named() {
    let nowhere = "docker.host=unix:///nowhere/engine.sock";
    let common = ["--json", "--set", "docker.image=none", "--set", nowhere];
    let (output, _home) = selftest(&[&common[..], &["--runtime", "docker"]].concat());
    let named = object(&output);
    assert_eq!((output.status.code(), &named["runtimes"][0]["state"]), (Some(1), &Value::from("unavailable")));
    let (output, _home) = selftest(&[&common[..], &["--runtime", "nobody"]].concat());
    assert_eq!(output.status.code(), Some(2));
    // Nothing was tried at all, so nothing stands.
    if !cfg!(feature = "wasi") {
        let (output, _home) = selftest(&common);
        assert_eq!((output.status.code(), &object(&output)["stands"]), (Some(1), &Value::Bool(false)));
    }
}

/// Ends the command when the test fails.
struct Running(Child);

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

#[cfg(feature = "local")]
#[test]
fn an_interrupt_ends_what_runs_and_removes_what_was_made() {
    let home = tempfile::tempdir().unwrap();
    let mut command = command(home.path(), &["--runtime", "local", "--allow-unsandboxed"]);
    let mut child = Running(command.stdout(Stdio::null()).stderr(Stdio::piped()).spawn().unwrap());
    let count = || std::fs::read_dir(home.path().join("base")).unwrap().count();
    // One is the canary's, the next a guest's.
    while count() < 2 {
        assert_eq!(child.0.try_wait().unwrap(), None, "it ended by itself");
        std::thread::yield_now();
    }
    kill_process(Pid::from_child(&child.0), Signal::INT).unwrap();
    assert_eq!(child.0.wait().unwrap().code(), Some(130));
    assert_eq!(count(), 0, "a workspace was left behind");
}
