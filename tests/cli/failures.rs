//! How failures are drawn: `error:`, `caused by:`, `hint:`, and nothing twice.

use bailiwick::cli::{Input, Streams};
use bailiwick::{ErrorKind, ExecutionError, Host};

#[test]
fn a_registry_that_cannot_be_built_is_a_failure_of_the_host() {
    let streams = Streams {
        stdout: Box::new(std::io::sink()),
        stderr: Box::new(std::io::sink()),
        stdin: Input { reader: Box::new(std::io::empty()), is_given: false },
        colour: false,
        progress: false,
    };
    let registry = |_| Err(ExecutionError::new(ErrorKind::Bug, "no registry"));
    let code = bailiwick::cli::run_with(streams, Host::default(), registry, ["bailiwick", "version"].map(Into::into));
    assert_eq!(code, std::process::ExitCode::from(125));
}

#[test]
fn a_problem_has_its_hint_below_it() {
    let said = crate::support::Bench::new().run(&["run", "--set", "limits.wal_time=5s", "say"]).expect(2);
    assert!(
        said.stderr.starts_with("error: command line: limits.wal_time: is not a known key\nhint: "),
        "{}",
        said.stderr
    );
}
