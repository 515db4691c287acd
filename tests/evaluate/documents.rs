//! The console transcripts of the pages on evaluation, run as they stand with the real binary.
//!
//! A line that begins with `$ ` is a command for the shell, `> ` continues it, and everything else is what it prints;
//! `[..]` stands for any text within a line. All blocks of a page share one new directory.

use std::path::Path;
use std::process::Command;

use crate::support::binary;

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

fn fits(pattern: &str, line: &str) -> bool {
    let Some((start, rest)) = pattern.split_once("[..]") else { return pattern == line };
    let Some(line) = line.strip_prefix(start) else { return false };
    (0..=line.len()).filter(|at| line.is_char_boundary(*at)).any(|at| fits(rest, &line[at..]))
}

fn run(page: &str) {
    let home = tempfile::tempdir().unwrap();
    let place = |name: &str| home.path().join(name);
    for name in ["bin", "work", "base"] {
        std::fs::create_dir(place(name)).unwrap();
    }
    std::os::unix::fs::symlink(binary(), place("bin/bailiwick")).unwrap();
    let path = format!("{}:{}", place("bin").display(), std::env::var("PATH").unwrap());
    let text = std::fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join(page)).unwrap();
    let steps = steps(&text);
    assert!(!steps.is_empty(), "{page} has no transcript");
    for step in steps {
        let mut shell = Command::new("sh");
        shell.arg("-c").arg(format!("exec 2>&1\n{}", step.command)).current_dir(place("work"));
        shell.env("PATH", &path).env("HOME", home.path()).env("BAILIWICK_BASE_DIR", place("base"));
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
