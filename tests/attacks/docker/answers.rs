//! Answers of an engine that are none: never success.

use std::time::Duration;

use bailiwick::{Command, ErrorKind, ExecutionError, Measured};
use serde_json::json;

use crate::engine::is_there;
use crate::engine::place::Wish;
use crate::engine::proxy::{Do, Proxy};

#[tokio::test(flavor = "multi_thread")]
async fn d16_answers_that_are_none_are_errors() {
    if !is_there() {
        return;
    }
    let ended = r#"{"ID":"x","Running":false,"ExitCode":null,"Pid":7}"#;
    let absurd = r#"{"ID":"x","Running":false,"ExitCode":123456,"Pid":7}"#;
    for (what, part, status, body) in [
        ("an end without a code", "/json", 200, ended),
        ("a code out of range", "/json", 200, absurd),
        ("no such exec", "/json", 404, r#"{"message":"No such exec instance"}"#),
        ("a conflict", "/json", 409, r#"{"message":"conflict"}"#),
        ("an internal error", "/json", 500, r#"{"message":"boom"}"#),
        ("half an answer", "/json", 200, r#"{"ID":"x","Runni"#),
        ("an empty answer", "/json", 200, "{}"),
        ("no text at all", "/json", 200, ""),
        ("a start that fails", "/start", 500, r#"{"message":"boom"}"#),
        ("a start that is no stream", "/start", 200, "{}"),
    ] {
        let proxy = Proxy::start();
        let place = Wish::new(json!({"host": proxy.endpoint()})).open().await;
        place.text("true").await;
        proxy.rule(move |line| {
            let is_it = line.contains("/exec/") && line.split(' ').nth(1).is_some_and(|path| path.ends_with(part));
            if is_it { Do::Answer(status, body.to_owned()) } else { Do::Forward }
        });
        let ran = tokio::time::timeout(Duration::from_secs(120), place.runtime.execute(Command::argv(["true"])));
        let error = ran.await.unwrap_or_else(|_| panic!("{what}: it hangs")).map(|result| result.to_string());
        let error = ExecutionError::from(error.expect_err(what));
        assert_eq!(error.kind(), ErrorKind::Runtime, "{what}: {error:?}");
        proxy.rule(|_| Do::Forward);
        assert_eq!(place.text("echo on").await, "on\n", "{what}");
        place.close().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn d16_a_container_that_vanishes_or_dies_is_told_apart() {
    if !is_there() {
        return;
    }
    let place = Wish::new(json!({})).open().await;
    for (method, path, is_error) in [("POST", "kill", false), ("DELETE", "", true)] {
        let mut running = place.runtime.stream(Command::line("echo up; sleep 1000")).await.unwrap();
        let _ = futures_util::StreamExt::next(&mut running).await.unwrap().unwrap();
        let id = place.containers().remove(0);
        let path =
            if path.is_empty() { format!("/containers/{id}?force=1") } else { format!("/containers/{id}/{path}") };
        crate::engine::Raw::call(method, &path, None).unwrap();
        let ended = tokio::time::timeout(Duration::from_secs(60), running.wait()).await.expect("it hangs");
        match ended {
            Ok(result) if !is_error => assert_eq!(result.exit_code(), 137, "{result}"),
            Err(_) if is_error => {}
            // Removal kills first, and whoever sees that first says so; it is never success.
            Ok(result) => assert_eq!(result.exit_code(), 137, "{result}"),
            Err(error) => panic!("{error}"),
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn d17_what_an_old_engine_does_not_count_is_not_measured() {
    if !is_there() {
        return;
    }
    let proxy = Proxy::start();
    let place = Wish::new(json!({"host": proxy.endpoint()})).open().await;
    // As from an engine elsewhere: its process ids are none of this host.
    let described = r#"{"State":{"Running":true,"Pid":0}}"#;
    let stats = r#"{"read":"2026-01-02T03:04:05Z","pids_stats":{"current":2},"cpu_stats":{},"memory_stats":{}}"#;
    proxy.rule(move |line| {
        if line.contains("/stats") {
            Do::Answer(200, stats.to_owned())
        } else if line.starts_with("GET") && line.contains("/containers/") && line.contains("/json") {
            Do::Answer(200, described.to_owned())
        } else {
            Do::Forward
        }
    });
    let result = place.sh("echo x").await;
    assert!(result.termination.is_success(), "{result}");
    assert!(matches!(result.usage.cpu_time, Measured::NotMeasured { .. }), "{:?}", result.usage.cpu_time);
    assert!(matches!(result.usage.peak_memory, Measured::NotMeasured { .. }), "{:?}", result.usage.peak_memory);
    proxy.rule(|line| {
        let old = r#"{"ApiVersion":"1.40","Version":"19.03.15"}"#;
        if line.contains("/version") { Do::Answer(200, old.to_owned()) } else { Do::Forward }
    });
    let error = Wish::new(json!({"host": proxy.endpoint()})).try_open().await.err().unwrap();
    assert_eq!(error.kind(), ErrorKind::Unavailable, "{error:?}");
    assert!(error.to_string().contains("1.40"), "{error}");
    place.close().await;
}
