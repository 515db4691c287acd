//! Live events: their order, their end, and readers that are slow or gone (L8, G15).

use std::time::Duration;

use bailiwick::{
    Killer, Running, RuntimeEvent, RuntimeResult, SolutionRuntimeError, SpawnRequest, State, SubmissionRuntime,
    Termination,
};
use futures_util::StreamExt as _;

use crate::support::yard::{Yard, command, loud};

/// Reads all events: what was printed on each stream, and the result, which is one and last.
async fn read(mut running: Running) -> (Vec<u8>, Vec<u8>, std::sync::Arc<RuntimeResult>) {
    let (mut stdout, mut stderr, mut result) = (Vec::new(), Vec::new(), None);
    while let Some(event) = loud("an event", running.next()).await {
        assert!(result.is_none(), "nothing follows the end");
        match event.unwrap() {
            RuntimeEvent::Stdout(bytes) => stdout.extend(bytes),
            RuntimeEvent::Stderr(bytes) => stderr.extend(bytes),
            RuntimeEvent::Finished(finished) => result = Some(finished),
        }
    }
    assert!(running.next().await.is_none(), "and the end stays the end");
    (stdout, stderr, result.unwrap())
}

#[tokio::test]
async fn events_come_in_order_and_add_up_to_the_captured_output() {
    let yard = Yard::new();
    let (_session, runtime) = yard.runtime("").await;
    for words in [
        vec!["out:a", "err:1", "out:b", "err:2"],
        vec!["out:"],
        vec![],
        vec!["flood:100000", "flood-err:300000", "out:end"],
        vec!["out:before", "exit:3"],
        vec!["out:before", "trap:"],
        vec!["no-such-word"],
    ] {
        let words = [&["log:x"][..], &words].concat();
        let (stdout, stderr, result) = read(runtime.stream(command(&words)).await.unwrap()).await;
        assert_eq!((&stdout[..], &stderr[..]), (&result.stdout.kept[..], &result.stderr.kept[..]), "{words:?}");
        assert_eq!(result.stdout.bytes, stdout.len() as u64);
        assert_eq!(runtime.poll(), State::Finished(result.exit_code()));
    }
}

#[tokio::test]
async fn output_past_the_limit_is_no_event_where_it_stops_and_all_of_it_where_it_is_cut() {
    let yard = Yard::new();
    for (overflow, live, kept) in [("stop", 2500, 2500), ("truncate", 50_000, 2500)] {
        let (_session, runtime) =
            yard.runtime(&format!("limits: {{output: 2500B, output_overflow: {overflow}}}")).await;
        let (stdout, _, result) = read(runtime.stream(command(&["flood:50000"])).await.unwrap()).await;
        assert_eq!((stdout.len(), result.stdout.kept.len()), (live, kept), "{overflow}");
        assert!(result.stdout.is_truncated());
        let gap = result.stdout.omitted.unwrap();
        let at = usize::try_from(gap.at).unwrap();
        assert_eq!(result.stdout.kept[..at], stdout[..at], "{overflow}");
        assert_eq!(result.stdout.bytes, result.stdout.kept.len() as u64 + gap.bytes);
    }
}

#[tokio::test]
async fn a_reader_that_comes_late_misses_nothing() {
    let yard = Yard::new();
    let (_session, runtime) = yard.runtime("").await;
    let running =
        runtime.stream(command(&["reach:begun", "flood:500000", "flood-err:2000", "reach:over"])).await.unwrap();
    yard.gates.reached("begun").await;
    assert!(!yard.gates.is_open("over"), "it waits for its reader");
    assert_eq!(running.poll(), State::Running);
    let (stdout, stderr, result) = read(running).await;
    assert_eq!((stdout.len(), stderr.len()), (500_000, 2000));
    assert_eq!(result.termination, Termination::Exited { code: 0 });

    // One that ended before anybody looked.
    let running = runtime.stream(command(&["out:short", "reach:done"])).await.unwrap();
    yard.gates.reached("done").await;
    loud("the end", async {
        while running.poll() == State::Running {
            tokio::task::yield_now().await;
        }
    })
    .await;
    assert_eq!(read(running).await.0, b"short");
}

#[tokio::test]
async fn a_reader_that_never_reads_holds_neither_kill_nor_limits_back() {
    let yard = Yard::new();
    let (_session, runtime) = yard.runtime("limits: {wall_time: 2s}").await;
    // Killed through the handle, through the runtime, and by its wall time, with nobody reading.
    let unread = runtime.stream(command(&["flood:10000000"])).await.unwrap();
    loud("kill by handle", unread.kill()).await.unwrap();
    assert_eq!(unread.poll(), State::Finished(143));
    let unread_too = runtime.stream(command(&["flood-err:10000000"])).await.unwrap();
    loud("kill by runtime", runtime.kill()).await.unwrap();
    assert_eq!(unread_too.poll(), State::Finished(143));
    let late = runtime.stream(command(&["flood:10000000"])).await.unwrap();
    loud("the wall limit", async {
        while late.poll() == State::Running {
            tokio::task::yield_now().await;
        }
    })
    .await;
    assert_eq!(late.poll(), State::Finished(124));
    // What was printed until then is there still.
    for running in [unread, unread_too, late] {
        let (stdout, stderr, result) = read(running).await;
        assert_eq!((&stdout[..], &stderr[..]), (&result.stdout.kept[..], &result.stderr.kept[..]));
        assert!(stdout.len() + stderr.len() < 1_000_000, "it waited for its reader");
    }
}

