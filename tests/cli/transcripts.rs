//! The console transcripts of the documents, run as they stand with the real binary.
//!
//! A block that begins with three backticks and `console` is a session: a line that begins with `$ ` is a command for
//! the shell, `> ` continues it, and everything else is what it prints. `[..]` stands for any text within a line.
//! All blocks of a page share one new directory, and an own catalogue that begins empty.

use std::path::{Path, PathBuf};
use std::process::Command;

use bailiwick::known_program;

/// A command of a transcript with what it prints.
struct Step {
    line: usize,
    command: String,
    expected: Vec<String>,
}

fn steps(text: &str) -> Vec<Step> {
    let mut steps: Vec<Step> = Vec::new();
    let mut within = false;
    for (at, line) in text.lines().enumerate() {
        if line.starts_with("```") {
            within = line == "```console";
        } else if !within {
        } else if let Some(command) = line.strip_prefix("$ ") {
            steps.push(Step { line: at + 1, command: command.to_owned(), expected: Vec::new() });
        } else if let (Some(more), Some(step)) = (line.strip_prefix('>'), steps.last_mut()) {
            step.command += &format!("\n{}", more.strip_prefix(' ').unwrap_or(more));
        } else {
            steps.last_mut().unwrap().expected.push(line.to_owned());
        }
    }
    steps
}

/// Says whether a line is what a line with `[..]` describes.
fn fits(pattern: &str, line: &str) -> bool {
    let Some((start, rest)) = pattern.split_once("[..]") else { return pattern == line };
    let Some(line) = line.strip_prefix(start) else { return false };
    (0..=line.len()).filter(|at| line.is_char_boundary(*at)).any(|at| fits(rest, &line[at..]))
}

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
    let home = tempfile::tempdir().unwrap();
    let place = |name: &str| home.path().join(name);
    for name in ["bin", "work", "base"] {
        std::fs::create_dir(place(name)).unwrap();
    }
    std::os::unix::fs::symlink(env!("CARGO_BIN_EXE_bailiwick"), place("bin/bailiwick")).unwrap();
    let path = format!("{}:{}", place("bin").display(), std::env::var("PATH").unwrap());
    let text = std::fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join(page)).unwrap();
    for step in steps(&text) {
        let mut shell = Command::new("sh");
        shell.arg("-c").arg(format!("exec 2>&1\n{}", step.command)).current_dir(place("work"));
        shell.env("PATH", &path).env("HOME", home.path()).env("BAILIWICK_CACHE_DIR", guests().join("cache"));
        shell.env("BAILIWICK_DATA_DIR", place("data")).env("BAILIWICK_STATE_DIR", place("state"));
        let output = shell.output().unwrap();
        let said = String::from_utf8(output.stdout).unwrap();
        let said: Vec<&str> = said.lines().collect();
        let same = said.len() == step.expected.len()
            && step.expected.iter().zip(&said).all(|(pattern, line)| fits(pattern, line));
        let expected = step.expected.join("\n");
        assert!(same, "{page}:{}: {}\nexpected:\n{expected}\nsaid:\n{}", step.line, step.command, said.join("\n"));
    }
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
