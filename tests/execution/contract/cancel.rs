//! Kill, cleanup, cancellation at every await, panics and host failures (G19).

use std::panic::AssertUnwindSafe;
use std::sync::Arc;

use bailiwick::{
    ErrorKind, ExecutionError, Killer, SolutionRuntimeError, SpawnRequest, State, Stdin, SubmissionRuntime, Termination,
};
use futures_util::FutureExt as _;

use crate::support::yard::{Yard, command, loud, poll_then_drop};

const BUSY: [&str; 7] = ["out:a", "sleep:1", "err:b", "echo", "flood:5000", "sleep:1", "out:c"];

/// Drops an execute at every one of its awaits, until it ends by itself.
async fn sweep(yard: &Yard, runtime: &Arc<dyn SubmissionRuntime>) {
    for times in 0.. {
        let (writer, stdin) = Stdin::live();
        let write = async {
            writer.write("text").await;
            drop(writer);
        };
        let asked = command(&BUSY).grant_stdin(stdin);
        let both = async { tokio::join!(runtime.execute(asked), write).0 };
        let done = poll_then_drop(times, both).await;
        assert_eq!(yard.gates.alive(), 0, "dropped after {times} polls");
        if let Some(done) = done {
            assert_eq!(done.unwrap().stdout.bytes, 5006);
            assert!(times > 3, "the sweep met several awaits");
            return;
        }
        assert_ne!(runtime.poll(), State::Running, "dropped after {times} polls");
    }
}

#[tokio::test]
async fn g19_an_execute_dropped_at_any_await_leaves_nothing_running() {
    let yard = Yard::new();
    let (session, runtime) = yard.runtime("").await;
    sweep(&yard, &runtime).await;
    let (other_session, one_by_one) = yard.runtime("scripted: {max_commands: 1}").await;
    sweep(&yard, &one_by_one).await;
    session.close().await.unwrap();
    other_session.close().await.unwrap();
}

#[tokio::test]
async fn g19_a_stream_kill_or_cleanup_dropped_at_any_await_is_done_by_the_next() {
    let yard = Yard::new();
    for times in 0..12 {
        let (session, runtime) = yard.runtime("scripted: {release: something, extra: {note: slow release}}").await;
        let released = yard.gates.releases();
        let stream = poll_then_drop(times, runtime.stream(command(&["sleep:1", "hang"]))).await;
        drop(stream);
        let hanging = runtime.stream(command(&["sleep:1", "hang"])).await.unwrap();
        poll_then_drop(times, runtime.kill()).await;
        poll_then_drop(times, hanging.kill()).await;
        poll_then_drop(times, runtime.cleanup()).await;
        yard.gates.open("release");
        loud("cleanup", runtime.cleanup()).await.unwrap();
        assert_eq!(yard.gates.alive(), 0, "after {times} polls");
        assert_eq!(yard.gates.releases(), released + 1, "after {times} polls");
        assert!(matches!(runtime.execute(command(&["out:x"])).await, Err(SolutionRuntimeError::Closed)));
        drop((hanging, runtime));
        session.close().await.unwrap();
    }
}

#[tokio::test]
async fn g19_a_spawn_dropped_in_its_set_up_leaves_nothing() {
    let yard = Yard::new();
    let session = yard.session("setup: {commands: ['sleep:1', 'write:a=1', 'sleep:1']}").await;
    let mut polls = 0..;
    let runtime = loop {
        let spawn = session.spawn(SpawnRequest::default());
        match poll_then_drop(polls.next().unwrap(), spawn).await {
            Some(spawned) => break spawned.unwrap(),
            None => assert_eq!(yard.gates.alive(), 0),
        }
    };
    assert_eq!(runtime.setup().len(), 3);
    session.reset().await.unwrap();
    drop(runtime);
    session.close().await.unwrap();
}

