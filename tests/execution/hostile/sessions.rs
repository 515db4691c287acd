//! A crowd of sessions leaves the process as it was.

use serde_json::json;

use super::ledger::Ledger;
use super::machines::Machine;
use super::{alone, executor};
use bailiwick::Command;

/// Opens, uses and ends so many sessions at once.
fn round(machine: &Machine, sessions: usize, words: &[&str]) {
    let executor = executor();
    executor.block_on(async {
        let crowd = (0..sessions).map(|number| async move {
            let place = machine.open(&json!({"wall_time": "10m"})).await.unwrap();
            let result = place.runtime.execute(Command::argv(words.iter().copied())).await.unwrap();
            assert_eq!(result.exit_code(), 0, "{}: {result}", machine.name);
            // Some are closed, some are only dropped.
            if number % 4 == 0 { drop(place) } else { place.close().await }
        });
        futures_util::future::join_all(crowd).await;
    });
    let report = machine.registry.reaper().flush(std::time::Duration::from_secs(120));
    assert_eq!(report.unfinished, 0, "{}", machine.name);
    assert_eq!(machine.left(), 0, "{}", machine.name);
}

/// L22: the first round starts what a process has once; after the second nothing more is there.
fn leave_nothing(machine: &Machine, sessions: usize, words: &[&str]) {
    round(machine, 4, words);
    let ledger = Ledger::take();
    round(machine, sessions, words);
    ledger.assert_same();
}

#[cfg(feature = "local")]
#[test]
fn l22_two_hundred_sessions_on_local_leave_nothing() {
    let _alone = alone();
    leave_nothing(&Machine::local(), 200, &["sh", "-c", "echo x >file; sleep 0.01 & cat file"]);
}

/// Fifty: an engine takes about a third of a second for each container, and the tests of containers have fifty too.
#[cfg(feature = "docker")]
#[test]
fn l22_fifty_sessions_on_docker_leave_nothing() {
    use super::engine::{Raw, SMALL};
    let _alone = alone();
    let Some(machine) = Machine::docker(SMALL) else { return };
    leave_nothing(&machine, 50, &["sh", "-c", "echo x >file; cat file"]);
    let label = format!("bailiwick.owner={}", machine.registry.owner().unwrap().id());
    assert!(Raw::containers(&label).is_empty());
}

#[cfg(all(feature = "wasi", feature = "wat"))]
#[test]
fn l22_two_hundred_sessions_on_wasi_leave_nothing() {
    let _alone = alone();
    let submission = tempfile::tempdir().unwrap();
    leave_nothing(&Machine::wasi(submission.path()), 200, &["./hello.wat"]);
}
