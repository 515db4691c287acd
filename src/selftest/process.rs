//! Nothing of a command is alive when it has ended, was stopped by a limit, or was killed.

use std::time::Duration;

use super::canary::token;
use super::limits::ended;
use super::report::Seen;
use super::stage::{Stage, Trouble, Yard};
use crate::runtime::{Termination, Trial, TrialGuest};
use crate::spec::LimitName;
use crate::workspace::FileOutcome;

/// How a command ends that has left processes behind.
#[derive(Clone, Copy, Debug)]
enum End {
    Itself,
    Limit,
    Kill,
}

/// Long enough for what is left behind to begin.
const LIMIT: &str = "2s";
/// How long it is waited for where the host does not see it begin.
const BEGINS: Duration = Duration::from_secs(3);

pub(super) async fn nothing_runs(yard: &Yard<'_>) -> Result<Seen, Trouble> {
    for end in [End::Itself, End::Limit, End::Kill] {
        let token = token().map_err(|error| Trouble::Unclear(error.to_string()))?;
        let trial = Trial::LeaveProcess { token: token.clone(), stays: !matches!(end, End::Itself) };
        yard.guest(&trial)?;
        let limits = [(LimitName::WallTime, LIMIT)];
        let stage = yard.stage(if matches!(end, End::Limit) { &limits } else { &[] }).await?;
        let left = leave(&stage, &trial, end, &token).await;
        stage.close().await?;
        if let Some(left) = left? {
            return Ok(Seen::falls(format!("{left} after {}", end.name())));
        }
    }
    Ok(Seen::stands("after an exit, a limit and a kill"))
}

/// Lets a command leave processes behind and says what is alive of it when it is over.
async fn leave(stage: &Stage<'_>, trial: &Trial, end: End, token: &str) -> Result<Option<String>, Trouble> {
    let ran = match end {
        End::Itself | End::Limit => stage.run(trial).await?,
        End::Kill => {
            let kill = async {
                begins(stage).await;
                stage.kill().await
            };
            let (ran, killed) = tokio::join!(stage.run(trial), kill);
            killed?;
            ran?
        }
    };
    let alive = open_ambient_processes(token);
    let is_right = match (end, &ran.result.termination) {
        (End::Itself, Termination::Exited { code: 0 }) | (End::Kill, Termination::Killed { .. }) => true,
        (End::Limit, Termination::LimitExceeded { limit, .. }) => *limit == LimitName::WallTime,
        (End::Itself | End::Limit | End::Kill, _) => false,
    };
    if !is_right {
        return Err(Trouble::Unclear(format!("{}: {}", end.name(), ended(&ran.result))));
    }
    if alive > 0 {
        return Ok(Some(format!("{alive} processes were alive")));
    }
    let watched = stage.run(&Trial::WatchProcess).await?.result;
    match watched.termination {
        Termination::Exited { code: TrialGuest::REFUSED } => Ok(None),
        Termination::Exited { code: TrialGuest::WORKED } => Ok(Some("a process still wrote".to_owned())),
        Termination::Exited { .. }
        | Termination::Signaled { .. }
        | Termination::Trapped { .. }
        | Termination::LimitExceeded { .. }
        | Termination::Killed { .. }
        | Termination::NotStarted { .. } => Err(Trouble::Unclear(ended(&watched))),
    }
}

/// Waits until what is left behind writes, or long enough for it.
async fn begins(stage: &Stage<'_>) {
    let writes = async {
        loop {
            let contents = stage.session.get_file_contents(&["beat"]).await.ok();
            let content = contents.as_ref().and_then(|contents| contents.get("beat"));
            if matches!(content, Some(FileOutcome::Content(content)) if !content.as_bytes().is_empty()) {
                return;
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    };
    let _ = tokio::time::timeout(BEGINS, writes).await;
}

impl End {
    fn name(self) -> &'static str {
        match self {
            Self::Itself => "an exit",
            Self::Limit => "the wall limit",
            Self::Kill => "a kill",
        }
    }
}

/// Counts the processes of this host that have an argument with this text: none where they are not to be seen.
fn open_ambient_processes(token: &str) -> usize {
    let Ok(entries) = std::fs::read_dir("/proc") else { return 0 };
    let words = entries.filter_map(|entry| std::fs::read(entry.ok()?.path().join("cmdline")).ok());
    words.filter(|words| words.windows(token.len()).any(|window| window == token.as_bytes())).count()
}
