//! What is done when a command has ended: what it used, and what it left behind.

use std::time::Duration;

use super::DockerError;
use super::attend::{Attendant, Came};
use super::ending::How;
use super::limits::OWN_TASKS;
use super::streams::Phase;
use super::usage::Counters;
use crate::spec::Mode;

/// How long processes that are about to end are waited for, look by look.
const PAUSES: [Duration; 3] = [Duration::from_millis(3), Duration::from_millis(10), Duration::from_millis(30)];
const SIGKILL: i32 = 137;

/// A command that is over.
#[derive(Debug)]
pub(super) struct Seen {
    /// How it ended; absent: it never ran.
    pub(super) how: Option<How>,
    /// The counters afterwards, where the container lives on.
    pub(super) after: Option<Counters>,
    pub(super) out_of_memory: bool,
    pub(super) notes: Vec<String>,
    /// Whether something of it lives on that may.
    left: bool,
}

impl Seen {
    fn new(how: Option<How>) -> Self {
        Self { how, after: None, out_of_memory: false, notes: Vec::new(), left: false }
    }

    /// Says what those who move its bytes do now.
    pub(super) fn phase(&self) -> Phase {
        match &self.how {
            None => Phase::Refused,
            Some(_) if self.left => Phase::Left,
            Some(_) => Phase::Ended,
        }
    }
}

/// Settles an end.
pub(super) async fn settle(
    attendant: &mut Attendant<'_>,
    came: Came,
    (before, mode): (&Counters, Mode),
) -> Result<Seen, DockerError> {
    let mut seen = match came {
        Came::Refused => return Ok(Seen::new(None)),
        Came::Stopped => Seen { after: attendant.last, ..Seen::new(Some(How::Stopped)) },
        Came::Died => {
            attendant.await_event().await;
            Seen::new(Some(How::Died))
        }
        Came::Ended(code) => ended(attendant, code, (before, mode)).await?,
    };
    seen.out_of_memory = attendant.out_of_memory;
    Ok(seen)
}

async fn ended(
    attendant: &mut Attendant<'_>,
    code: i32,
    (before, mode): (&Counters, Mode),
) -> Result<Seen, DockerError> {
    let mut seen = Seen::new(Some(How::Code(code)));
    let mut after = attendant.container.count(attendant.api).await?;
    for pause in PAUSES {
        if left(&after) == 0 {
            break;
        }
        tokio::time::sleep(pause).await;
        after = attendant.container.count(attendant.api).await?;
    }
    // Without tasks it is the container that has ended, or is about to.
    if after.tasks.is_none_or(|tasks| tasks == 0) && !attendant.container.look(attendant.api).await? {
        attendant.await_event().await;
        return Ok(seen);
    }
    match (before.oom_kills.zip(after.oom_kills), before.refusals.zip(after.refusals)) {
        (Some((before, after)), _) => attendant.out_of_memory |= after > before,
        // Only its events say whether the engine's host ended a process; they come a little later.
        (None, Some((before, after))) if code != 0 && after > before => attendant.await_event().await,
        (None, None) if code == SIGKILL => attendant.await_event().await,
        (None, _) => {}
    }
    seen.after = Some(after);
    match (mode, left(&after)) {
        // What filled the memory may lie in `/tmp`, which ends with the container.
        (Mode::Evaluation, 0) if attendant.out_of_memory => attendant.container.kill(attendant.api).await?,
        (_, 0) => attendant.container.counters = Some(after),
        (Mode::Evaluation, _) => attendant.container.kill(attendant.api).await?,
        (Mode::Agent, count) => {
            seen.left = true;
            seen.notes.push(format!("processes that outlived the command: {count}"));
        }
    }
    Ok(seen)
}

/// Counts what is alive beside the container's own.
fn left(counters: &Counters) -> u64 {
    counters.tasks.unwrap_or(0).saturating_sub(OWN_TASKS)
}
