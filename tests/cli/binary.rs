//! The real binary: what needs no runtime.

use std::process::{Command, Output};

fn bailiwick(args: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_bailiwick")).args(args).env_remove("NO_COLOR").output().unwrap()
}

fn text(bytes: &[u8]) -> &str {
    std::str::from_utf8(bytes).unwrap()
}

#[test]
fn a_command_line_that_is_wrong_is_usage() {
    for args in [&[][..], &["fly"], &["run"], &["run", "--wall-time"], &["schema", "nothing"]] {
        let output = bailiwick(args);
        assert_eq!(output.status.code(), Some(2), "{args:?}");
        assert!(output.stdout.is_empty(), "{args:?}");
        assert!(!output.stderr.is_empty() && !output.stderr.contains(&0x1b), "{args:?}: no colours in a pipe");
    }
}

#[test]
fn help_and_version_are_output() {
    for args in [&["--help"][..], &["-h"], &["run", "--help"], &["spec", "--help"], &["--version"], &["version"]] {
        let output = bailiwick(args);
        assert_eq!((output.status.code(), text(&output.stderr)), (Some(0), ""), "{args:?}");
        assert!(!output.stdout.is_empty());
    }
    assert_eq!(text(&bailiwick(&["--version"]).stdout), concat!("bailiwick ", env!("CARGO_PKG_VERSION"), "\n"));
}

#[test]
fn every_flag_has_one_clear_line() {
    let help = bailiwick(&["run", "--help"]);
    let help = text(&help.stdout);
    for flag in [
        "--spec",
        "--runtime",
        "--submission",
        "--asset",
        "--mount",
        "--port",
        "--option",
        "--env",
        "--env-file",
        "--stdin",
        "--interactive",
        "--cwd",
        "--set",
        "--wall-time",
        "--cpu-time",
        "--memory",
        "--output-limit",
        "--disk",
        "--fuel",
        "--deterministic",
        "--mode",
        "--keep",
        "--diff",
        "--json",
        "--result",
        "--allow-unsandboxed",
        "--quiet",
        "--verbose",
        "--cache-dir",
        "--base-dir",
    ] {
        assert!(help.contains(flag), "{flag}");
    }
}

#[test]
fn a_command_line_that_needs_a_runtime_of_its_own_says_so() {
    let output = bailiwick(&["run", "--runtime", "nothing-of-that-name", "x"]);
    assert_eq!(output.status.code(), Some(2));
    assert!(text(&output.stderr).contains("no runtime of type `nothing-of-that-name` is known"));
}

#[test]
fn shells_get_their_completions() {
    for shell in ["bash", "zsh", "fish"] {
        let output = bailiwick(&["completions", shell]);
        assert_eq!(output.status.code(), Some(0));
        assert!(text(&output.stdout).contains("allow-unsandboxed"), "{shell}");
    }
}
