//! Console transcripts of the documents: read from a page, and run as they stand.
//!
//! A block that begins with three backticks and `console` is a session: a line that begins with `$ ` is a command for
//! the shell, `> ` continues it, and everything else is what it prints. `[..]` stands for any text within a line.
//! All blocks of a page share one new directory.

use std::path::{Path, PathBuf};
use std::process::Command;

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
pub(crate) fn fits(pattern: &str, line: &str) -> bool {
    let Some((start, rest)) = pattern.split_once("[..]") else { return pattern == line };
    let Some(line) = line.strip_prefix(start) else { return false };
    (0..=line.len()).filter(|at| line.is_char_boundary(*at)).any(|at| fits(rest, &line[at..]))
}

/// A place to run the transcripts of a page in: a home, a directory to work in, and the command on the path.
pub(crate) struct Stage {
    pub(crate) home: tempfile::TempDir,
    path: String,
}

impl Stage {
    pub(crate) fn new(command: &Path) -> Self {
        let home = tempfile::tempdir().unwrap();
        for name in ["bin", "work", "base"] {
            std::fs::create_dir(home.path().join(name)).unwrap();
        }
        let bin = home.path().join("bin");
        std::os::unix::fs::symlink(command, bin.join("bailiwick")).unwrap();
        let path = format!("{}:{}", bin.display(), std::env::var("PATH").unwrap());
        Self { home, path }
    }

    pub(crate) fn place(&self, name: &str) -> PathBuf {
        self.home.path().join(name)
    }

    /// Runs every block of a page, with these variables beside, and compares what each command prints.
    pub(crate) fn run(&self, page: &str, env: &[(&str, PathBuf)]) {
        let text = std::fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join(page)).unwrap();
        let steps = steps(&text);
        assert!(!steps.is_empty(), "{page} has no transcript");
        for step in steps {
            let mut shell = Command::new("sh");
            shell.arg("-c").arg(format!("exec 2>&1\n{}", step.command)).current_dir(self.place("work"));
            shell.env("PATH", &self.path).env("HOME", self.home.path());
            shell.envs(env.iter().map(|(name, value)| (name, value)));
            let output = shell.output().unwrap();
            let said = String::from_utf8(output.stdout).unwrap();
            let said: Vec<&str> = said.lines().collect();
            let same = said.len() == step.expected.len()
                && step.expected.iter().zip(&said).all(|(pattern, line)| fits(pattern, line));
            let expected = step.expected.join("\n");
            assert!(same, "{page}:{}: {}\nexpected:\n{expected}\nsaid:\n{}", step.line, step.command, said.join("\n"));
        }
    }
}
