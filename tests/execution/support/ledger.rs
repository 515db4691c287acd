//! What this process holds: descriptors, threads, children.

use std::fs;
use std::time::{Duration, Instant};

/// What this process holds at one moment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Ledger {
    descriptors: usize,
    threads: usize,
    children: usize,
}

impl Ledger {
    /// Counts. Only one test may run: see `Yard::alone`.
    pub(crate) fn take() -> Self {
        let count = |path: &str| fs::read_dir(path).unwrap().count();
        let children = fs::read_dir("/proc/self/task").unwrap().map(|task| {
            let list = task.unwrap().path().join("children");
            fs::read_to_string(list).unwrap_or_default().split_whitespace().count()
        });
        Self { descriptors: count("/proc/self/fd"), threads: count("/proc/self/task"), children: children.sum() }
    }

    /// Asserts that nothing more is held now; what ends on threads of its own gets time to do so.
    pub(crate) fn assert_same(self) {
        let began = Instant::now();
        loop {
            let now = Self::take();
            let is_same =
                now.descriptors <= self.descriptors && now.threads <= self.threads && now.children <= self.children;
            if is_same {
                return;
            }
            assert!(began.elapsed() < Duration::from_secs(60), "{self:?} before, {now:?} after");
            std::thread::yield_now();
        }
    }
}
