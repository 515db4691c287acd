//! The console transcripts of the documents, run as they stand with the real binary, from a catalogue that begins empty.

#[path = "../transcript/mod.rs"]
mod transcript;

use std::path::{Path, PathBuf};

use bailiwick::known_program;
use transcript::{Stage, fits};

fn guests() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("target/guests")
}

/// Says whether the archive of a program was fetched; where it was not, prints why, which CI never allows.
#[expect(clippy::print_stdout, reason = "a skip is printed with its reason")]
fn was_fetched(name: &str) -> bool {
    let known = known_program(name).unwrap();
    let there = guests().join("cache/downloads").join(&known.sources[0].sha256).is_file();
    assert!(there || std::env::var_os("CI").is_none(), "in CI {} must be there: run `tests/run`", known.id());
    if !there {
        println!("skipped: `tests/run` fetches {}", known.id());
    }
    there
}

fn run(page: &str, program: &str) {
    if !was_fetched(program) {
        return;
    }
    let stage = Stage::new(Path::new(env!("CARGO_BIN_EXE_bailiwick")));
    let env = [
        ("BAILIWICK_CACHE_DIR", guests().join("cache")),
        ("BAILIWICK_DATA_DIR", stage.place("data")),
        ("BAILIWICK_STATE_DIR", stage.place("state")),
    ];
    stage.run(page, &env);
}

#[test]
fn transcripts_of_the_first_hour_with_python() {
    run("docs/first-hour/python.md", "python");
}

#[test]
fn transcripts_of_the_first_hour_with_javascript() {
    run("docs/first-hour/javascript.md", "js");
}

#[test]
fn transcripts_of_the_first_hour_with_c() {
    run("docs/first-hour/c.md", "cc");
}

#[test]
fn volatile_text_is_the_only_text_that_may_differ() {
    assert!(fits("a [..] c [..]", "a b c d") && fits("a[..]", "a") && !fits("a[..]c", "ab") && !fits("a", "ab"));
}
