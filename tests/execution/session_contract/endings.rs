//! Every way in which a session ends, and that nothing is left after it (L22, X3, X4).

use std::time::Duration;

use bailiwick::{GcMode, GcScope, Session, SessionState, SolutionRuntimeError, SpawnRequest, State, gc};

use super::{assets, input, say, text};
use crate::support::ledger::Ledger;
use crate::support::yard::{LONG, Yard, command, loud, poll_then_drop};

#[tokio::test]
async fn a_close_leaves_nothing_though_the_session_is_still_in_hand() {
    let yard = Yard::new();
    let session = yard.builder("").grant_assets(assets(&yard)).open().await.unwrap();
    assert_eq!(yard.workspaces().len(), 2, "the workspace and the staged assets");
    let (one, other) = tokio::join!(session.close(), session.close());
    one.and(other).unwrap();
    assert_eq!(yard.workspaces(), Vec::<String>::new());
    assert_eq!(yard.registry.reaper().flush(LONG).unfinished, 0);
    session.close().await.unwrap();
}

#[tokio::test]
async fn a_close_ends_what_runs_in_every_runtime() {
    let yard = Yard::new();
    let session = yard.session("scripted: {release: something}").await;
    let runtimes =
        [session.spawn(SpawnRequest::default()).await.unwrap(), session.spawn(SpawnRequest::default()).await.unwrap()];
    let mut running = Vec::new();
    for runtime in &runtimes {
        running.push(runtime.stream(command(&["hang"])).await.unwrap());
    }
    session.close().await.unwrap();
    assert_eq!((yard.gates.alive(), yard.gates.releases()), (0, 2));
    for one in &running {
        assert_eq!(one.poll(), State::Finished(143));
    }
    let refused = runtimes[0].execute(command(&["out:x"])).await;
    assert!(matches!(refused, Err(SolutionRuntimeError::Closed)));
}

#[tokio::test]
async fn a_session_that_is_dropped_ends_as_if_it_were_closed() {
    let yard = Yard::new();
    let session = yard.builder("scripted: {release: something}").grant_assets(assets(&yard)).open().await.unwrap();
    let runtime = session.spawn(SpawnRequest::default()).await.unwrap();
    let running = runtime.stream(command(&["reach:up", "hang"])).await.unwrap();
    yard.gates.reached("up").await;
    drop(session);
    assert_eq!(running.wait().await.unwrap().exit_code(), 143);
    drop(runtime);
    yard.assert_clean();
    assert_eq!(yard.gates.releases(), 1);
    // Without an executor as well.
    let session = yard.session("").await;
    say(&session, &["write:a=1"]).await;
    std::thread::spawn(move || drop(session)).join().unwrap();
    yard.assert_clean();
}

#[test]
fn a_close_that_is_dropped_halfway_is_done_by_the_drop() {
    let yard = Yard::new();
    for times in 0..6 {
        let executor = executor();
        executor.block_on(async {
            let session = yard.session("scripted: {release: something, extra: {note: slow release}}").await;
            let released = yard.gates.releases();
            let runtimes = [
                session.spawn(SpawnRequest::default()).await.unwrap(),
                session.spawn(SpawnRequest::default()).await.unwrap(),
            ];
            let running = runtimes[1].stream(command(&["hang"])).await.unwrap();
            poll_then_drop(times, session.close()).await;
            drop(session);
            yard.gates.open("release");
            assert_eq!(yard.registry.reaper().flush(LONG).unfinished, 0);
            assert_eq!((yard.gates.alive(), yard.gates.releases()), (0, released + 2), "after {times} polls");
            assert_eq!(running.poll(), State::Finished(143));
            for runtime in runtimes {
                assert!(runtime.execute(command(&["out:x"])).await.is_err());
            }
        });
        // A removal that has begun goes on to its end, on a thread that the executor waits for.
        drop(executor);
        yard.assert_clean();
    }
}

/// Makes an executor; dropping it waits for the blocking work that has begun.
fn executor() -> tokio::runtime::Runtime {
    tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap()
}

