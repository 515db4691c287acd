//! How much of a diff there may be.

use std::time::{Duration, Instant};

use super::Omission;

/// How much text a diff may hold, and how long it may take. What is beyond is still listed, and says why it has no text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct DiffBounds {
    /// The most bytes of one file, before or after, whose lines are compared. Default: 4 MiB.
    pub file_bytes: u64,
    /// The most bytes of text of the whole diff. Default: 64 MiB.
    pub text_bytes: u64,
    /// How long lines are compared at all. Default: 30 seconds.
    pub time: Duration,
}

impl Default for DiffBounds {
    fn default() -> Self {
        Self { file_bytes: 4 << 20, text_bytes: 64 << 20, time: Duration::from_secs(30) }
    }
}

/// What is left of the bounds.
#[derive(Debug)]
pub(super) struct Budget {
    bounds: DiffBounds,
    text: u64,
    ends: Option<Instant>,
}

impl Budget {
    pub(super) fn new(bounds: DiffBounds) -> Self {
        // A time that no clock reaches is no bound.
        Self { bounds, text: bounds.text_bytes, ends: Instant::now().checked_add(bounds.time) }
    }

    /// Says why a file of these sizes is not even read.
    pub(super) fn refuses(&self, old: u64, new: u64) -> Option<Omission> {
        if old.max(new) > self.bounds.file_bytes {
            return Some(Omission::TooLarge);
        }
        if self.text == 0 {
            return Some(Omission::TooMuch);
        }
        self.ends.is_some_and(|ends| Instant::now() >= ends).then_some(Omission::OutOfTime)
    }

    /// Says when time is over.
    pub(super) fn ends(&self) -> Option<Instant> {
        self.ends
    }

    /// Takes the text of one file; `false` when it does not fit any more.
    pub(super) fn take(&mut self, bytes: usize) -> bool {
        match self.text.checked_sub(bytes as u64) {
            Some(left) => {
                self.text = left;
                true
            }
            None => false,
        }
    }
}
