//! An engine that goes away, or hangs, in mid-run: a result or an error, in bounded time.

use std::time::{Duration, Instant};

use bailiwick::{Command, ErrorKind, ExecutionError, RuntimeEvent};
use futures_util::StreamExt as _;
use serde_json::json;

use crate::engine::place::{Place, Wish};
use crate::engine::proxy::Proxy;
use crate::engine::{Raw, is_there};

/// Nothing here may take longer.
const BOUND: Duration = Duration::from_secs(120);

async fn lose(place: &Place, line: &str, lose: impl FnOnce()) -> ExecutionError {
    let mut running = place.runtime.stream(Command::line(line)).await.unwrap();
    assert!(matches!(running.next().await, Some(Ok(RuntimeEvent::Stdout(_)))));
    lose();
    let began = Instant::now();
    let ended = tokio::time::timeout(BOUND, running.wait()).await.expect("it hangs");
    assert!(began.elapsed() < BOUND);
    ExecutionError::from(ended.expect_err("it must not look like an end of the guest"))
}

/// Removes by hand what a runtime without an engine cannot.
fn remove(place: Place) {
    for id in place.containers() {
        Raw::call("DELETE", &format!("/containers/{id}?force=1"), None).unwrap();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_engine_that_goes_away_is_an_error_and_no_hang() {
    if !is_there() {
        return;
    }
    let proxy = Proxy::start();
    let place = Wish::new(json!({"host": proxy.endpoint()})).open().await;
    let error = lose(&place, "echo up; sleep 1000", || proxy.cut()).await;
    assert_eq!(error.kind(), ErrorKind::Runtime, "{error:?}");
    assert!(error.to_string().contains("gone"), "{error}");
    let again = tokio::time::timeout(BOUND, place.runtime.execute(Command::argv(["true"]))).await.expect("it hangs");
    assert!(again.is_err());
    let closed = tokio::time::timeout(BOUND, place.runtime.cleanup()).await.expect("it hangs");
    assert!(closed.unwrap_err().hint().unwrap().contains("gc"));
    remove(place);
}

#[tokio::test(flavor = "multi_thread")]
async fn d5_an_engine_that_hangs_is_an_error_in_bounded_time() {
    if !is_there() {
        return;
    }
    let proxy = Proxy::start();
    let limits = json!({"wall_time": "1s"});
    let place = Wish::new(json!({"host": proxy.endpoint()})).with("limits", limits).open().await;
    let error = lose(&place, "echo up; sleep 1000", || proxy.stall()).await;
    assert_eq!(error.kind(), ErrorKind::Runtime, "{error:?}");
    proxy.cut();
    remove(place);
}
