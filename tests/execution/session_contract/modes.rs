//! What each mode allows, and what each state refuses.

use bailiwick::spec::{LimitName, LimitsConfig, Mode, OutputOverflow, Provenance};
use bailiwick::{ErrorKind, ExecutionError, Session, SessionError, SessionState, SpawnRequest};
use serde_json::json;

use super::{input, say, text};
use crate::support::yard::{Yard, command, loud};

/// Makes every call that a session has, in an order that leaves it as it was; names those that are refused.
async fn call_all(yard: &Yard, session: &Session, name: &str) -> Vec<(&'static str, Option<ExecutionError>)> {
    let snapshot = yard.outside(&format!("{name}-snapshot"));
    vec![
        ("spawn", session.spawn(SpawnRequest::default()).await.map(drop).err()),
        ("materialize_input_files", session.materialize_input_files(vec![input("in", "1")]).await.err()),
        ("get_file_contents", session.get_file_contents(&["in"]).await.map(drop).err()),
        ("changes", session.changes(10).await.map(drop).err()),
        ("keep", session.keep(&snapshot).await.map(drop).err()),
        ("update_snapshot", session.update_snapshot().await.map(drop).err()),
        ("reset", session.reset().await.err()),
        ("restore_from_snapshot_dir", session.restore_from_snapshot_dir(&snapshot).await.err()),
        ("fork", session.fork().await.map(drop).err()),
        ("finish_checkpoint", session.finish_checkpoint(&yard.outside(&format!("{name}-done"))).await.map(drop).err()),
        ("resume", session.resume().await.map(drop).err()),
    ]
}

#[tokio::test]
async fn each_mode_allows_its_calls_and_a_closed_session_none() {
    let yard = Yard::new();
    for (mode, refused) in [(Mode::Evaluation, &["finish_checkpoint", "resume"][..]), (Mode::Agent, &[])] {
        let session = yard.builder("").mode(mode).open().await.unwrap();
        assert_eq!((session.mode(), session.state()), (mode, SessionState::Open));
        for (call, error) in call_all(&yard, &session, mode.name()).await {
            assert_eq!(error.is_some(), refused.contains(&call), "{call} in {}: {error:?}", mode.name());
            if let Some(error) = error {
                assert_eq!(error.to_string(), format!("`{call}` is for agent sessions"));
                assert!(error.hint().is_some());
            }
        }
        session.close().await.unwrap();
        assert_eq!(session.state(), SessionState::Closed);
        for (call, error) in call_all(&yard, &session, &format!("{}-closed", mode.name())).await {
            let error = error.unwrap_or_else(|| panic!("{call} after the close"));
            let expected = SessionError::State { call, state: SessionState::Closed };
            assert_eq!(error.downcast_ref::<SessionError>(), Some(&expected), "{call}");
            assert_eq!(error.to_string(), format!("`{call}` is not possible while the session is closed"));
        }
        session.close().await.unwrap();
    }
}

#[tokio::test]
async fn modes_have_limits_of_their_own_and_cases_replace_them() {
    let yard = Yard::new();
    let evaluation = yard.session("").await;
    assert!(evaluation.limits().time(LimitName::WallTime).is_some());
    assert_eq!(evaluation.limits().output_overflow, OutputOverflow::Stop);
    let agent = yard.builder("").mode(Mode::Agent).open().await.unwrap();
    assert_eq!(agent.limits().time(LimitName::WallTime), None);
    assert_eq!(agent.limits().output_overflow, OutputOverflow::Truncate);
    let mut case = LimitsConfig::default();
    case.set_text(LimitName::WallTime, "120s").unwrap();
    let session = yard.builder("limits: {wall_time: 60s}").limits(Provenance::Case, case).open().await.unwrap();
    assert_eq!(session.limits().get(LimitName::WallTime).from, Provenance::Case);
    assert_eq!(session.limits().time(LimitName::WallTime).unwrap().as_secs(), 120, "not clamped");
    // A spawn may tighten that, and no more.
    let mut request = SpawnRequest::default();
    request.limits.set_text(LimitName::WallTime, "121s").unwrap();
    let error = session.spawn(request.clone()).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Spec);
    assert!(error.to_string().contains("limits.wall_time") && error.hint().is_some(), "{error}");
    request.limits.set_text(LimitName::WallTime, "90s").unwrap();
    let runtime = session.spawn(request).await.unwrap();
    let result = runtime.execute(command(&["out:x"])).await.unwrap();
    assert_eq!(result.limits.get(LimitName::WallTime).from, Provenance::Spawn);
}

