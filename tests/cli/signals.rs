//! Interrupts: what runs is ended, what was made is removed, and the exit code says so.

use std::io::{BufRead, BufReader, Read};
use std::process::{Child, Command, Stdio};

use bailiwick::RuntimeRegistry;
use rustix::process::{Pid, Signal, kill_process};

use crate::echo::Echo;
use crate::support::host;

const HOME: &str = "BAILIWICK_TEST_HOME";
const ARGS: &str = "BAILIWICK_TEST_ARGS";

/// The command as a process of its own: this test binary, started again by the tests below.
#[test]
fn the_command_itself() {
    let (Ok(home), Ok(args)) = (std::env::var(HOME), std::env::var(ARGS)) else { return };
    let streams = bailiwick::cli::Streams::open_ambient_process();
    let registry = |host| RuntimeRegistry::builder(host).with(Echo::default()).build();
    let words = args.split(' ').map(Into::into);
    let code = bailiwick::cli::run_with(streams, host(home.as_ref()), registry, words);
    eprintln!("{code:?}");
}

fn start(home: &std::path::Path, args: &str) -> Child {
    std::fs::create_dir(home.join("base")).unwrap();
    Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "signals::the_command_itself", "--nocapture"])
        .env(HOME, home)
        .env(ARGS, format!("bailiwick {}", args.replace("HOME", home.to_str().unwrap())))
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap()
}

/// Interrupts a command as soon as its guest runs; gives what it printed on standard error, and its home.
fn interrupted(signal: Signal, args: &str) -> (tempfile::TempDir, String) {
    let home = tempfile::tempdir().unwrap();
    let mut child = start(home.path(), args);
    let mut stdout = BufReader::new(child.stdout.take().unwrap());
    let mut said = String::new();
    while !said.contains("spinning") {
        assert_ne!(stdout.read_line(&mut said).unwrap(), 0, "{said}");
    }
    kill_process(Pid::from_child(&child), signal).unwrap();
    stdout.read_to_string(&mut said).unwrap();
    let mut stderr = String::new();
    child.stderr.take().unwrap().read_to_string(&mut stderr).unwrap();
    child.wait().unwrap();
    assert_eq!(std::fs::read_dir(home.path().join("base")).unwrap().count(), 0, "a workspace was left behind");
    (home, stderr)
}

#[test]
fn an_interrupt_ends_the_guest_and_gives_130() {
    let (_, stderr) = interrupted(Signal::INT, "run spin");
    assert!(stderr.contains("an interrupt ended the command"), "{stderr}");
    assert!(stderr.contains(&format!("{:?}", std::process::ExitCode::from(130))), "{stderr}");
}

#[test]
fn a_polite_end_and_a_lost_terminal_give_143() {
    for signal in [Signal::TERM, Signal::HUP] {
        // A standard input that nobody closes holds nothing up.
        let (_, stderr) = interrupted(signal, "run -q -i spin");
        assert!(stderr.contains(&format!("{:?}", std::process::ExitCode::from(143))), "{stderr}");
        assert!(!stderr.contains("bailiwick:"), "{stderr}");
    }
}

#[test]
fn the_result_names_the_interrupt_and_holds_what_was_done_before() {
    let (home, _) = interrupted(Signal::INT, "run --result HOME/result.json spin");
    let text = std::fs::read_to_string(home.path().join("result.json")).unwrap();
    let object: serde_json::Value = serde_json::from_str(&text).unwrap();
    assert_eq!(object["termination"], serde_json::json!({"kind": "killed", "by": "interrupt"}));
    assert_eq!(object["stdout"]["text"], "spinning\n");
}
