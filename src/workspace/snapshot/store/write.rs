//! Putting blobs and manifests into a store.

use std::thread::Builder;

use super::super::{Manifest, SnapshotId};
use super::disk::Disk;
use super::draft::Behind;
use super::folder::Durability;
use super::hashes::{Hash, Hashes};
use super::locks::StoreLock;
use super::memory::{Memory, MemoryWriting};
use super::pack::{PackDraft, WholePack};
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

/// The id of a manifest, and the manifest in the making. `None`: it is there already.
type Named = (SnapshotId, Option<Draft>);

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

    /// Gives what was put and is not on the device yet, when it is much: it need not be waited for.
    pub(crate) fn behind(&mut self) -> Option<Behind> {
        match self {
            Self::Disk(writing) => writing.pack.as_mut()?.behind(),
            Self::Memory(_) => None,
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
        match self {
            Self::Disk(mut writing) => {
                let id = writing.finish(manifest)?;
                Ok(Finished { id, _entered: Entered::Disk { _lock: writing.lock } })
            }
            Self::Memory(writing) => {
                let id = manifest.id();
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
        let whole = self.close_pack()?;
        self.publish_pack(whole)
    }

    fn close_pack(&mut self) -> Result<Option<WholePack>, StoreError> {
        self.pack.take().map(|pack| pack.close(&self.disk.packs_folder)).transpose()
    }

    fn publish_pack(&self, whole: Option<WholePack>) -> Result<(), StoreError> {
        if let Some(whole) = whole {
            let (name, index) = whole.publish(&self.disk.packs_folder)?;
            self.disk.packs().add(&name, index);
        }
        Ok(())
    }

    /// Brings the pack, its index and the manifest to the device, and names them in that order.
    fn finish(&mut self, manifest: &Manifest) -> Result<SnapshotId, StoreError> {
        let is_slow = self.pack.as_ref().is_some_and(PackDraft::is_slow);
        let mut whole = self.close_pack()?;
        let (id, draft) = match whole.as_mut().filter(|_| is_slow) {
            Some(whole) => self.sync_at_once(&mut whole.pack, &mut whole.index, manifest)?,
            None => self.draft_manifest(manifest)?,
        };
        self.publish_pack(whole)?;
        if let Some(draft) = draft {
            draft.publish(&id.to_string(), Durability::Synced)?;
            self.disk.manifests.sync()?;
        }
        Ok(id)
    }

    /// Brings a pack to the device while the manifest is put together, and it and the index are brought there.
    fn sync_at_once(&self, pack: &mut Draft, index: &mut Draft, manifest: &Manifest) -> Result<Named, StoreError> {
        std::thread::scope(|threads| {
            let pack = Builder::new().name("snapshot".to_owned()).spawn_scoped(threads, || pack.sync());
            let (id, mut draft) = self.draft_manifest(manifest)?;
            index.sync()?;
            draft.as_mut().map_or(Ok(()), Draft::sync)?;
            // What no thread could be had for is synced when it gets its name.
            pack.map_or(Ok(()), |pack| pack.join().unwrap_or(Ok(())))?;
            Ok((id, draft))
        })
    }

    /// Writes a manifest that has no name yet.
    fn draft_manifest(&self, manifest: &Manifest) -> Result<Named, StoreError> {
        let (id, folder) = (manifest.id(), &self.disk.manifests);
        if folder.meta(&id.to_string())?.is_some() {
            return Ok((id, None));
        }
        let mut draft = folder.draft()?;
        let mut at = 0;
        manifest.encode(|part| {
            draft.write_at(part, at)?;
            at += part.len() as u64;
            Ok::<(), StoreError>(())
        })?;
        Ok((id, Some(draft)))
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
