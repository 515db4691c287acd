//! The test program: the one process of the host that evaluation starts. Its author is the author of the cases, and is
//! trusted as they are; nothing that a submission wrote is ever started here.

use std::os::unix::process::CommandExt as _;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use super::config::SuiteConfig;
use super::room::Room;
use crate::error::{ErrorKind, ExecutionError};

/// How often a running test program is looked at.
const LOOK: Duration = Duration::from_millis(10);

/// A running test program, in a process group of its own. Dropped, all of the group is killed.
pub(super) struct Program {
    child: Child,
    is_over: bool,
}

impl Program {
    /// Starts the test program of a suite in a directory, with nothing of this process but the search path.
    pub(super) fn start(
        config: &SuiteConfig,
        room: &Room,
        home: &std::path::Path,
        path: Option<&str>,
    ) -> Result<Self, ExecutionError> {
        let (entrypoint, report) = (room.entrypoint(), room.report());
        let (entrypoint, report) = (entrypoint.to_string_lossy(), report.to_string_lossy());
        let fill = |text: &String| text.replace("${entrypoint}", &entrypoint).replace("${report}", &report);
        let mut words = config.command.iter().map(fill);
        let first = words.next().unwrap_or_default();
        // A path is beside the cases, whatever the current directory.
        let program = if first.contains('/') { home.join(&first) } else { first.clone().into() };
        let failed = |source: std::io::Error| {
            let error =
                ExecutionError::new(ErrorKind::Spec, format!("the test program `{first}` cannot be started: {source}"));
            error.with_hint("install it, or write its path into `suite.command`")
        };
        #[expect(clippy::disallowed_methods, reason = "the author's own test program, which is trusted")]
        let mut command = Command::new(program);
        command.args(words).current_dir(home).process_group(0).env_clear();
        command.env("PATH", path.unwrap_or("/usr/local/bin:/usr/bin:/bin")).env("LANG", "C.UTF-8");
        command.env("HOME", room.temp()).env("TMPDIR", room.temp()).env("PYTHONDONTWRITEBYTECODE", "1");
        command.env("BAILIWICK_ENTRYPOINT", &*entrypoint).env("BAILIWICK_REPORT", &*report);
        command.envs(config.env.iter().map(|(name, value)| (name, fill(value))));
        command.stdin(Stdio::null()).stdout(room.log("stdout").map_err(failed)?);
        let child = command.stderr(room.log("stderr").map_err(failed)?).spawn().map_err(failed)?;
        Ok(Self { child, is_over: false })
    }

    /// Waits for its end and gives its exit code; none where a signal or the time ended it.
    ///
    /// Cancel safe.
    pub(super) async fn wait(&mut self, most: Duration) -> Result<Option<i32>, ExecutionError> {
        let began = Instant::now();
        loop {
            let ended = self.child.try_wait().map_err(|error| ExecutionError::new(ErrorKind::Runtime, error))?;
            if let Some(status) = ended {
                self.is_over = true;
                // What it left in its group has nobody to report to.
                self.kill_group();
                return Ok(status.code());
            }
            if began.elapsed() > most {
                return Ok(None);
            }
            tokio::time::sleep(LOOK).await;
        }
    }

    fn kill_group(&self) {
        let group = i32::try_from(self.child.id()).ok().and_then(rustix::process::Pid::from_raw);
        if let Some(group) = group {
            let _ = rustix::process::kill_process_group(group, rustix::process::Signal::KILL);
        }
    }
}

impl Drop for Program {
    fn drop(&mut self) {
        if !self.is_over {
            self.kill_group();
            // Killed for certain: it is gone at once.
            let _ = self.child.wait();
        }
    }
}