#[tokio::test]
async fn a_reset_waits_for_no_command_and_says_so() {
    let yard = Yard::new();
    let session = yard.session("scripted: {max_commands: 1}").await;
    let runtime = session.spawn(SpawnRequest::default()).await.unwrap();
    let other = session.spawn(SpawnRequest::default()).await.unwrap();
    let long = runtime.stream(command(&["reach:up", "hang"])).await.unwrap();
    yard.gates.reached("up").await;
    other.execute(command(&["out:x"])).await.unwrap();
    let snapshot = yard.outside("snapshot");
    session.keep(&snapshot).await.unwrap();
    let is_busy = |error: ExecutionError, call| {
        assert_eq!(error.kind(), ErrorKind::Busy);
        assert_eq!(error.downcast_ref::<SessionError>(), Some(&SessionError::Busy { call }));
    };
    is_busy(session.reset().await.unwrap_err(), "reset");
    is_busy(session.restore_from_snapshot_dir(&snapshot).await.unwrap_err(), "restore_from_snapshot_dir");
    long.kill().await.unwrap();
    session.reset().await.unwrap();
    assert_eq!(session.state(), SessionState::Open);
}

#[tokio::test]
async fn a_reset_sees_every_command_and_not_the_latest_alone() {
    let yard = Yard::new();
    let session = yard.session("").await;
    let runtime = session.spawn(SpawnRequest::default()).await.unwrap();
    let long = runtime.stream(command(&["reach:up", "hang"])).await.unwrap();
    yard.gates.reached("up").await;
    runtime.execute(command(&["write:a=1"])).await.unwrap();
    assert_eq!(runtime.poll(), bailiwick::State::Finished(0), "the latest has ended");
    assert_eq!(session.reset().await.unwrap_err().kind(), ErrorKind::Busy);
    assert_eq!(text(&session, "a").await.as_deref(), Some("1"));
    drop(runtime);
    let _ = long.wait().await;
    session.reset().await.unwrap();
    assert_eq!(text(&session, "a").await, None);
}

#[tokio::test]
async fn a_reset_waits_for_no_set_up_either() {
    let yard = Yard::new();
    let session = yard.session("setup: {commands: ['reach:up wait:on', 'write:made=1']}").await;
    let spawn = session.spawn(SpawnRequest::default());
    let reset = async {
        yard.gates.reached("up").await;
        let refused = session.reset().await;
        yard.gates.open("on");
        refused
    };
    let (spawned, refused) = loud("both", async { tokio::join!(spawn, reset) }).await;
    assert_eq!(refused.unwrap_err().kind(), ErrorKind::Busy);
    assert!(spawned.unwrap().setup().iter().all(|outcome| outcome.termination.is_success()));
    session.reset().await.unwrap();
    assert_eq!(text(&session, "made").await.as_deref(), Some("1"));
}

#[tokio::test]
async fn a_session_without_reset_says_so() {
    let yard = Yard::new();
    let session = yard.builder("").without_reset().open().await.unwrap();
    let error = session.reset().await.unwrap_err();
    assert_eq!(error.downcast_ref::<SessionError>(), Some(&SessionError::NothingKept));
    assert_eq!(say(&session, &["out:x"]).await, "x");
    session.update_snapshot().await.unwrap();
    session.fork().await.unwrap().close().await.unwrap();
}

#[tokio::test]
async fn placeholders_of_a_session_without_assets_are_errors() {
    let yard = Yard::new();
    let session = yard.session("").await;
    let data = json!({"a": ["{{static:x}}"]});
    assert_eq!(session.resolve_static_placeholders(&data).unwrap_err().kind(), ErrorKind::Asset);
    let plain = json!({"a": ["x", 1, null], "b": {"{c}": "{{static"}});
    assert_eq!(session.resolve_static_placeholders(&plain).unwrap(), plain);
}
