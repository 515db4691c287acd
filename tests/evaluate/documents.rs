//! The console transcripts of the pages on evaluation, run as they stand with the real binary.

#[path = "../transcript/mod.rs"]
mod transcript;

use transcript::Stage;

use crate::support::binary;

fn run(page: &str) {
    let stage = Stage::new(binary());
    stage.run(page, &[("BAILIWICK_BASE_DIR", stage.place("base"))]);
}

#[test]
fn transcripts_of_evaluation() {
    run("docs/execution/evaluation.md");
}

#[test]
fn transcripts_of_the_adapter_cli() {
    run("docs/execution/adapters/cli.md");
}

#[test]
fn transcripts_of_the_adapter_http() {
    run("docs/execution/adapters/http.md");
}

#[test]
fn transcripts_of_the_adapter_suite() {
    run("docs/execution/adapters/suite.md");
}

#[test]
fn transcripts_of_the_first_hour_of_a_course() {
    run("docs/first-hour/grading.md");
}

#[test]
fn transcripts_of_the_first_hour_of_a_benchmark() {
    run("docs/first-hour/benchmark.md");
}