#[tokio::test]
async fn kill_returns_though_nobody_polls() {
    let yard = Yard::new();
    let (_session, runtime) = yard.runtime("").await;
    // An execute that its caller polls once and never again.
    let mut held = Box::pin(runtime.execute(command(&["hang"])));
    assert!(held.as_mut().now_or_never().is_none());
    assert_eq!((yard.gates.alive(), runtime.poll()), (1, State::Running));
    loud("kill", runtime.kill()).await.unwrap();
    assert_eq!((yard.gates.alive(), runtime.poll()), (0, State::Finished(143)));
    assert_eq!(held.await.unwrap().termination, Termination::Killed { by: Killer::Caller });
    // Nothing left: killing is idempotent, before, between and after.
    runtime.kill().await.unwrap();
    let (_other, fresh) = yard.runtime("").await;
    fresh.kill().await.unwrap();
    assert_eq!(fresh.poll(), State::NotStarted);
}

#[tokio::test]
async fn two_killers_of_an_unpolled_command_both_return() {
    let yard = Yard::new();
    let (_session, runtime) = yard.runtime("").await;
    let mut held = Box::pin(runtime.execute(command(&["stubborn:give-in"])));
    assert!(held.as_mut().now_or_never().is_none());
    let (mut first, mut second) = (Box::pin(runtime.kill()), Box::pin(runtime.kill()));
    assert!(first.as_mut().now_or_never().is_none());
    assert!(second.as_mut().now_or_never().is_none(), "nothing may be alive when a kill returns");
    // The one that polled last goes away; the other must go on.
    drop(second);
    let opener = async { yard.gates.open("give-in") };
    let (killed, ()) = loud("the first killer", async { tokio::join!(first, opener) }).await;
    killed.unwrap();
    assert_eq!(yard.gates.alive(), 0);
    assert_eq!(held.await.unwrap().exit_code(), 143);
}

#[tokio::test(flavor = "multi_thread")]
async fn many_killers_and_droppers_at_once_leave_nothing() {
    let yard = Yard::new();
    let (_session, runtime) = yard.runtime("").await;
    for round in 0..200 {
        let ran = Arc::clone(&runtime);
        let execute = tokio::spawn(async move { ran.execute(command(&["reach:x", "spin"])).await });
        let killers = [0, 1, 2].map(|_| {
            let runtime = Arc::clone(&runtime);
            tokio::spawn(async move { runtime.kill().await })
        });
        if round % 2 == 0 {
            execute.abort();
        }
        for killer in killers {
            loud("a killer", killer).await.unwrap().unwrap();
        }
        // It may have begun after the killers looked.
        execute.abort();
        let _ = loud("the end", execute).await;
        loud("silence", async {
            while yard.gates.alive() > 0 {
                tokio::task::yield_now().await;
            }
        })
        .await;
    }
    assert_eq!(runtime.execute(command(&["out:x"])).await.unwrap().exit_code(), 0);
}

#[tokio::test]
async fn the_failure_of_a_command_is_no_failure_of_a_later_kill() {
    let yard = Yard::new();
    let (session, runtime) = yard.runtime("").await;
    let error = runtime.execute(command(&["host-failure"])).await.unwrap_err();
    let error = ExecutionError::from(error);
    assert_eq!((error.kind(), error.to_string().as_str()), (ErrorKind::Runtime, "start the words"));
    assert!(std::error::Error::source(&error).is_some());
    assert_eq!(runtime.poll(), State::Failed);
    runtime.kill().await.unwrap();
    runtime.cleanup().await.unwrap();
    session.close().await.unwrap();
}

#[tokio::test]
async fn a_cleaned_up_runtime_is_closed() {
    let yard = Yard::new();
    let (_session, runtime) = yard.runtime("scripted: {release: something}").await;
    let running = runtime.stream(command(&["hang"])).await.unwrap();
    let (one, other) = tokio::join!(runtime.cleanup(), runtime.cleanup());
    one.and(other).unwrap();
    assert_eq!((yard.gates.alive(), yard.gates.releases()), (0, 1));
    assert_eq!(running.wait().await.unwrap().termination, Termination::Killed { by: Killer::Caller });
    runtime.cleanup().await.unwrap();
    runtime.kill().await.unwrap();
    assert!(matches!(runtime.execute(command(&["out:x"])).await, Err(SolutionRuntimeError::Closed)));
    assert!(matches!(runtime.stream(command(&["out:x"])).await, Err(SolutionRuntimeError::Closed)));
    assert_eq!(yard.gates.releases(), 1);
}

