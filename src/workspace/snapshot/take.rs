//! Taking a snapshot: a scan whose content goes into a store.

use std::fmt;
use std::sync::Arc;

use cap_std::fs::Dir;

use super::super::{Bounds, WorkspaceError, WorkspacePath, at};
use super::scan::{ScanOptions, scan_into};
use super::{Capture, Snapshot, SnapshotStore, StatCache, Watch};

/// How a snapshot is taken.
///
/// Defaults: everything, at most 1,000,000 entries and 64 GiB, nothing remembered, not watched.
#[derive(Default)]
#[non_exhaustive]
pub struct Take<'a> {
    /// How much of the tree is taken.
    pub scope: Capture,
    /// How large the tree may be.
    pub bounds: Bounds,
    /// What need not be read again.
    pub memory: TakeMemory<'a>,
    /// Told after every entry.
    pub watch: Option<Watch<'a>>,
}

/// What is remembered of the last snapshot of the same tree, so that only what changed is read again.
#[derive(Debug, Default)]
pub enum TakeMemory<'a> {
    /// Nothing: every file is read.
    #[default]
    None,
    /// The cache of an earlier scan or snapshot.
    Cache(&'a StatCache),
    /// What the store has written down of this directory; it is written down again afterwards.
    Store,
}

/// A snapshot that was taken, and what was met.
#[derive(Debug)]
#[non_exhaustive]
pub struct Taken {
    /// The snapshot.
    pub snapshot: Snapshot,
    /// What the next one of the same tree need not read.
    pub cache: StatCache,
    /// How many files were read.
    pub read: u64,
    /// Files that kept changing while they were read. The snapshot has what was read last.
    pub unsettled: Vec<WorkspacePath>,
    /// FIFOs, sockets and devices: seen, never opened, and no part of the snapshot.
    pub specials: u64,
    /// Directories left out because another file system is mounted there.
    pub mounts: u64,
}

impl SnapshotStore {
    /// Takes a snapshot of a directory: paths, kinds, permission bits, links as links, content; never a special.
    ///
    /// Nobody needs to hold still: what is hashed is what is kept. A file that changes while it is read is read up to
    /// three times; one that goes away is no part of the snapshot. After an error nothing reaches what was written.
    ///
    /// # Errors
    /// A tree that is larger than the bounds or cannot be read, a store that cannot be written or is full, and
    /// [`WorkspaceError::Stopped`].
    pub fn take(&self, dir: &Dir, take: Take<'_>) -> Result<Taken, WorkspaceError> {
        let source = match take.memory {
            TakeMemory::Store => source_of(dir)?,
            TakeMemory::None | TakeMemory::Cache(_) => None,
        };
        let remembered = source.as_deref().map(|source| self.remembered(source));
        let cache = match take.memory {
            TakeMemory::Cache(cache) => Some(cache),
            TakeMemory::None | TakeMemory::Store => remembered.as_ref(),
        };
        let mut writing = self.write()?;
        let Take { scope, bounds, watch, memory: _ } = take;
        let options = ScanOptions { scope: &scope, cache, bounds, watch };
        let scan = scan_into(dir, options, Some(&mut writing))?;
        let finished = writing.finish(&scan.manifest)?;
        let hold = self.hold(finished.id)?;
        let snapshot = Snapshot::new(finished.id, Arc::new(scan.manifest), hold);
        drop(finished);
        if let Some(source) = source {
            // A cache that is not written only makes the next time slower.
            let _ = self.remember(&source, &scan.cache);
        }
        let (read, unsettled, specials, mounts) = (scan.read, scan.unsettled, scan.specials, scan.mounts);
        Ok(Taken { snapshot, cache: scan.cache, read, unsettled, specials, mounts })
    }
}

/// Names a directory for what is remembered of it. `None`: nothing can be, because changes leave no trace.
fn source_of(dir: &Dir) -> Result<Option<String>, WorkspaceError> {
    // A memory file system does not stamp writes through a mapping.
    if at::is_memory(dir) {
        return Ok(None);
    }
    let meta = at::meta(dir).map_err(|error| WorkspaceError::io("look at", b"", error))?;
    Ok(Some(format!("{:x}-{:x}", meta.device, meta.inode)))
}

impl fmt::Debug for Take<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { scope, bounds, memory, watch: _ } = self;
        let take = &mut f.debug_struct("Take");
        take.field("scope", scope).field("bounds", bounds).field("memory", memory).finish_non_exhaustive()
    }
}
