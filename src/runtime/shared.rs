//! What every command of one runtime shares: its guest, its launch, its slots, what its set-up did.

use std::collections::BTreeMap;
use std::sync::atomic::AtomicBool;
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};

use tokio::sync::{Mutex as AsyncMutex, Semaphore};

use super::running::kill;
use super::slot::Slot;
use super::{Ending, Guest, Killer, Launch, NotStarted, SetupOutcome, SolutionRuntimeError, Stop};
use crate::error::ExecutionError;
use crate::spec::OnFailure;

/// What every command of one runtime shares.
pub(super) struct Shared {
    pub(super) guest: Arc<dyn Guest>,
    pub(super) launch: Launch,
    pub(super) turns: Option<Arc<Semaphore>>,
    pub(super) granted: BTreeMap<String, String>,
    pub(super) outcomes: OnceLock<Arc<[SetupOutcome]>>,
    pub(super) slots: Mutex<Slots>,
    pub(super) closed: AtomicBool,
    /// Whether the guest has released what it holds; held locked while it does.
    pub(super) released: AsyncMutex<bool>,
}

#[derive(Debug, Default)]
pub(super) struct Slots {
    pub(super) live: Vec<Arc<Slot>>,
    pub(super) latest: Option<Arc<Slot>>,
}

impl Shared {
    pub(super) fn new(guest: Arc<dyn Guest>, launch: Launch) -> Arc<Self> {
        let turns = guest.max_commands().map(|most| Arc::new(Semaphore::new(most.max(1))));
        let granted = guest.granted_env();
        let (outcomes, slots) = (OnceLock::new(), Mutex::default());
        let (closed, released) = (AtomicBool::new(false), AsyncMutex::new(false));
        Arc::new(Self { guest, launch, turns, granted, outcomes, slots, closed, released })
    }

    pub(super) fn setup(&self) -> Arc<[SetupOutcome]> {
        self.outcomes.get().cloned().unwrap_or_else(|| Arc::new([]))
    }

    fn failed_setup(&self) -> impl Iterator<Item = &SetupOutcome> {
        self.outcomes.get().into_iter().flat_map(|all| all.iter()).filter(|one| !one.termination.is_success())
    }

    /// Gives the ending of every command of a runtime whose set-up failed where failures count.
    pub(super) fn setup_failure(&self) -> Option<Ending> {
        if self.launch.spec.setup.on_failure == OnFailure::Continue {
            return None;
        }
        let failed = self.failed_setup().next()?;
        let message = format!("the set-up command `{}` failed: {}", failed.command, failed.termination);
        Some(Ending::not_started(NotStarted::SetupFailed, message))
    }

    pub(super) fn notes(&self) -> Vec<String> {
        let failed = self.failed_setup();
        failed.map(|one| format!("the set-up command `{}` failed: {}", one.command, one.termination)).collect()
    }

    pub(super) fn slots(&self) -> MutexGuard<'_, Slots> {
        self.slots.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Ends every running command, and what earlier ones left running.
    pub(super) async fn kill_all(&self, by: Killer) -> Result<(), SolutionRuntimeError> {
        let mut live = self.slots().live.clone();
        // What failed long ago is no failure of this kill.
        live.retain(|slot| slot.outcome().is_none());
        // All are told before any is waited for.
        live.iter().for_each(|slot| {
            slot.control.stop(Stop::Kill(by));
        });
        let mut outcome = Ok(());
        for slot in live {
            outcome = outcome.and(kill(&slot, by).await);
        }
        outcome.and(self.guest.end_left_overs().await)
    }

    /// Lets the guest release what it holds, once; a call that was dropped halfway is made again by the next.
    pub(super) async fn release(&self) -> Result<(), ExecutionError> {
        let mut released = self.released.lock().await;
        if *released {
            return Ok(());
        }
        let outcome = self.guest.release().await;
        *released = true;
        outcome
    }
}

impl std::fmt::Debug for Shared {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Shared").field("launch", &self.launch).field("slots", &self.slots).finish_non_exhaustive()
    }
}
