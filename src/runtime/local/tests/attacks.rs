//! Floods, crowds and crashes: no deadlock, no leak, nobody left behind.

use std::io::Read;

use super::*;
use crate::runtime::Termination;
use crate::spec::LimitName;

/// L2: nothing keeps a guest from looking at the processes above it, so every result says that nothing isolates.
#[tokio::test]
async fn l2_what_is_not_isolated_is_said_in_every_result() {
    let place = open("").await;
    let looks = place.sh("cat /proc/$PPID/environ >/dev/null; echo looked").await;
    let fails = place.run(Command::argv(["no-such-program"])).await;
    let is_ended = place.sh("kill -9 $$").await;
    for result in [&looks, &fails, &is_ended] {
        assert_eq!(result.isolation, "none", "{result}");
    }
    assert_eq!(stdout(&looks), "looked\n");
}

/// L8: what the guest does not read is no error and no deadlock.
#[tokio::test]
async fn l8_a_guest_may_leave_its_input_unread() {
    let place = open("").await;
    let much = bytes::Bytes::from(vec![b'x'; 100 << 20]);
    let result = place.run(Command::argv(["true"]).grant_stdin(much.clone())).await;
    assert_eq!(result.termination, Termination::Exited { code: 0 });
    let result = place.run(sh("exec <&-; echo closed").grant_stdin(much.clone())).await;
    assert_eq!(stdout(&result), "closed\n");
    let result = place.run(Command::argv(["wc", "-c"]).grant_stdin(much)).await;
    assert_eq!(stdout(&result).trim(), (100 << 20).to_string());
}

/// L8: a flood ends at the limit, and what was kept is within it.
#[tokio::test]
async fn l8_a_flood_is_bounded() {
    let place = open("limits: {output: 1MiB}\n").await;
    let result = place.run(Command::argv(["yes"])).await;
    assert!(matches!(result.termination, Termination::LimitExceeded { limit: LimitName::Output, .. }), "{result}");
    assert_eq!(result.stdout.kept.len(), 1 << 20);
    assert!(result.stdout.bytes > 1 << 20);
}

/// L9: both pipes at once, and one closed early.
#[tokio::test]
async fn l9_both_pipes_are_drained_at_once() {
    let place = open("").await;
    let script = "head -c 3000000 /dev/zero >&2 & head -c 3000000 /dev/zero; wait";
    let result = place.sh(script).await;
    assert_eq!((result.stdout.bytes, result.stderr.bytes), (3_000_000, 3_000_000));
    let result = place.sh("exec >&-; sleep 0.05; echo late >&2; exit 4").await;
    assert_eq!((result.exit_code(), text(&result.stderr)), (4, "late\n".to_owned()));
}

/// L9: nothing that was printed is lost, however short the command.
#[tokio::test]
async fn l9_no_output_is_lost() {
    let place = open("").await;
    for turn in 0..100 {
        let result = place.run(Command::argv(["echo", "hello"])).await;
        assert_eq!(stdout(&result), "hello\n", "turn {turn}: {result}");
    }
}

/// L12: a program that was written a moment ago runs, whoever forks meanwhile.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn l12_a_fresh_program_is_never_busy() {
    let place = Arc::new(open("limits: {open_files: null}\n").await);
    let mut all = tokio::task::JoinSet::new();
    for worker in 0..32 {
        let place = Arc::clone(&place);
        all.spawn(async move {
            let name = format!("program{worker}");
            place.put(&name, b"#!/bin/sh\nexit 5\n", 0o755);
            place.run(Command::argv([format!("./{name}")])).await.exit_code()
        });
    }
    assert!(all.join_all().await.into_iter().all(|code| code == 5));
}

/// L14: the operator's terminal is out of reach.
#[tokio::test]
async fn l14_there_is_no_terminal_to_type_into() {
    let place = open("").await;
    let result = place.sh("exec 3<>/dev/tty").await;
    assert!(!result.termination.is_success());
    let own = stdout(&place.sh("ps -o sid= -p $$; echo $$").await);
    let mut numbers = own.split_whitespace();
    assert_eq!(numbers.next(), numbers.next(), "the guest leads its session");
}

fn descriptors() -> usize {
    std::fs::read_dir("/proc/self/fd").unwrap().count()
}