#[tokio::test]
async fn waiting_throws_events_away_and_gives_the_result() {
    let yard = Yard::new();
    let (_session, runtime) = yard.runtime("").await;
    let result = runtime.stream(command(&["flood:1000000", "exit:4"])).await.unwrap().wait().await.unwrap();
    assert_eq!((result.exit_code(), result.stdout.bytes), (4, 1_000_000));
    let failed = runtime.stream(command(&["host-failure"])).await.unwrap();
    assert!(matches!(failed.wait().await, Err(SolutionRuntimeError::Host { .. })));
    let mut failed = runtime.stream(command(&["out:x", "host-failure"])).await.unwrap();
    assert!(matches!(failed.next().await, Some(Ok(RuntimeEvent::Stdout(_)))));
    assert!(matches!(failed.next().await, Some(Err(SolutionRuntimeError::Host { .. }))));
    assert!(failed.next().await.is_none());
}

#[tokio::test]
async fn dropping_the_stream_ends_the_command() {
    let yard = Yard::new();
    let (session, runtime) = yard.runtime("").await;
    for words in [&["reach:up", "hang"][..], &["reach:up", "flood:10000000"], &["reach:up", "spin"]] {
        let running = runtime.stream(command(words)).await.unwrap();
        yard.gates.reached("up").await;
        drop(running);
        loud("the end", async {
            while runtime.poll() == State::Running {
                tokio::task::yield_now().await;
            }
        })
        .await;
        assert_eq!((runtime.poll(), yard.gates.alive()), (State::Finished(143), 0));
    }
    assert_eq!(runtime.execute(command(&["out:x"])).await.unwrap().exit_code(), 0);
    session.close().await.unwrap();
}

#[tokio::test]
async fn two_streams_of_one_runtime_do_not_mix() {
    let yard = Yard::new();
    let (_session, runtime) = yard.runtime("").await;
    let first = runtime.stream(command(&["wait:go", "flood:200000", "err:first"])).await.unwrap();
    let second = runtime.stream(command(&["out:second", "reach:go", "flood-err:200000"])).await.unwrap();
    let (first, second) = tokio::join!(read(first), read(second));
    assert_eq!((first.0.len(), &first.1[..]), (200_000, &b"first"[..]));
    assert_eq!((&second.0[..], second.1.len()), (&b"second"[..], 200_000));
}

#[test]
fn an_executor_that_goes_away_takes_its_commands_along() {
    let yard = Yard::new();
    let executor = || tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let first = executor();
    let (session, runtime, running) = first.block_on(async {
        let (session, runtime) = yard.runtime("").await;
        let running = runtime.stream(command(&["reach:up", "hang"])).await.unwrap();
        yard.gates.reached("up").await;
        (session, runtime, running)
    });
    assert_eq!(yard.gates.alive(), 1);
    drop(first);
    assert_eq!(yard.gates.alive(), 0, "dropped with the executor's task");
    executor().block_on(async {
        let ended = loud("the end of what nobody drives", running.wait()).await;
        assert!(matches!(ended, Err(SolutionRuntimeError::Cancelled)), "{ended:?}");
        assert_eq!(runtime.execute(command(&["out:x"])).await.unwrap().exit_code(), 0, "another one drives");
        session.close().await.unwrap();
    });
}

#[tokio::test]
async fn dropping_the_runtime_ends_its_commands_and_releases() {
    let yard = Yard::new();
    let session = yard.session("scripted: {release: something}").await;
    let runtime = session.spawn(SpawnRequest::default()).await.unwrap();
    let running = runtime.stream(command(&["reach:up", "hang"])).await.unwrap();
    yard.gates.reached("up").await;
    drop(runtime);
    let ended = loud("the end", running.wait()).await;
    let is_over = match &ended {
        Err(SolutionRuntimeError::Cancelled) => true,
        Ok(result) => result.termination == Termination::Killed { by: Killer::Dropped },
        Err(_) => false,
    };
    assert!(is_over, "{ended:?}");
    assert_eq!(yard.registry.reaper().flush(Duration::from_secs(60)).unfinished, 0);
    assert_eq!((yard.gates.alive(), yard.gates.releases()), (0, 1));
    // One that was cleaned up is not released again by its drop.
    let runtime = session.spawn(SpawnRequest::default()).await.unwrap();
    runtime.cleanup().await.unwrap();
    drop(runtime);
    yard.registry.reaper().flush(Duration::from_secs(60));
    assert_eq!(yard.gates.releases(), 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn streams_on_many_threads_lose_nothing() {
    let yard = Yard::new();
    let (_session, runtime) = yard.runtime("").await;
    let mut tasks = tokio::task::JoinSet::new();
    for _ in 0..32 {
        let runtime: std::sync::Arc<dyn SubmissionRuntime> = std::sync::Arc::clone(&runtime);
        tasks.spawn(async move {
            let running = runtime.stream(command(&["flood:70000", "flood-err:70000", "out:end"])).await.unwrap();
            let (stdout, stderr, result) = read(running).await;
            assert_eq!((&stdout[..], &stderr[..]), (&result.stdout.kept[..], &result.stderr.kept[..]));
            assert_eq!((stdout.len(), stderr.len()), (70_003, 70_000));
        });
    }
    while let Some(done) = tasks.join_next().await {
        done.unwrap();
    }
}