#[tokio::test]
async fn a_second_cleanup_waits_for_the_first() {
    let yard = Yard::new();
    let (_session, runtime) = yard.runtime("scripted: {release: something, extra: {note: slow release}}").await;
    let first = Arc::clone(&runtime);
    let first = tokio::spawn(async move { first.cleanup().await });
    yard.gates.reached("releasing").await;
    let mut second = Box::pin(runtime.cleanup());
    assert!(second.as_mut().now_or_never().is_none(), "the first has not released yet");
    yard.gates.open("release");
    second.await.unwrap();
    assert_eq!(yard.gates.releases(), 1);
    first.await.unwrap().unwrap();
}

#[tokio::test]
async fn a_release_that_fails_is_told_and_not_tried_for_ever() {
    let yard = Yard::new();
    let (session, runtime) = yard.runtime("scripted: {release: fails}").await;
    let error = runtime.cleanup().await.unwrap_err();
    assert_eq!(error.to_string(), "what was held could not be released");
    runtime.cleanup().await.unwrap();
    drop(runtime);
    // A session keeps every failure of its runtimes.
    let runtimes =
        [session.spawn(SpawnRequest::default()).await.unwrap(), session.spawn(SpawnRequest::default()).await.unwrap()];
    let error = session.close().await.unwrap_err();
    assert_eq!((error.kind(), error.cleanup_failures().len()), (ErrorKind::Runtime, 1));
    drop(runtimes);
    session.close().await.unwrap();
}

#[tokio::test]
async fn a_guest_that_panics_ends_its_own_command_alone() {
    let yard = Yard::new();
    let (session, runtime) = yard.runtime("scripted: {max_commands: 1}").await;
    let (_other_session, other) = yard.runtime("").await;
    let beside = other.stream(command(&["hang"])).await.unwrap();
    let executed = AssertUnwindSafe(runtime.execute(command(&["out:x", "panic"]))).catch_unwind().await;
    let error = executed.expect("the caller's task does not unwind").unwrap_err();
    assert!(matches!(&error, SolutionRuntimeError::Panicked { message } if message == "on purpose"), "{error:?}");
    assert_eq!(ExecutionError::from(error).kind(), ErrorKind::Bug);
    assert_eq!(runtime.poll(), State::Failed);
    let streamed = runtime.stream(command(&["panic"])).await.unwrap().wait().await;
    assert!(matches!(streamed, Err(SolutionRuntimeError::Panicked { .. })));
    // The place and the only turn are free again, others never noticed.
    assert_eq!(loud("the next", runtime.execute(command(&["out:x"]))).await.unwrap().exit_code(), 0);
    assert_eq!((beside.poll(), yard.gates.alive()), (State::Running, 1));
    drop(beside);
    other.cleanup().await.unwrap();
    runtime.cleanup().await.unwrap();
    session.close().await.unwrap();
}

#[tokio::test]
async fn a_guest_that_panics_while_it_is_killed_is_told_to_its_caller() {
    let yard = Yard::new();
    let (_session, runtime) = yard.runtime("").await;
    let mut held = Box::pin(runtime.execute(command(&["stubborn:now", "panic"])));
    assert!(held.as_mut().now_or_never().is_none());
    let opener = async { yard.gates.open("now") };
    let (killed, ()) = loud("the killer", async { tokio::join!(runtime.kill(), opener) }).await;
    // The guest looks whether it was stopped before its next word.
    killed.unwrap();
    assert_eq!(held.await.unwrap().exit_code(), 143);
}

#[tokio::test]
async fn a_runtime_that_breaks_its_promise_is_an_error_and_no_result() {
    let yard = Yard::new();
    let (_session, runtime) = yard.runtime("").await;
    assert!(runtime.execute(command(&["break-promise"])).await.is_err());
    let lost = runtime.execute(command(&["lost"])).await.unwrap_err();
    assert_eq!(lost.to_string(), "the dictionary is gone");
    assert_eq!(runtime.execute(command(&["sleep:1"])).await.unwrap().exit_code(), 0);
}
