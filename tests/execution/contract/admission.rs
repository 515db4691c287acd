//! Who runs, who waits, and that nobody waits for ever.

use std::time::Duration;

use bailiwick::spec::{Limit, Span};
use bailiwick::{ErrorKind, ExecutionError, Host, Killer, SolutionRuntimeError, SpawnRequest, State, Termination};
use futures_util::FutureExt as _;

use crate::support::yard::{Yard, command, loud};

fn one_place() -> Yard {
    Yard::on(|host: &mut Host| host.max_running = Some(1))
}

#[tokio::test]
async fn one_at_a_time_goes_in_the_order_of_asking() {
    let yard = Yard::new();
    let (_session, runtime) = yard.runtime("scripted: {max_commands: 1}").await;
    let first = runtime.stream(command(&["wait:go", "log:0"])).await.unwrap();
    let mut rest = Vec::new();
    for number in 1..6 {
        rest.push(runtime.stream(command(&[&format!("log:{number}")])).await.unwrap());
    }
    // Asked for last, polled first: it is the last all the same.
    let mut last = Box::pin(runtime.execute(command(&["log:6"])));
    assert!(last.as_mut().now_or_never().is_none());
    assert_eq!((yard.gates.alive(), rest[0].poll()), (0, State::Running));
    yard.gates.open("go");
    let last = async { loud("the last", last).await.unwrap() };
    let all = async {
        let mut turns = Vec::new();
        for one in rest {
            turns.push(loud("a turn", one.wait()).await.unwrap());
        }
        turns
    };
    let (first, rest, last) = tokio::join!(first.wait(), all, last);
    assert_eq!(first.unwrap().exit_code(), 0);
    for result in rest.iter().chain([&last]) {
        assert!(result.usage.queued.value().unwrap() > &Duration::ZERO);
    }
    assert_eq!(*yard.gates.log.lock().unwrap(), ["0", "1", "2", "3", "4", "5", "6"]);
    assert_eq!(yard.gates.most(), 1);
}

#[tokio::test]
async fn several_run_at_once_where_nothing_is_said() {
    let yard = Yard::new();
    let (_session, runtime) = yard.runtime("").await;
    let both = [["reach:a", "wait:b"], ["wait:a", "reach:b"]];
    let [first, second] = both.map(|words| runtime.execute(command(&words)));
    let (first, second) = loud("both", async { tokio::join!(first, second) }).await;
    assert_eq!((first.unwrap().exit_code(), second.unwrap().exit_code()), (0, 0));
    assert_eq!(yard.gates.most(), 2);
}

#[tokio::test]
async fn a_killed_command_leaves_the_queue_and_says_how_long_it_stood_there() {
    let yard = Yard::new();
    let (_session, runtime) = yard.runtime("scripted: {max_commands: 1}").await;
    let first = runtime.stream(command(&["hang"])).await.unwrap();
    let queued = runtime.stream(command(&["log:never"])).await.unwrap();
    tokio::task::yield_now().await;
    loud("kill of a queued one", queued.kill()).await.unwrap();
    let result = queued.wait().await.unwrap();
    assert_eq!(result.termination, Termination::Killed { by: Killer::Caller });
    assert!(result.usage.wall_time.value().is_none(), "it never started");
    assert!(result.usage.queued.value().unwrap() > &Duration::ZERO);
    // The runtime's own kill reaches the one that runs and those that wait.
    let waiting = runtime.stream(command(&["log:never"])).await.unwrap();
    loud("kill", runtime.kill()).await.unwrap();
    assert_eq!((first.poll(), waiting.poll()), (State::Finished(143), State::Finished(143)));
    assert_eq!((yard.gates.runs(), yard.gates.log.lock().unwrap().len()), (1, 0));
}

#[tokio::test]
async fn time_in_the_queue_is_no_wall_time() {
    let yard = Yard::new();
    let (_session, runtime) = yard.runtime("scripted: {max_commands: 1}\nlimits: {wall_time: 1s}").await;
    let first = runtime.stream(command(&["hang"])).await.unwrap();
    let second = runtime.execute(command(&["out:x"])).await.unwrap();
    assert_eq!((first.wait().await.unwrap().exit_code(), second.exit_code()), (124, 0));
    assert!(second.usage.queued.value().unwrap() > &Duration::from_millis(900));
}

#[tokio::test]
async fn a_session_that_runs_is_admitted_past_those_who_wait() {
    let yard = one_place();
    let (_server, server) = yard.runtime("").await;
    let (_other, other) = yard.runtime("").await;
    let serving = server.stream(command(&["reach:up", "wait:done"])).await.unwrap();
    yard.gates.reached("up").await;
    let waiting = other.stream(command(&["log:other"])).await.unwrap();
    tokio::task::yield_now().await;
    let client = loud("the client", server.execute(command(&["log:client", "reach:done"]))).await.unwrap();
    assert_eq!(client.exit_code(), 0);
    assert_eq!(serving.wait().await.unwrap().exit_code(), 0);
    assert_eq!(loud("the other", waiting.wait()).await.unwrap().exit_code(), 0);
    assert_eq!(*yard.gates.log.lock().unwrap(), ["client", "other"]);
}

