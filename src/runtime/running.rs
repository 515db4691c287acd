//! A command that runs, in the hands of its caller: live events, poll, kill, wait.

use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use futures_util::{FutureExt, Stream, StreamExt};
use tokio::sync::mpsc;

use super::slot::{Outcome, Slot};
use super::{Killer, RuntimeEvent, RuntimeResult, Sink, SolutionRuntimeError, Stop};

/// Where a command, or the latest command of a runtime, stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum State {
    /// No command was asked for yet.
    NotStarted,
    /// The command runs, or waits for a place.
    Running,
    /// The command has ended, with the exit code that stands for its termination.
    Finished(i32),
    /// The host failed it.
    Failed,
}

/// A running command: a stream of events that ends with [`RuntimeEvent::Finished`].
///
/// The command runs whether or not anybody reads, until its output is far enough ahead that it must wait for the
/// reader. Dropping this ends the command.
pub struct Running {
    slot: Arc<Slot>,
    events: mpsc::Receiver<RuntimeEvent>,
    sinks: [Arc<Sink>; 2],
    ended: Pin<Box<dyn Future<Output = Outcome> + Send>>,
    finished: bool,
}

impl Running {
    pub(super) fn new(slot: Arc<Slot>, events: mpsc::Receiver<RuntimeEvent>, sinks: [Arc<Sink>; 2]) -> Self {
        let waited = Arc::clone(&slot);
        let ended = Box::pin(async move { waited.ended().await });
        Self { slot, events, sinks, ended, finished: false }
    }

    /// Says where the command stands.
    pub fn poll(&self) -> State {
        state_of(&self.slot)
    }

    /// Ends the command. When this returns nothing of it is alive. Idempotent.
    ///
    /// # Errors
    /// Only what the host failed at while ending it.
    ///
    /// Cancel safe: the command ends all the same.
    pub async fn kill(&self) -> Result<(), SolutionRuntimeError> {
        kill(&self.slot, Killer::Caller).await
    }

    /// Waits for the end, throwing away the events that were not read.
    ///
    /// # Errors
    /// What the host failed at.
    pub async fn wait(mut self) -> Result<Arc<RuntimeResult>, SolutionRuntimeError> {
        loop {
            match self.next().await {
                Some(Ok(RuntimeEvent::Finished(result))) => return Ok(result),
                Some(Ok(RuntimeEvent::Stdout(_) | RuntimeEvent::Stderr(_))) => {}
                Some(Err(error)) => return Err(error),
                None => return self.slot.ended().await,
            }
        }
    }
}

pub(super) fn state_of(slot: &Slot) -> State {
    match slot.outcome() {
        None => State::Running,
        Some(Ok(result)) => State::Finished(result.exit_code()),
        Some(Err(_)) => State::Failed,
    }
}

pub(super) async fn kill(slot: &Slot, by: Killer) -> Result<(), SolutionRuntimeError> {
    if slot.outcome().is_some() {
        return Ok(());
    }
    slot.control.stop(Stop::Kill(by));
    match slot.drive().await {
        Ok(_) | Err(SolutionRuntimeError::Cancelled) => Ok(()),
        Err(error) => Err(error),
    }
}

impl Stream for Running {
    type Item = Result<RuntimeEvent, SolutionRuntimeError>;

    fn poll_next(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        if let Poll::Ready(Some(event)) = self.events.poll_recv(context) {
            return Poll::Ready(Some(Ok(event)));
        }
        if self.finished {
            return Poll::Ready(None);
        }
        let Poll::Ready(outcome) = self.ended.poll_unpin(context) else { return Poll::Pending };
        // The last chunks may have come between the two looks, or wait behind a full channel.
        let last = self.events.try_recv().ok().or_else(|| self.sinks.iter().find_map(|sink| sink.pop_backlog()));
        if let Some(event) = last {
            let slot = Arc::clone(&self.slot);
            self.ended = Box::pin(async move { slot.ended().await });
            return Poll::Ready(Some(Ok(event)));
        }
        self.finished = true;
        Poll::Ready(Some(outcome.map(RuntimeEvent::Finished)))
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        if self.slot.outcome().is_none() {
            self.slot.control.stop(Stop::Kill(Killer::Dropped));
        }
    }
}

impl std::fmt::Debug for Running {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Running").field("state", &self.poll()).finish_non_exhaustive()
    }
}
