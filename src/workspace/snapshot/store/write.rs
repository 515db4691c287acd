//! Putting blobs and manifests into a store.

use super::super::{Manifest, SnapshotId};
use super::disk::Disk;
use super::folder::Durability;
use super::hashes::{Hash, Hashes};
use super::locks::StoreLock;
use super::memory::{Memory, MemoryWriting};
use super::pack::PackDraft;
use super::{Draft, SMALL, StoreError};

/// Blobs on their way into a store. Dropped before [`finish`](Self::finish) it leaves nothing but loose blobs that
/// nothing reaches, which `gc` removes.
#[derive(Debug)]
pub(crate) enum Writing<'a> {
    Disk(DiskWriting<'a>),
    Memory(MemoryWriting<'a>),
}

/// A blob that is too large to be held in memory, in the making.
#[derive(Debug)]
pub(crate) enum BlobDraft {
    File(Draft),
    Memory { content: Vec<u8>, limit: u64 },
}

/// Blobs on their way to disk.
#[derive(Debug)]
pub(crate) struct DiskWriting<'a> {
    disk: &'a Disk,
    lock: StoreLock,
    pack: Option<PackDraft>,
    /// The loose blobs of this writing.
    loose: Hashes,
}

/// What keeps a finished snapshot from `gc` until somebody holds or keeps it.
#[derive(Debug)]
pub(crate) struct Finished<'a> {
    pub(crate) id: SnapshotId,
    _entered: Entered<'a>,
}

#[derive(Debug)]
enum Entered<'a> {
    Disk { _lock: StoreLock },
    Memory { _writing: MemoryWriting<'a> },
}

impl<'a> Writing<'a> {
    pub(super) fn disk(disk: &'a Disk) -> Result<Self, StoreError> {
        let (lock, loose) = (disk.enter()?, Hashes::default());
        Ok(Self::Disk(DiskWriting { disk, lock, pack: None, loose }))
    }

    pub(super) fn memory(memory: &'a Memory) -> Self {
        Self::Memory(memory.begin())
    }

    /// Says whether a blob need not be written any more.
    pub(crate) fn has(&self, hash: &Hash, size: u64) -> Result<bool, StoreError> {
        match self {
            Self::Disk(writing) => writing.has(hash, size),
            Self::Memory(writing) => Ok(writing.has(hash)),
        }
    }

    /// Writes a blob of at most [`SMALL`] bytes, unless it is there.
    pub(crate) fn put(&mut self, hash: &Hash, content: &[u8]) -> Result<(), StoreError> {
        if self.has(hash, content.len() as u64)? {
            return Ok(());
        }
        match self {
            Self::Disk(writing) => writing.put(hash, content),
            Self::Memory(writing) => writing.put(hash, content.to_vec()),
        }
    }

    /// Begins a blob of more bytes.
    pub(crate) fn draft(&self) -> Result<BlobDraft, StoreError> {
        match self {
            Self::Disk(writing) => Ok(BlobDraft::File(writing.disk.loose.draft()?)),
            Self::Memory(writing) => Ok(BlobDraft::Memory { content: Vec::new(), limit: writing.limit() }),
        }
    }

    /// Gives a large blob its name, unless it is there.
    pub(crate) fn put_draft(&mut self, draft: BlobDraft, hash: &Hash, size: u64) -> Result<(), StoreError> {
        if self.has(hash, size)? {
            return Ok(());
        }
        match (self, draft) {
            (Self::Disk(writing), BlobDraft::File(draft)) => {
                writing.disk.loose.publish(draft, hash)?;
                writing.loose.insert(*hash);
                Ok(())
            }
            (Self::Memory(writing), BlobDraft::Memory { content, .. }) => writing.put(hash, content),
            (Self::Disk(_), BlobDraft::Memory { .. }) | (Self::Memory(_), BlobDraft::File(_)) => {
                Err(StoreError::blob(hash, "was begun for another store"))
            }
        }
    }

    /// Writes the manifest of blobs that are all there.
    pub(crate) fn finish(self, manifest: &Manifest) -> Result<Finished<'a>, StoreError> {
        let id = manifest.id();
        match self {
            Self::Disk(mut writing) => {
                writing.finish_pack()?;
                writing.write_manifest(manifest, &id)?;
                Ok(Finished { id, _entered: Entered::Disk { _lock: writing.lock } })
            }
            Self::Memory(writing) => {
                writing.write_manifest(manifest, id);
                Ok(Finished { id, _entered: Entered::Memory { _writing: writing } })
            }
        }
    }
}

impl DiskWriting<'_> {
    fn has(&self, hash: &Hash, size: u64) -> Result<bool, StoreError> {
        if size > SMALL {
            return Ok(self.loose.contains(hash) || self.disk.loose.has(hash, size)?);
        }
        Ok(self.pack.as_ref().is_some_and(|pack| pack.has(hash)) || self.disk.packs().has(hash))
    }

    fn put(&mut self, hash: &Hash, content: &[u8]) -> Result<(), StoreError> {
        if self.pack.as_ref().is_some_and(PackDraft::is_long) {
            self.finish_pack()?;
        }
        let pack = match &mut self.pack {
            Some(pack) => pack,
            none => none.insert(PackDraft::new(&self.disk.packs_folder)?),
        };
        pack.put(hash, content)
    }

    fn finish_pack(&mut self) -> Result<(), StoreError> {
        if let Some(pack) = self.pack.take() {
            let (name, index) = pack.publish(&self.disk.packs_folder)?;
            self.disk.packs().add(&name, index);
        }
        Ok(())
    }

    fn write_manifest(&self, manifest: &Manifest, id: &SnapshotId) -> Result<(), StoreError> {
        let (folder, name) = (&self.disk.manifests, id.to_string());
        if folder.meta(&name)?.is_some() {
            return Ok(());
        }
        let mut draft = folder.draft()?;
        let mut at = 0;
        manifest.encode(|part| {
            draft.write_at(part, at)?;
            at += part.len() as u64;
            Ok::<(), StoreError>(())
        })?;
        draft.publish(&name, Durability::Synced)?;
        folder.sync()
    }
}

impl BlobDraft {
    /// Writes bytes at a position; what lies between is a hole.
    pub(crate) fn write_at(&mut self, part: &[u8], at: u64) -> Result<(), StoreError> {
        match self {
            Self::File(draft) => draft.write_at(part, at),
            Self::Memory { content, limit } => {
                let end = at.saturating_add(part.len() as u64);
                let (start, end) = (in_memory(at, *limit)?, in_memory(end, *limit)?);
                content.resize(content.len().max(end), 0);
                content[start..end].copy_from_slice(part);
                Ok(())
            }
        }
    }

    /// Gives what was written so far, as so many bytes.
    pub(crate) fn into_content(mut self, size: u64) -> Result<Vec<u8>, StoreError> {
        self.set_len(size)?;
        match self {
            Self::File(draft) => draft.read(),
            Self::Memory { content, .. } => Ok(content),
        }
    }

    /// Makes the blob exactly so long.
    pub(crate) fn set_len(&mut self, length: u64) -> Result<(), StoreError> {
        match self {
            Self::File(draft) => draft.set_len(length),
            Self::Memory { content, limit } => {
                content.resize(in_memory(length, *limit)?, 0);
                Ok(())
            }
        }
    }
}

fn in_memory(length: u64, limit: u64) -> Result<usize, StoreError> {
    let length = usize::try_from(length).ok().filter(|length| *length as u64 <= limit);
    length.ok_or(StoreError::MemoryFull { limit })
}
