//! `Snapshot`: a manifest together with the content that it names.

use std::fmt;
use std::fs::File;
use std::io::{Cursor, Read};
use std::ops::ControlFlow;
use std::sync::Arc;

use super::super::{WorkspaceError, WorkspacePath};
use super::store::{Hold, Large, SMALL, StoreError};
use super::{ContentSource, EntryKind, Manifest, SnapshotId, SnapshotStore};

/// What a tree held at one moment: the manifest, and a store that has the content of every file in it.
///
/// While it lives, in this process or in another, `gc` leaves its content alone. Cheap to clone.
#[derive(Clone)]
pub struct Snapshot {
    id: SnapshotId,
    manifest: Arc<Manifest>,
    hold: Arc<Hold>,
}

/// How far long work on a snapshot has come.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct SnapshotProgress {
    /// Entries that are done.
    pub entries: u64,
    /// Bytes that are done.
    pub bytes: u64,
}

/// Told after every entry of long work; may ask it to stop, which is then [`WorkspaceError::Stopped`].
pub type Watch<'a> = &'a mut (dyn FnMut(SnapshotProgress) -> ControlFlow<()> + 'a);

impl Snapshot {
    pub(super) fn new(id: SnapshotId, manifest: Arc<Manifest>, hold: Hold) -> Self {
        Self { id, manifest, hold: Arc::new(hold) }
    }

    /// Gives its name, which its content gives it.
    pub fn id(&self) -> SnapshotId {
        self.id
    }

    /// Gives the list of what it holds.
    pub fn manifest(&self) -> &Arc<Manifest> {
        &self.manifest
    }

    /// Gives the store that has its content.
    pub fn store(&self) -> &SnapshotStore {
        self.hold.store()
    }

    /// Reads a file of it, verified; `None` when there is no file of that name.
    ///
    /// # Errors
    /// A file above `most` bytes, and a store that has not what was written.
    pub fn read_file(&self, path: &WorkspacePath, most: u64) -> Result<Option<Vec<u8>>, WorkspaceError> {
        match self.manifest.get(path).map(|entry| &entry.kind) {
            Some(EntryKind::File { size, .. }) if *size > most => {
                Err(WorkspaceError::TooLarge { what: "bytes", limit: most })
            }
            Some(EntryKind::File { size, hash }) => Ok(Some(self.read_blob(hash, *size)?)),
            Some(EntryKind::Directory | EntryKind::Symlink { .. } | EntryKind::Special) | None => Ok(None),
        }
    }

    /// Reads the content of a file by its hash, verified.
    ///
    /// # Errors
    /// A store that has not what was written, or cannot be read.
    pub fn read_blob(&self, hash: &[u8; 32], size: u64) -> Result<Vec<u8>, StoreError> {
        self.store().read()?.whole(hash, size)
    }
}

/// Reads from the store, by the hash.
impl ContentSource for Snapshot {
    fn open(&self, _: &WorkspacePath, size: u64, hash: &[u8; 32]) -> Result<Box<dyn Read + '_>, WorkspaceError> {
        let mut reading = self.store().read()?;
        if size <= SMALL {
            return Ok(Box::new(Cursor::new(reading.small(hash, size)?.to_vec())));
        }
        Ok(match reading.large(hash)? {
            Large::File(file) => Box::new(File::from(file)),
            Large::Memory(content) => Box::new(Cursor::new(content)),
        })
    }
}

impl fmt::Debug for Snapshot {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Snapshot").field("id", &self.id).field("entries", &self.manifest.len()).finish_non_exhaustive()
    }
}
