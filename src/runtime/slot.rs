//! Who owns a running command: its slot, never the future of whoever asked for it.
//!
//! A command can be driven by several at once: the caller of `execute`, the task behind `stream`, a killer. Whoever
//! polls does so under the slot's lock; the others wait for the outcome. So a kill returns though nobody else polls.

use std::fmt;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::Pin;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, TryLockError};
use std::task::{Context, Poll};

use tokio::sync::Notify;

use super::{Control, RuntimeResult, SolutionRuntimeError};

/// What became of a command.
pub(super) type Outcome = Result<Arc<RuntimeResult>, SolutionRuntimeError>;

type Work = Pin<Box<dyn Future<Output = Outcome> + Send>>;

pub(super) struct Slot {
    pub(super) control: Arc<Control>,
    work: Mutex<Option<Work>>,
    abandoned: AtomicBool,
    contended: AtomicBool,
    outcome: OnceLock<Outcome>,
    changed: Notify,
}

impl Slot {
    pub(super) fn new(control: Arc<Control>, work: impl Future<Output = Outcome> + Send + 'static) -> Arc<Self> {
        let work = Mutex::new(Some(Box::pin(work) as Work));
        let (abandoned, contended) = (AtomicBool::new(false), AtomicBool::new(false));
        Arc::new(Self { control, work, abandoned, contended, outcome: OnceLock::new(), changed: Notify::new() })
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
        let Some(mut work) = self.try_lock().or_else(|| self.lock_contended()) else { return Poll::Pending };
        // Over, and about to be settled by whoever took it: that wakes this driver.
        let Some(future) = work.as_mut() else { return Poll::Pending };
        // A guest that panics ends its own command and nobody else's: not the caller's task, not the killer's.
        let polled = catch_unwind(AssertUnwindSafe(|| future.as_mut().poll(context)));
        let outcome = match polled {
            Ok(Poll::Pending) => {
                drop(work);
                // A driver that found the lock taken has no waker in the work: it must look again.
                if self.contended.swap(false, Ordering::SeqCst) {
                    self.changed.notify_waiters();
                }
                // Whoever abandoned the command during the poll could not drop it.
                if self.abandoned.load(Ordering::SeqCst) {
                    self.abandon();
                }
                return Poll::Pending;
            }
            Ok(Poll::Ready(outcome)) => outcome,
            Err(panic) => Err(SolutionRuntimeError::panicked(&*panic)),
        };
        let done = work.take();
        drop(work);
        // Settled only when nothing of the command is left.
        drop_quietly(done);
        self.settle(outcome);
        Poll::Ready(())
    }

    /// Drops the command; its guest ends by that. Where somebody is polling it, they do so right afterwards.
    pub(super) fn abandon(&self) {
        self.abandoned.store(true, Ordering::SeqCst);
        let Some(mut work) = self.try_lock() else { return };
        let left = work.take();
        drop(work);
        if left.is_some() {
            drop_quietly(left);
            self.settle(Err(SolutionRuntimeError::Cancelled));
        }
    }

    /// Says that somebody waits for the lock, and tries once more: its holder may have let go before it could see that.
    fn lock_contended(&self) -> Option<MutexGuard<'_, Option<Work>>> {
        self.contended.store(true, Ordering::SeqCst);
        self.try_lock()
    }

    fn try_lock(&self) -> Option<MutexGuard<'_, Option<Work>>> {
        match self.work.try_lock() {
            Ok(work) => Some(work),
            Err(TryLockError::WouldBlock) => None,
            // Nothing that can panic runs under the lock uncaught.
            Err(TryLockError::Poisoned(poisoned)) => Some(poisoned.into_inner()),
        }
    }

    fn settle(&self, outcome: Outcome) {
        // A second outcome would only come after an abandoned one: the first stands.
        let _ = self.outcome.set(outcome);
        self.changed.notify_waiters();
    }
}

/// Wakes the other drivers when one of them leaves: the waker that the work knows may be that one's.
struct Handover<'a>(&'a Slot);

impl Drop for Handover<'_> {
    fn drop(&mut self) {
        self.0.changed.notify_waiters();
    }
}

/// Drops what is left of a command, whose guest may panic even then.
fn drop_quietly(work: Option<Work>) {
    // Its outcome stands already; a second panic adds nothing that a caller could use.
    let _ = catch_unwind(AssertUnwindSafe(|| drop(work)));
}

impl fmt::Debug for Slot {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Slot").field("control", &self.control).field("outcome", &self.outcome).finish_non_exhaustive()
    }
}