#[tokio::test]
async fn a_spawn_that_ends_after_the_close_gives_no_runtime() {
    let yard = Yard::new();
    let session =
        yard.session("setup: {commands: ['reach:up wait:closed', 'log:after']}\nscripted: {release: something}").await;
    let spawn = session.spawn(SpawnRequest::default());
    let close = async {
        yard.gates.reached("up").await;
        let closed = session.close().await;
        yard.gates.open("closed");
        closed
    };
    let (spawned, closed) = loud("both", async { tokio::join!(spawn, close) }).await;
    closed.unwrap();
    let error = spawned.unwrap_err();
    assert_eq!(error.to_string(), "`spawn` is not possible while the session is closed");
    assert_eq!((session.state(), yard.gates.releases()), (SessionState::Closed, 1));
}

#[test]
fn an_open_that_is_dropped_leaves_nothing() {
    let yard = Yard::new();
    for times in 0..4 {
        let executor = executor();
        let builder = yard.builder("").grant_assets(assets(&yard)).submission(yard.outside("tree"));
        executor.block_on(async { drop(poll_then_drop(times, builder.open()).await) });
        // The copying itself goes on to its end, on a thread that the executor waits for.
        drop(executor);
        yard.assert_clean();
    }
}

#[tokio::test]
async fn two_registries_over_one_state_directory_leave_each_other_alone() {
    let yard = Yard::new();
    let other = yard.second_registry();
    let mine = yard.session("").await;
    let theirs = Session::builder(&other, yard.spec("")).open().await.unwrap();
    for session in [&mine, &theirs] {
        session.materialize_input_files(vec![input("a", "1")]).await.unwrap();
    }
    assert_ne!(yard.registry.owner().unwrap().id(), other.owner().unwrap().id());
    let report = gc(yard.registry.host(), GcMode::Remove, GcScope::Ownerless);
    assert!(report.removed.is_empty() && report.failures.is_empty(), "{report:?}");
    assert_eq!(report.alive, 2);
    assert_eq!((text(&mine, "a").await, text(&theirs, "a").await), (Some("1".into()), Some("1".into())));
    theirs.close().await.unwrap();
    assert_eq!(say(&mine, &["cat:a"]).await, "1");
}

#[test]
fn l22_many_sessions_at_once_leave_the_process_as_it_was() {
    const SESSIONS: usize = 200;
    let yard = Yard::alone();
    let threads = || tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
    let round = |sessions: usize| {
        let executor = threads();
        executor.block_on(async {
            let mut tasks = tokio::task::JoinSet::new();
            for number in 0..sessions {
                let builder = yard.builder("scripted: {release: something}").grant_assets(assets(&yard));
                tasks.spawn(async move {
                    let session = builder.open().await.unwrap();
                    let runtime = session.spawn(SpawnRequest::default()).await.unwrap();
                    let name = number.to_string();
                    let words = [&format!("write:mine={name}"), "cat:mine", "flood-err:2000"];
                    let result = runtime.execute(command(&words)).await.unwrap();
                    assert_eq!(result.stdout.text(), Some(name));
                    // Three ends in turn: closed, dropped, dropped with a command that runs.
                    match number % 3 {
                        0 => {
                            drop(runtime);
                            session.close().await.unwrap();
                        }
                        1 => drop(session),
                        _ => {
                            let running = runtime.stream(command(&["spin"])).await.unwrap();
                            tokio::time::sleep(Duration::from_millis(1)).await;
                            drop((session, runtime, running));
                        }
                    }
                });
            }
            while let Some(done) = tasks.join_next().await {
                done.unwrap();
            }
        });
        drop(executor);
        yard.assert_clean();
        yard.gates.releases()
    };
    // The first round starts what a process has once: the reaper's thread, the owner's lock.
    round(4);
    let ledger = Ledger::take();
    let released = yard.gates.releases();
    assert_eq!(round(SESSIONS) - released, SESSIONS, "every runtime released what it held, once");
    ledger.assert_same();
}
