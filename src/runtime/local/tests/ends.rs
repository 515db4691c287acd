//! How commands end: by themselves, by a signal, by somebody; and that nothing outlives them.

use futures_util::StreamExt;

use super::*;
use crate::runtime::{Killer, RuntimeEvent, State, Termination};
use crate::spec::LimitName;

fn limit_of(result: &Arc<RuntimeResult>) -> Option<LimitName> {
    if let Termination::LimitExceeded { limit, .. } = &result.termination { Some(*limit) } else { None }
}

/// A script whose processes leave the group, the session and their parents, and do not want to end.
const ESCAPERS: &str = "trap '' TERM HUP INT
    setsid sh -c 'trap \"\" TERM; sleep 1000' &
    (setsid sh -c 'trap \"\" TERM; sleep 1000 & sleep 1000' & ) &
    (sleep 1000 & exec setsid sleep 1000) >/dev/null 2>&1 &
    sh -c 'kill -STOP $$; sleep 1000' &
    ";

/// L4, L5: a limit ends the group and all who left it, whatever they do about signals.
#[tokio::test]
async fn l4_a_time_limit_ends_everything() {
    let place = open("limits: {wall_time: 300ms}\n").await;
    let result = place.sh(&format!("{ESCAPERS} while :; do sleep 1; done")).await;
    assert_eq!(limit_of(&result), Some(LimitName::WallTime), "{result}");
    assert!(result.timed_out());
    assert_eq!(place.alive(), 0, "{:?}", place.pids());
    assert!(result.notes.is_empty(), "{:?}", result.notes);
}

/// L4: the same after a normal end, and nobody waits for those who hold the pipes (L6).
#[tokio::test]
async fn l6_nothing_outlives_a_normal_end_and_no_pipe_is_waited_for() {
    let place = open("").await;
    let result = place.sh(&format!("{ESCAPERS} echo done")).await;
    assert_eq!((result.exit_code(), stdout(&result)), (0, "done\n".to_owned()));
    assert_eq!(place.alive(), 0, "{:?}", place.pids());
}

/// L4: one that never stands still, each link in a session of its own, is caught by no group and no list.
#[tokio::test]
async fn l4_a_chain_of_short_lives_is_caught() {
    for local in [Local::default(), Local::without_groups()] {
        let place = open_on(local, "limits: {wall_time: 10s}\n", Mode::Evaluation).await;
        place.put("link", b"#!/bin/sh\nsetsid ./link &\nexit\n", 0o755);
        for _ in 0..5 {
            let result = place.sh("./link; ./link; sleep 0.05; echo done").await;
            assert_eq!((result.exit_code(), stdout(&result)), (0, "done\n".to_owned()), "{result}");
            assert!(result.notes.is_empty(), "{:?}", result.notes);
            assert_eq!(place.alive(), 0, "{:?}", place.pids());
        }
    }
}

/// L5: a guest that is stopped, or stops itself, still meets its limit.
#[tokio::test]
async fn l5_a_stopped_guest_is_ended() {
    let place = open("limits: {wall_time: 100ms}\n").await;
    assert_eq!(limit_of(&place.sh("kill -STOP $$").await), Some(LimitName::WallTime));
    assert_eq!(limit_of(&place.sh("kill -STOP 0").await), Some(LimitName::WallTime));
    assert_eq!(place.alive(), 0);
}

/// L5: even one that stops or kills what watches it.
#[tokio::test]
async fn l5_a_guest_that_attacks_its_supervisor_is_ended() {
    let place = open("limits: {wall_time: 300ms}\n").await;
    let stopped = place.sh("kill -STOP $PPID; setsid sleep 1000 & sleep 1000").await;
    assert_eq!(limit_of(&stopped), Some(LimitName::WallTime), "{stopped}");
    assert!(stopped.notes.iter().any(|note| note.contains("supervisor")), "{:?}", stopped.notes);
    assert_eq!(place.alive(), 0, "{:?}", place.pids());
    let killed = place.sh("sleep 1000 & kill -KILL $PPID; sleep 1000").await;
    assert!(matches!(killed.termination, Termination::Signaled { signal: 9, by: Some(_) }), "{killed}");
}

