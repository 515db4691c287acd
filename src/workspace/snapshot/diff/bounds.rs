//! How much of a diff there may be.

use std::ops::ControlFlow;
use std::time::{Duration, Instant};

use super::super::{SnapshotProgress, Watch};
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

/// Why a comparison is given up.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Halt {
    /// The time is over.
    OutOfTime,
    /// Whoever watches wants no more.
    Stopped,
}

/// Asked between the pieces of a comparison whether to go on.
pub(super) type GoOn<'a> = &'a mut dyn FnMut() -> Result<(), Halt>;

/// What is left of the bounds.
pub(super) struct Budget<'w> {
    bounds: DiffBounds,
    text: u64,
    ends: Option<Instant>,
    watch: Option<Watch<'w>>,
    done: SnapshotProgress,
}

impl<'w> Budget<'w> {
    pub(super) fn new(bounds: DiffBounds, watch: Option<Watch<'w>>) -> Self {
        let done = SnapshotProgress::default();
        // A time that no clock reaches is no bound.
        Self { bounds, text: bounds.text_bytes, ends: Instant::now().checked_add(bounds.time), watch, done }
    }

    /// Tells that one more path is about to be compared, which has so many bytes to read.
    pub(super) fn begin(&mut self, bytes: u64) -> Result<(), Halt> {
        self.done.entries += 1;
        self.done.bytes = self.done.bytes.saturating_add(bytes);
        self.tell()
    }

    /// Says whether to go on.
    pub(super) fn go_on(&mut self) -> Result<(), Halt> {
        self.tell()?;
        if self.is_out_of_time() { Err(Halt::OutOfTime) } else { Ok(()) }
    }

    fn tell(&mut self) -> Result<(), Halt> {
        match self.watch.as_mut().map_or(ControlFlow::Continue(()), |watch| watch(self.done)) {
            ControlFlow::Continue(()) => Ok(()),
            ControlFlow::Break(()) => Err(Halt::Stopped),
        }
    }

    fn is_out_of_time(&self) -> bool {
        self.ends.is_some_and(|ends| Instant::now() >= ends)
    }

    /// Says why a file of these sizes is not even read.
    pub(super) fn refuses(&self, old: u64, new: u64) -> Option<Omission> {
        if old.max(new) > self.bounds.file_bytes {
            return Some(Omission::TooLarge);
        }
        if self.text == 0 {
            return Some(Omission::TooMuch);
        }
        self.is_out_of_time().then_some(Omission::OutOfTime)
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
