//! A store in memory: for tests, and for sessions of a host that keeps nothing on disk.

use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use super::super::{EntryKind, Manifest, SnapshotId};
use super::hashes::{ByHash, Hash, Hashes};
use super::{KeptSnapshot, StoreError};

/// Blobs and manifests in memory.
#[derive(Debug)]
pub(super) struct Memory {
    limit: u64,
    content: Mutex<Content>,
}

#[derive(Debug, Default)]
pub(super) struct Content {
    blobs: ByHash<Arc<[u8]>>,
    bytes: u64,
    manifests: HashMap<SnapshotId, Arc<Manifest>>,
    pub(super) kept: BTreeMap<SnapshotId, KeptSnapshot>,
    held: HashMap<SnapshotId, usize>,
    /// Who is writing what nothing reaches yet.
    writers: usize,
}

/// The time in which somebody writes: nothing is collected meanwhile.
#[derive(Debug)]
pub(crate) struct MemoryWriting<'a>(&'a Memory);

impl Memory {
    pub(super) fn new(limit: u64) -> Self {
        Self { limit, content: Mutex::default() }
    }

    pub(super) fn lock(&self) -> MutexGuard<'_, Content> {
        self.content.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn begin(&self) -> MemoryWriting<'_> {
        let mut content = self.lock();
        if content.writers == 0 && content.bytes > self.limit / 2 {
            content.collect();
        }
        content.writers += 1;
        MemoryWriting(self)
    }

    pub(super) fn manifest(&self, id: &SnapshotId) -> Option<Arc<Manifest>> {
        self.lock().manifests.get(id).cloned()
    }

    pub(super) fn blob(&self, hash: &Hash) -> Result<Arc<[u8]>, StoreError> {
        self.lock().blobs.get(hash).cloned().ok_or_else(|| StoreError::blob(hash, "is missing"))
    }

    pub(super) fn hold(&self, id: &SnapshotId) {
        *self.lock().held.entry(*id).or_default() += 1;
    }

    pub(super) fn release(&self, id: &SnapshotId) {
        let mut content = self.lock();
        let Some(count) = content.held.get_mut(id) else { return };
        *count -= 1;
        if *count == 0 {
            content.held.remove(id);
        }
    }
}

impl Content {
    /// Forgets what nothing keeps, holds or writes; gives how many blobs and bytes that were.
    pub(super) fn collect(&mut self) -> (u64, u64) {
        if self.writers > 0 {
            return (0, 0);
        }
        let (kept, held) = (&self.kept, &self.held);
        self.manifests.retain(|id, _| kept.contains_key(id) || held.contains_key(id));
        let mut live = Hashes::default();
        for manifest in self.manifests.values() {
            live.extend(manifest.iter().filter_map(|(_, entry)| match entry.kind {
                EntryKind::File { hash, .. } => Some(hash),
                EntryKind::Directory | EntryKind::Symlink { .. } | EntryKind::Special => None,
            }));
        }
        let before = (self.blobs.len(), self.bytes);
        self.blobs.retain(|hash, _| live.contains(hash));
        self.bytes = self.blobs.values().map(|blob| blob.len() as u64).sum();
        ((before.0 - self.blobs.len()) as u64, before.1 - self.bytes)
    }

    pub(super) fn held(&self) -> u64 {
        self.held.len() as u64
    }
}

impl MemoryWriting<'_> {
    pub(super) fn has(&self, hash: &Hash) -> bool {
        self.0.lock().blobs.contains_key(hash)
    }

    pub(super) fn limit(&self) -> u64 {
        self.0.limit
    }

    pub(super) fn put(&self, hash: &Hash, blob: Vec<u8>) -> Result<(), StoreError> {
        let mut content = self.0.lock();
        let bytes = content.bytes.saturating_add(blob.len() as u64);
        if bytes > self.0.limit {
            return Err(StoreError::MemoryFull { limit: self.0.limit });
        }
        if content.blobs.insert(*hash, blob.into()).is_none() {
            content.bytes = bytes;
        }
        Ok(())
    }

    pub(super) fn write_manifest(&self, manifest: &Manifest, id: SnapshotId) {
        let manifest = Arc::new(manifest.clone());
        self.0.lock().manifests.insert(id, manifest);
    }
}

impl Drop for MemoryWriting<'_> {
    fn drop(&mut self) {
        self.0.lock().writers -= 1;
    }
}
