//! Who owns a running command: its slot, never the future of whoever asked for it.
//!
//! A command can be driven by several at once: the caller of `execute`, the task behind `stream`, a killer. Whoever
//! polls does so under the slot's lock; the others wait for the outcome. So a kill returns though nobody else polls.

use std::fmt;
use std::pin::Pin;
use std::sync::{Arc, Mutex, OnceLock, TryLockError};
use std::task::{Context, Poll};

use tokio::sync::Notify;

use super::{Control, RuntimeResult, SolutionRuntimeError};

/// What became of a command.
pub(super) type Outcome = Result<Arc<RuntimeResult>, SolutionRuntimeError>;

type Work = Pin<Box<dyn Future<Output = Outcome> + Send>>;

pub(super) struct Slot {
    pub(super) control: Arc<Control>,
    work: Mutex<Option<Work>>,
    outcome: OnceLock<Outcome>,
    changed: Notify,
}

impl Slot {
    pub(super) fn new(control: Arc<Control>, work: impl Future<Output = Outcome> + Send + 'static) -> Arc<Self> {
        let work = Mutex::new(Some(Box::pin(work) as Work));
        Arc::new(Self { control, work, outcome: OnceLock::new(), changed: Notify::new() })
    }

    pub(super) fn outcome(&self) -> Option<&Outcome> {
        self.outcome.get()
    }

    /// Runs the command to its end, together with whoever else does.
    ///
    /// Cancel safe: another driver goes on; without one the command waits to be driven or [abandoned](Self::abandon).
    pub(super) async fn drive(&self) -> Outcome {
        let _handover = Handover(self);
        loop {
            let mut changed = std::pin::pin!(self.changed.notified());
            changed.as_mut().enable();
            if let Some(outcome) = self.outcome() {
                return outcome.clone();
            }
            tokio::select! {
                biased;
                () = std::future::poll_fn(|context| self.turn(context)) => {}
                () = changed => {}
            }
        }
    }

    /// Waits for the end without driving.
    pub(super) async fn ended(&self) -> Outcome {
        loop {
            let mut changed = std::pin::pin!(self.changed.notified());
            changed.as_mut().enable();
            match self.outcome() {
                Some(outcome) => return outcome.clone(),
                None => changed.await,
            }
        }
    }

    fn turn(&self, context: &mut Context<'_>) -> Poll<()> {
        let mut work = match self.work.try_lock() {
            Ok(work) => work,
            Err(TryLockError::WouldBlock) => return Poll::Pending,
            Err(TryLockError::Poisoned(_)) => return Poll::Ready(self.settle(Err(SolutionRuntimeError::Cancelled))),
        };
        let Some(future) = work.as_mut() else { return Poll::Ready(()) };
        let Poll::Ready(outcome) = future.as_mut().poll(context) else { return Poll::Pending };
        *work = None;
        drop(work);
        Poll::Ready(self.settle(outcome))
    }

    /// Drops the command where nobody is polling it; its guest ends by that.
    pub(super) fn abandon(&self) {
        if let Ok(mut work) = self.work.try_lock() {
            *work = None;
            drop(work);
            self.settle(Err(SolutionRuntimeError::Cancelled));
        }
    }

    fn settle(&self, outcome: Outcome) {
        // A second outcome would only come after an abandoned or poisoned one: the first stands.
        let _ = self.outcome.set(outcome);
        self.changed.notify_waiters();
    }
}

/// Wakes the other drivers when one of them leaves: the waker that the work knows may be that one's.
struct Handover<'a>(&'a Slot);

impl Drop for Handover<'_> {
    fn drop(&mut self) {
        if self.0.work.is_poisoned() {
            self.0.settle(Err(SolutionRuntimeError::Cancelled));
        }
        self.0.changed.notify_waiters();
    }
}

impl fmt::Debug for Slot {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Slot").field("control", &self.control).field("outcome", &self.outcome).finish_non_exhaustive()
    }
}
