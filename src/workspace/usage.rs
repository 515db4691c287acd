//! Measuring what a tree takes.

use std::collections::HashSet;
use std::os::fd::BorrowedFd;

use super::WorkspaceError;
use super::at::Kind;
use super::memory::{PAGE, Room};
use super::walk::{self, Descend, Seen, Visit};

/// What a tree takes on its device.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct DiskUsage {
    /// Bytes stored: holes count nothing, hard links once.
    pub bytes: u64,
    /// Files, directories, links and specials, the tree's own directory not counted.
    pub entries: u64,
}

#[derive(Debug, Default)]
struct Measure {
    usage: DiskUsage,
    /// Bytes that a copy needs, in whole pages, holes and every hard link counted.
    copied: u64,
    linked: HashSet<(u64, u64)>,
}

/// Measures a tree by walking it.
pub(crate) fn measure(root: BorrowedFd<'_>) -> Result<DiskUsage, WorkspaceError> {
    Ok(run(root, u64::MAX)?.usage)
}

/// Says how much room a copy of a tree needs at most.
pub(crate) fn room_for_copy(root: BorrowedFd<'_>, most_entries: u64) -> Result<Room, WorkspaceError> {
    let found = run(root, most_entries)?;
    Ok(Room { bytes: found.copied, entries: found.usage.entries })
}

/// Says how much room some bytes need in a file of their own.
pub(crate) fn room_for_file(bytes: u64) -> Room {
    Room { bytes: bytes.div_ceil(PAGE).saturating_add(1).saturating_mul(PAGE), entries: 1 }
}

fn run(root: BorrowedFd<'_>, most: u64) -> Result<Measure, WorkspaceError> {
    let mut measure = Measure::default();
    walk::walk(root, most, &mut measure)?;
    Ok(measure)
}

impl Measure {
    fn count(&mut self, seen: Seen<'_>) {
        self.usage.entries += 1;
        let is_directory = seen.meta.kind == Kind::Directory;
        let is_file = seen.meta.kind == Kind::File;
        self.copied = self.copied.saturating_add(if is_file { room_for_file(seen.meta.size).bytes } else { PAGE });
        if is_directory || seen.meta.links <= 1 || self.linked.insert(seen.meta.identity()) {
            self.usage.bytes = self.usage.bytes.saturating_add(seen.meta.stored);
        }
    }
}

impl Visit for Measure {
    fn enter(&mut self, seen: Seen<'_>) -> Result<Descend, WorkspaceError> {
        self.count(seen);
        Ok(Descend::Into)
    }

    fn entry(&mut self, seen: Seen<'_>) -> Result<(), WorkspaceError> {
        self.count(seen);
        Ok(())
    }
}
