//! What a test and its guests tell each other: gates by name, and counts.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use tokio::sync::watch;

/// Gates by name, each closed until somebody opens it, and counts of what guests did.
#[derive(Debug, Default)]
pub(crate) struct Gates {
    gates: Mutex<BTreeMap<String, watch::Sender<bool>>>,
    alive: AtomicUsize,
    most: AtomicUsize,
    pub(crate) runs: AtomicUsize,
    pub(crate) releases: AtomicUsize,
    /// What guests wrote down, in order.
    pub(crate) log: Mutex<Vec<String>>,
}

/// A guest that is alive.
#[derive(Debug)]
pub(crate) struct Alive(Arc<Gates>);

impl Gates {
    /// Opens a gate, for all who wait and will wait.
    pub(crate) fn open(&self, name: &str) {
        self.gate(name).send_replace(true);
    }

    /// Waits until a gate is open.
    pub(crate) async fn reached(&self, name: &str) {
        let mut gate = self.gate(name).subscribe();
        gate.wait_for(|open| *open).await.unwrap();
    }

    pub(crate) fn is_open(&self, name: &str) -> bool {
        *self.gate(name).borrow()
    }

    fn gate(&self, name: &str) -> watch::Sender<bool> {
        self.gates.lock().unwrap().entry(name.to_owned()).or_insert_with(|| watch::Sender::new(false)).clone()
    }

    pub(crate) fn enter(self: &Arc<Self>) -> Alive {
        self.runs.fetch_add(1, Ordering::SeqCst);
        let alive = self.alive.fetch_add(1, Ordering::SeqCst) + 1;
        self.most.fetch_max(alive, Ordering::SeqCst);
        Alive(Arc::clone(self))
    }

    /// Gives how many guests are alive.
    pub(crate) fn alive(&self) -> usize {
        self.alive.load(Ordering::SeqCst)
    }

    /// Gives how many guests were alive at once at most.
    pub(crate) fn most(&self) -> usize {
        self.most.load(Ordering::SeqCst)
    }

    pub(crate) fn runs(&self) -> usize {
        self.runs.load(Ordering::SeqCst)
    }

    pub(crate) fn releases(&self) -> usize {
        self.releases.load(Ordering::SeqCst)
    }
}

impl Drop for Alive {
    fn drop(&mut self) {
        self.0.alive.fetch_sub(1, Ordering::SeqCst);
    }
}