#[tokio::test]
async fn a_client_that_waited_behind_others_enters_with_its_server() {
    let yard = one_place();
    let (_first, first) = yard.runtime("").await;
    let (_server, server) = yard.runtime("").await;
    let (_other, other) = yard.runtime("").await;
    let running = first.stream(command(&["wait:begin"])).await.unwrap();
    tokio::task::yield_now().await;
    // In line: the server, another session, the server's client.
    let mut serving = Box::pin(server.execute(command(&["wait:done"])));
    let mut elsewhere = Box::pin(other.execute(command(&["log:other"])));
    let mut client = Box::pin(server.execute(command(&["log:client", "reach:done"])));
    assert!(serving.as_mut().now_or_never().is_none());
    assert!(elsewhere.as_mut().now_or_never().is_none());
    assert!(client.as_mut().now_or_never().is_none());
    yard.gates.open("begin");
    let all = async { tokio::join!(serving, elsewhere, client, running.wait()) };
    let (serving, elsewhere, client, running) = loud("all of them", all).await;
    for result in [serving, elsewhere, client, running] {
        assert_eq!(result.unwrap().exit_code(), 0);
    }
    assert_eq!(*yard.gates.log.lock().unwrap(), ["client", "other"]);
}

#[tokio::test]
async fn waiting_too_long_is_busy_and_no_result() {
    let yard = one_place();
    let (_first, first) = yard.runtime("").await;
    let running = first.stream(command(&["reach:up", "hang"])).await.unwrap();
    yard.gates.reached("up").await;
    let impatient = yard.builder("").queue_timeout(Duration::from_millis(20)).open().await.unwrap();
    let runtime = impatient.spawn(SpawnRequest::default()).await.unwrap();
    let error = runtime.execute(command(&["log:never"])).await.unwrap_err();
    assert!(matches!(error, SolutionRuntimeError::Busy));
    assert_eq!(ExecutionError::from(error).kind(), ErrorKind::Busy);
    assert_eq!(runtime.poll(), State::Failed);
    runtime.kill().await.unwrap();
    drop(running);
    loud("a free place", async { while runtime.execute(command(&["out:x"])).await.is_err() {} }).await;
    assert!(yard.gates.log.lock().unwrap().is_empty());
    runtime.cleanup().await.unwrap();
    impatient.close().await.unwrap();
}

#[tokio::test]
async fn waiting_too_long_for_a_turn_is_busy_too() {
    let yard = Yard::new();
    let builder = yard.builder("scripted: {max_commands: 1}").queue_timeout(Duration::from_millis(20));
    let session = builder.open().await.unwrap();
    let runtime = session.spawn(SpawnRequest::default()).await.unwrap();
    let running = runtime.stream(command(&["hang"])).await.unwrap();
    let outcome = loud("busy", runtime.execute(command(&["out:x"]))).await;
    assert!(matches!(outcome, Err(SolutionRuntimeError::Busy)), "{outcome:?}");
    drop(running);
}

#[tokio::test(flavor = "multi_thread")]
async fn more_commands_than_places_all_get_one() {
    let yard = Yard::on(|host: &mut Host| host.max_running = Some(3));
    let mut tasks = tokio::task::JoinSet::new();
    for _ in 0..24 {
        let session = yard.session("").await;
        tasks.spawn(async move {
            let runtime = session.spawn(SpawnRequest::default()).await.unwrap();
            for _ in 0..5 {
                assert_eq!(runtime.execute(command(&["sleep:1"])).await.unwrap().exit_code(), 0);
            }
            drop(runtime);
            session.close().await.unwrap();
        });
    }
    while let Some(done) = loud("a session", tasks.join_next()).await {
        done.unwrap();
    }
    assert!(yard.gates.most() <= 3, "{} at once", yard.gates.most());
}

#[tokio::test]
async fn set_up_waits_for_a_place_without_losing_its_time() {
    let yard = one_place();
    let (_first, first) = yard.runtime("").await;
    let running = first.stream(command(&["reach:up", "wait:free"])).await.unwrap();
    yard.gates.reached("up").await;
    let mut spec = yard.spec("setup: {commands: ['log:set-up', 'log:up']}");
    spec.setup.wall_time = Span(Duration::from_millis(1000));
    spec.limits.wall_time = Limit::None;
    let session = bailiwick::Session::builder(&yard.registry, spec).open().await.unwrap();
    let mut spawn = Box::pin(session.spawn(SpawnRequest::default()));
    assert!(tokio::time::timeout(Duration::from_millis(1100), &mut spawn).await.is_err(), "it waits");
    yard.gates.open("free");
    let runtime = loud("the spawn", spawn).await.unwrap();
    let ended: Vec<_> = runtime.setup().iter().map(|one| one.termination.clone()).collect();
    assert_eq!(ended, [Termination::Exited { code: 0 }, Termination::Exited { code: 0 }]);
    drop(running);
}
