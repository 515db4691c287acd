//! A session that is frozen, and those that start from it.

use std::time::Duration;

use bailiwick::spec::{Limit, LimitName, LimitsConfig, Provenance, Span};
use bailiwick::{Host, SpawnRequest};

use super::{input, say, text};
use crate::support::yard::Yard;

/// A place whose workspaces are in memory, where this host may make that.
fn in_memory() -> Yard {
    Yard::on(|host: &mut Host| host.dirs.base = None)
}

fn wall(seconds: u64) -> LimitsConfig {
    let mut limits = LimitsConfig::default();
    limits.wall_time = Limit::Set(Span(Duration::from_secs(seconds)));
    limits
}

#[tokio::test]
async fn sessions_start_from_it_and_share_nothing() {
    for yard in [Yard::new(), in_memory()] {
        let session = yard.session("setup: {commands: ['write:made=once', 'log:set-up']}").await;
        session.materialize_input_files(vec![input("venv/ignored", "x")]).await.unwrap();
        session.spawn(SpawnRequest::default()).await.unwrap().cleanup().await.unwrap();
        assert_eq!(session.names().await.unwrap(), ["made", "venv/ignored"], "what the spec ignores too");
        let frozen = session.freeze().await.unwrap();
        let none = LimitsConfig::default();
        let (one, other) = (frozen.open(&none).await.unwrap(), frozen.open(&none).await.unwrap());
        say(&one, &["write:made=changed", "write:new=1"]).await;
        assert_eq!(say(&other, &["cat:made", "cat:venv/ignored"]).await, "oncex");
        assert_eq!(one.changes(10).await.unwrap().list.len(), 2, "told against what was frozen");
        assert_eq!(*yard.gates.log.lock().unwrap(), ["set-up"], "once, not once a session");
        frozen.close().await.unwrap();
        assert_eq!(text(&other, "made").await.as_deref(), Some("once"), "they outlive it");
        one.close().await.unwrap();
        other.close().await.unwrap();
    }
}

#[tokio::test]
async fn limits_of_a_case_replace_those_of_the_spec() {
    let yard = Yard::new();
    let frozen = yard.session("limits: {wall_time: 5s}").await.freeze().await.unwrap();
    let session = frozen.open(&wall(50)).await.unwrap();
    let bound = session.limits().get(LimitName::WallTime);
    assert_eq!(
        (bound.value, bound.from),
        (Some(bailiwick::spec::LimitValue::Time(Duration::from_secs(50))), Provenance::Case)
    );
    assert_eq!(
        frozen.limits(&LimitsConfig::default()).unwrap().time(LimitName::WallTime),
        Some(Duration::from_secs(5))
    );
    let error = session.reset().await.unwrap_err();
    assert!(error.hint().is_some(), "nothing is kept to go back to: {error}");
    session.close().await.unwrap();
    // Dropped without a close, and in the wrong order: the yard looks for what is left.
    let session = frozen.open(&wall(1)).await.unwrap();
    drop(frozen);
    drop(session);
}
