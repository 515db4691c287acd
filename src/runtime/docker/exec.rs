//! One exec: made, started, read, written and looked at. What it means is said elsewhere.

use std::pin::Pin;
use std::time::Duration;

use bollard::container::LogOutput;
use bollard::errors::Error as ApiError;
use bollard::exec::{StartExecOptions, StartExecResults};
use bollard::models::ExecConfig;
use futures_util::Stream;
use tokio::io::{AsyncWrite, AsyncWriteExt as _};

use super::DockerError;
use super::client::{ANSWER, within};
use crate::runtime::StdinReader;

/// The frames of an exec, as they come.
pub(super) type Frames = Pin<Box<dyn Stream<Item = Result<LogOutput, ApiError>> + Send>>;
/// The way to its standard input.
pub(super) type Input = Pin<Box<dyn AsyncWrite + Send>>;

/// How much is read from the engine at once.
const READ: usize = 64 << 10;

/// What is to be run.
#[derive(Clone, Debug, Default)]
pub(super) struct Order {
    pub(super) argv: Vec<String>,
    pub(super) env: Vec<String>,
    pub(super) cwd: String,
    pub(super) user: String,
    pub(super) stdin: bool,
}

/// Where an exec stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Standing {
    /// The engine has not started it yet.
    Waiting,
    Running,
    /// The engine could not start it.
    Refused,
    /// It has ended with this code.
    Ended(i32),
}

/// Makes an exec; gives its id.
///
/// Cancel safe: an exec that is not started does nothing.
pub(super) async fn make(api: &bollard::Docker, container: &str, order: &Order) -> Result<String, DockerError> {
    let config = ExecConfig {
        attach_stdin: Some(order.stdin),
        attach_stdout: Some(true),
        attach_stderr: Some(true),
        tty: Some(false),
        privileged: Some(false),
        cmd: Some(order.argv.clone()),
        env: Some(order.env.clone()),
        user: Some(order.user.clone()),
        working_dir: Some(order.cwd.clone()),
        ..ExecConfig::default()
    };
    Ok(within(ANSWER, "prepare the command", api.create_exec(container, config)).await?.id)
}

/// Starts an exec.
///
/// Not cancel safe: it may run.
pub(super) async fn start(api: &bollard::Docker, exec: &str) -> Result<(Frames, Input), DockerError> {
    const ACTION: &str = "start the command";
    let options = StartExecOptions { detach: false, tty: false, output_capacity: Some(READ) };
    match within(ANSWER, ACTION, api.start_exec(exec, Some(options))).await? {
        StartExecResults::Attached { output, input } => Ok((output, input)),
        StartExecResults::Detached => Err(DockerError::Answer { action: ACTION, why: "it did not attach" }),
    }
}

/// Looks where an exec stands.
///
/// Cancel safe.
pub(super) async fn look(api: &bollard::Docker, exec: &str) -> Result<Standing, DockerError> {
    const ACTION: &str = "say where the command stands";
    let found = within(ANSWER, ACTION, api.inspect_exec(exec)).await?;
    let pid = found.pid.unwrap_or(0);
    let running =
        found.running.ok_or(DockerError::Answer { action: ACTION, why: "it does not say whether it runs" })?;
    match (running, found.exit_code) {
        (true, _) if pid > 0 => Ok(Standing::Running),
        (true, _) => Ok(Standing::Waiting),
        (false, None) if pid == 0 => Ok(Standing::Waiting),
        (false, None) => Err(DockerError::Answer { action: ACTION, why: "it ended without an exit code" }),
        (false, Some(_)) if pid == 0 => Ok(Standing::Refused),
        (false, Some(code)) => {
            let wrong = DockerError::Answer { action: ACTION, why: "its exit code is out of range" };
            i32::try_from(code).ok().filter(|code| (0..=255).contains(code)).map(Standing::Ended).ok_or(wrong)
        }
    }
}

/// Writes standard input and closes it; a guest that does not want it is no error.
///
/// Cancel safe: what was written was written.
pub(super) async fn feed(mut input: Input, stdin: &mut StdinReader) {
    while let Some(chunk) = stdin.next().await {
        if input.write_all(&chunk).await.is_err() {
            return;
        }
    }
    let _ = input.shutdown().await;
}

/// How long a command of our own may take.
const OWN: Duration = Duration::from_secs(20);

/// Runs a command of ours to its end, unread; gives its exit code, none where the engine could not start it.
///
/// Not cancel safe: it may run on, for as long as the container.
pub(super) async fn run_quietly(
    api: &bollard::Docker,
    container: &str,
    order: &Order,
) -> Result<Option<i32>, DockerError> {
    use futures_util::StreamExt as _;
    let whole = async {
        let exec = make(api, container, order).await?;
        let (mut frames, _input) = start(api, &exec).await?;
        while let Some(Ok(_)) = frames.next().await {}
        loop {
            match look(api, &exec).await? {
                Standing::Ended(code) => return Ok(Some(code)),
                Standing::Refused => return Ok(None),
                Standing::Waiting | Standing::Running => tokio::time::sleep(Duration::from_millis(2)).await,
            }
        }
    };
    let too_long = DockerError::TimedOut { action: "run a command of its own", within: OWN };
    tokio::time::timeout(OWN, whole).await.unwrap_or(Err(too_long))
}
