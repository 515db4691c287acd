//! What all memory file systems together may take of the host's memory.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use super::spares::Spares;

/// What workspaces may take of the host's memory together.
#[derive(Debug)]
pub(crate) struct MemoryGuard {
    most: u64,
    taken: AtomicU64,
    spares: Spares,
}

/// A part of the guard's memory, given back on drop.
#[derive(Debug)]
pub(crate) struct Reservation {
    guard: Arc<MemoryGuard>,
    bytes: AtomicU64,
}

impl MemoryGuard {
    pub(crate) fn new(most: u64) -> Arc<Self> {
        Arc::new(Self { most, taken: AtomicU64::new(0), spares: Spares::default() })
    }

    /// Gives the file systems that wait for a workspace.
    pub(crate) fn spares(&self) -> &Spares {
        &self.spares
    }

    pub(crate) fn most(&self) -> u64 {
        self.most
    }

    /// Takes bytes for a new workspace, or nothing when there is not enough.
    ///
    /// A quarter of the whole is left for what the host puts into workspaces later.
    pub(crate) fn reserve(self: &Arc<Self>, bytes: u64) -> Option<Reservation> {
        let most = self.most / 4 * 3;
        self.take(bytes, most).then(|| Reservation { guard: self.clone(), bytes: AtomicU64::new(bytes) })
    }

    fn take(&self, bytes: u64, most: u64) -> bool {
        let add = |taken: u64| taken.checked_add(bytes).filter(|sum| *sum <= most);
        self.taken.fetch_update(Ordering::Relaxed, Ordering::Relaxed, add).is_ok()
    }
}

impl Reservation {
    /// Makes the part larger or smaller; `false` when there is not enough.
    pub(crate) fn resize(&self, bytes: u64) -> bool {
        let held = self.bytes.load(Ordering::Relaxed);
        if bytes > held && !self.guard.take(bytes - held, self.guard.most) {
            return false;
        }
        if bytes < held {
            self.guard.taken.fetch_sub(held - bytes, Ordering::Relaxed);
        }
        self.bytes.store(bytes, Ordering::Relaxed);
        true
    }
}

impl Drop for Reservation {
    fn drop(&mut self) {
        self.guard.taken.fetch_sub(self.bytes.load(Ordering::Relaxed), Ordering::Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_guard_gives_no_more_than_it_has() {
        let guard = MemoryGuard::new(100);
        let first = guard.reserve(60).unwrap();
        assert!(guard.reserve(20).is_none(), "a quarter is kept for growth");
        assert!(!first.resize(101));
        assert!(first.resize(100) && first.resize(10));
        let second = guard.reserve(65).unwrap();
        drop((first, second));
        assert_eq!(guard.taken.load(Ordering::Relaxed), 0);
    }
}