fn children() -> usize {
    let mut all = String::new();
    for task in std::fs::read_dir("/proc/self/task").unwrap().flatten() {
        if let Ok(mut list) = std::fs::File::open(task.path().join("children")) {
            let _ = list.read_to_string(&mut all);
        }
    }
    all.split_whitespace().count()
}

/// L22: a crowd leaves nothing behind. In a process of its own, where nobody else opens or forks.
#[test]
fn l22_two_hundred_commands_at_once_leave_nothing() {
    alone("runtime::local::tests::attacks::l22_body");
}

/// Does nothing but in a process of its own, where the test above runs it.
#[test]
fn l22_body() {
    if !is_again() {
        return;
    }
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
    runtime.block_on(async {
        let place = Arc::new(open("limits: {processes: null, memory: null}\n").await);
        place.sh(":").await;
        let before = (descriptors(), children());
        for _ in 0..2 {
            let mut all = tokio::task::JoinSet::new();
            for turn in 0..200 {
                let place = Arc::clone(&place);
                all.spawn(async move {
                    let result = place.sh(&format!("sleep 0.01 & echo {turn}; exit {}", turn % 7)).await;
                    assert_eq!((stdout(&result), result.exit_code()), (format!("{turn}\n"), turn % 7));
                });
            }
            while let Some(done) = all.join_next().await {
                done.unwrap();
            }
        }
        assert_eq!((descriptors(), children()), before);
        assert_eq!(place.alive(), 0);
    });
}

/// Set in a process that runs one test again.
const AGAIN: &str = "BAILIWICK_TEST_AGAIN";

fn is_again() -> bool {
    std::env::var_os(AGAIN).is_some()
}

/// Runs one test of this binary in a process of its own.
fn alone(test: &str) {
    let status = again(test).status().unwrap();
    assert!(status.success(), "{test}");
}

#[expect(clippy::disallowed_methods, reason = "the engine to be killed is this test binary again")]
fn again(test: &str) -> std::process::Command {
    let mut command = std::process::Command::new(std::env::current_exe().unwrap());
    command.args(["--exact", test, "--nocapture"]).env(AGAIN, "1");
    command
}

/// The death of the engine is the death of its guests, by whatever signal.
#[tokio::test]
async fn kill_9_of_the_engine_leaves_no_guest() {
    let mut engine = again("runtime::local::tests::attacks::an_engine_to_kill")
        .stdout(std::process::Stdio::piped())
        .spawn()
        .unwrap();
    let mut said = Vec::new();
    let mut byte = [0];
    while engine.stdout.as_mut().unwrap().read(&mut byte).unwrap() == 1 && !said.ends_with(b" ready") {
        said.push(byte[0]);
    }
    let said = String::from_utf8(said).unwrap();
    let base = said.rsplit_once("base ").unwrap().1.trim_end_matches(" ready").to_owned();
    let guests = || {
        let all = std::fs::read_dir("/proc").unwrap().flatten();
        all.filter(|entry| std::fs::read_link(entry.path().join("cwd")).is_ok_and(|cwd| cwd.starts_with(&base))).count()
    };
    assert!(guests() >= 3, "{}", guests());
    engine.kill().unwrap();
    engine.wait().unwrap();
    let gone = async {
        while guests() > 0 {
            tokio::time::sleep(Duration::from_millis(2)).await;
        }
    };
    tokio::time::timeout(LONG, gone).await.expect("no guest outlives its engine");
    crate::runtime::local::cgroup::assert_no_groups_of(engine.id());
    remove(std::path::Path::new(&base));
}

/// A killed engine leaves its directory to `gc`, which is not at work here.
#[expect(clippy::disallowed_methods, reason = "the directory is the test's own")]
fn remove(base: &std::path::Path) {
    let _ = std::fs::remove_dir_all(base);
}

/// Does nothing but in a process of its own, where the test above runs it.
#[tokio::test]
async fn an_engine_to_kill() {
    if !is_again() {
        return;
    }
    let place = open("").await;
    let script = "trap '' TERM; setsid sleep 1000 & (setsid sleep 1000 &); sleep 1000";
    let _running = place.runtime.stream(sh(script)).await.unwrap();
    place.until(|alive| alive >= 4).await;
    println!("base {} ready", place.base.path().display());
    std::future::pending::<()>().await;
}
