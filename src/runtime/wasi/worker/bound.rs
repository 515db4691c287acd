//! The workers of one runtime: who has run a guest of it never runs another's.

use std::sync::{Mutex, MutexGuard, PoisonError};

use super::process::Worker;
use crate::runtime::wasi::engine::EngineKey;
use crate::runtime::wasi::program::ProgramMount;

/// How many guests a worker runs before another takes its place.
const MAX_RUNS: u32 = 256;
/// How many workers of a runtime wait for its next command.
const IDLE: usize = 2;

/// What the guests of a worker have in common: it was shut in with just these directories.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Fence {
    pub(super) key: EngineKey,
    /// Which look at the workspace.
    pub(super) look: u64,
    pub(super) mounts: Vec<ProgramMount>,
}

/// The idle workers of one runtime; they end with it.
#[derive(Debug, Default)]
pub(in crate::runtime::wasi) struct Bound {
    idle: Mutex<Vec<(Fence, Worker)>>,
}

impl Bound {
    /// Takes a worker that is shut in just so.
    pub(super) fn take(&self, fence: &Fence) -> Option<Worker> {
        let mut idle = self.lock();
        // One that died while nobody looked at it is no guest's end.
        idle.retain(|(_, worker)| !worker.is_dead());
        let at = idle.iter().rposition(|(found, _)| found == fence)?;
        Some(idle.swap_remove(at).1)
    }

    /// Keeps a worker for the next command, unless it has worked long enough; the one that waits longest makes room.
    pub(super) fn keep(&self, fence: Fence, worker: Worker) {
        if worker.runs < MAX_RUNS {
            let mut idle = self.lock();
            idle.push((fence, worker));
            if idle.len() > IDLE {
                idle.remove(0);
            }
        }
    }

    fn lock(&self) -> MutexGuard<'_, Vec<(Fence, Worker)>> {
        self.idle.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
