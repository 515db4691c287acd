//! The budgets of Docker: each row is ours beside the bare calls of the engine's API, in turn, in one process.
//!
//! Needs an engine and the images of the tests; says so and measures nothing without.

#![expect(clippy::unwrap_used, reason = "a bench that cannot measure has nothing to say")]
#![expect(clippy::print_stdout, reason = "the table is what a bench is for")]

#[path = "../execution/engine/mod.rs"]
mod engine;
#[expect(dead_code, reason = "the other table uses the rest")]
mod report;

use std::time::Duration;

use bailiwick::Command;
use bollard::exec::StartExecResults;
use bollard::models::{ContainerCreateBody, ExecConfig, HostConfig};
use bollard::query_parameters::{CreateContainerOptions, RemoveContainerOptionsBuilder};
use engine::place::Wish;
use futures_util::StreamExt as _;
use report::{Report, in_turn, middle};
use serde_json::json;
use tokio::runtime::Runtime;

/// How often a pair is measured.
const TIMES: usize = 60;

fn main() {
    let filter = std::env::args().skip(1).find(|arg| !arg.starts_with("--")).unwrap_or_default();
    if !engine::is_there() {
        return;
    }
    let executor = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
    let mut report = Report::new(filter);
    execute(&executor, &mut report);
    overshoot(&executor, &mut report);
    report.print();
}

/// `execute` of `true` in a live container, beside the three calls that it cannot do without.
fn execute(executor: &Runtime, report: &mut Report) {
    let name = "docker: execute `true`";
    if !report.wants(name) {
        return;
    }
    let place = executor.block_on(Wish::new(json!({})).open());
    let (api, container) = executor.block_on(bare());
    let ours = || {
        let result = executor.block_on(place.run(Command::argv(["true"])));
        assert!(result.termination.is_success(), "{result}");
    };
    let peer = || executor.block_on(run_bare(&api, &container));
    report.pair(name, in_turn(TIMES, ours, peer), "create exec, start, inspect", 1.3);
    executor.block_on(async {
        let options = RemoveContainerOptionsBuilder::new().force(true).build();
        api.remove_container(&container, Some(options)).await.unwrap();
        place.close().await;
    });
}

async fn bare() -> (bollard::Docker, String) {
    let api = bollard::Docker::connect_with_unix(engine::SOCKET, 60, bollard::API_DEFAULT_VERSION).unwrap();
    let api = api.negotiate_version().await.unwrap();
    let words = ["sleep", "100000"].map(str::to_owned).to_vec();
    let host = HostConfig { init: Some(true), network_mode: Some("none".to_owned()), ..HostConfig::default() };
    let image = Some(engine::SMALL.to_owned());
    let body =
        ContainerCreateBody { image, cmd: Some(words), host_config: Some(host), ..ContainerCreateBody::default() };
    let made = api.create_container(None::<CreateContainerOptions>, body).await.unwrap();
    api.start_container(&made.id, None).await.unwrap();
    (api, made.id)
}

async fn run_bare(api: &bollard::Docker, container: &str) {
    let config = ExecConfig {
        cmd: Some(vec!["true".to_owned()]),
        attach_stdout: Some(true),
        attach_stderr: Some(true),
        user: Some("1000:1000".to_owned()),
        ..ExecConfig::default()
    };
    let exec = api.create_exec(container, config).await.unwrap().id;
    let StartExecResults::Attached { mut output, .. } = api.start_exec(&exec, None).await.unwrap() else { return };
    while output.next().await.is_some() {}
    assert_eq!(api.inspect_exec(&exec).await.unwrap().exit_code, Some(0));
}

/// How far past a wall limit of 300 ms a guest gets.
fn overshoot(executor: &Runtime, report: &mut Report) {
    const LIMIT: Duration = Duration::from_millis(300);
    for (name, line) in [
        ("docker: overshoot p99: spins", "while :; do :; done"),
        ("docker: overshoot p99: sleeps", "sleep 1000"),
        ("docker: overshoot p99: spins and leaves", "sleep 1000 & setsid sleep 1000 & while :; do :; done"),
    ] {
        if !report.wants(name) {
            continue;
        }
        let place = executor.block_on(Wish::new(json!({})).with("limits", json!({"wall_time": "300ms"})).open());
        let mut past: Vec<_> = (0..50)
            .map(|_| {
                let result = executor.block_on(place.sh(line));
                assert_eq!(result.exit_code(), 124);
                result.usage.wall_time.value().unwrap().saturating_sub(LIMIT)
            })
            .collect();
        report.alone(name, middle(&mut past, 99), Duration::from_millis(100));
        executor.block_on(place.close());
    }
}
