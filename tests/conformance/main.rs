//! One table of behaviours, run on every runtime: each guest of `guest-fixtures/` must give what its manifest says.

#![expect(clippy::unwrap_used, reason = "the helpers of a test fail like the test")]

mod drive;
#[cfg(feature = "docker")]
#[path = "../execution/engine/mod.rs"]
mod engine;
mod manifest;

use manifest::Runtime;

#[cfg(feature = "wasi")]
#[tokio::test(flavor = "multi_thread")]
async fn wasi_gives_what_the_table_says() {
    drive::table(Runtime::Wasi, serde_json::json!({})).await;
}

// The command is the program that workers are started from.
#[cfg(all(feature = "wasi", feature = "cli"))]
#[tokio::test(flavor = "multi_thread")]
async fn wasi_in_workers_gives_what_the_table_says() {
    drive::table(Runtime::Wasi, serde_json::json!({"containment": "worker"})).await;
}

#[cfg(feature = "local")]
#[tokio::test(flavor = "multi_thread")]
async fn local_gives_what_the_table_says() {
    drive::table(Runtime::Local, serde_json::json!({})).await;
}

#[cfg(feature = "docker")]
#[tokio::test(flavor = "multi_thread")]
async fn docker_gives_what_the_table_says() {
    if engine::is_there() {
        let image = serde_json::json!({"image": "bailiwick-test/python:latest", "pull": "never"});
        drive::table(Runtime::Docker, image).await;
    }
}