#[tokio::test]
async fn a_polite_end_lets_the_guest_say_goodbye() {
    let place = open("limits: {wall_time: 200ms}\n").await;
    let result = place.sh("trap 'echo bye; exit 7' TERM; while :; do sleep 0.01; done").await;
    assert_eq!((limit_of(&result), result.guest_code), (Some(LimitName::WallTime), Some(7)));
    assert_eq!(stdout(&result), "bye\n");
}

/// L10: each signal is its own end, and no exit code is taken for one.
#[tokio::test]
async fn l10_signals_and_codes_are_told_apart() {
    let place = open("").await;
    // Not those that stop, continue or do nothing by default.
    let harmless = [17, 18, 19, 20, 21, 22, 23, 28, 32, 33];
    for signal in (1..=64).filter(|signal| !harmless.contains(signal)) {
        let result = place.sh(&format!("kill -{signal} $$")).await;
        assert_eq!(result.termination, Termination::Signaled { signal, by: None }, "signal {signal}");
        assert_eq!(result.exit_code(), 128 + signal);
    }
    for code in [0, 1, 124, 125, 126, 127, 137, 143, 153, 255] {
        let result = place.sh(&format!("exit {code}")).await;
        assert_eq!(result.termination, Termination::Exited { code });
    }
}

#[tokio::test]
async fn when_kill_returns_nothing_is_alive() {
    let place = open("").await;
    let mut running = place.runtime.stream(sh(&format!("{ESCAPERS} echo ready; sleep 1000"))).await.unwrap();
    assert!(matches!(running.next().await, Some(Ok(RuntimeEvent::Stdout(_)))));
    assert_eq!(running.poll(), State::Running);
    running.kill().await.unwrap();
    assert_eq!(place.alive(), 0, "{:?}", place.pids());
    let result = running.wait().await.unwrap();
    assert_eq!(result.termination, Termination::Killed { by: Killer::Caller });
    place.runtime.kill().await.unwrap();
}

#[tokio::test]
async fn a_kill_does_not_wait_for_a_reader() {
    let place = open("limits: {output: null}\n").await;
    let running = place.runtime.stream(sh("exec yes")).await.unwrap();
    place.until(|alive| alive == 1).await;
    tokio::time::timeout(LONG, running.kill()).await.expect("in time").unwrap();
    assert_eq!(place.alive(), 0);
}

#[tokio::test]
async fn a_dropped_stream_and_a_cancelled_execute_end_their_commands() {
    let place = open("").await;
    let script = format!("{ESCAPERS} echo ready; sleep 1000");
    let mut running = place.runtime.stream(sh(&script)).await.unwrap();
    assert!(running.next().await.is_some());
    drop(running);
    place.until(|alive| alive == 0).await;
    for cancelled_after in [0, 1, 3, 10, 50] {
        let limit = Duration::from_millis(cancelled_after);
        assert!(tokio::time::timeout(limit, place.runtime.execute(sh(&script))).await.is_err());
        assert_eq!(place.alive(), 0, "{:?}", place.pids());
    }
}

#[tokio::test]
async fn a_dropped_runtime_ends_its_commands_without_an_executor() {
    let place = open("").await;
    let running = place.runtime.stream(sh(&format!("{ESCAPERS} sleep 1000"))).await.unwrap();
    place.until(|alive| alive >= 8).await;
    let Place { runtime, base, workspace, reaper } = place;
    drop((runtime, running));
    let place = Place { runtime: open("").await.runtime, base, workspace, reaper };
    place.until(|alive| alive == 0).await;
}

#[tokio::test]
async fn an_agents_left_overs_live_until_they_are_ended() {
    let place = open_on(Local::default(), "", Mode::Agent).await;
    let result = place.sh("sleep 1000 & setsid sleep 1000 & echo started").await;
    assert_eq!((result.exit_code(), stdout(&result)), (0, "started\n".to_owned()));
    assert_eq!(result.notes, ["processes that outlived the command: 2"]);
    assert_eq!(place.sh("echo beside").await.notes, Vec::<String>::new());
    assert_eq!(place.alive(), 2);
    place.runtime.kill().await.unwrap();
    assert_eq!(place.alive(), 0);
    place.sh("sleep 1000 &").await;
    assert_eq!(place.alive(), 1);
    place.runtime.cleanup().await.unwrap();
    assert_eq!(place.alive(), 0);
}
