//! `SnapshotStore`: which snapshots there are.

use std::path::Path;
use std::sync::Arc;
use std::time::SystemTime;

use super::super::{Manifest, Snapshot, SnapshotId, StatCache};
use super::disk::Disk;
use super::folder::Durability;
use super::memory::Memory;
use super::{KeptSnapshot, Reading, StoreError, StoreGcReport, Writing, gc, kept};
use crate::workspace::GcMode;

/// The most that a store in memory takes, when nobody says otherwise: 256 MiB.
const IN_MEMORY: u64 = 256 << 20;

/// A place for the content of snapshots: a directory that several processes may use at once, or memory.
///
/// A blob is written once, named by its BLAKE3 hash, and verified whenever it is read. Snapshots that are
/// [kept](Self::keep) stay until they are [removed](Self::remove) by id; others stay while their [`Snapshot`] lives,
/// in this process or in any other. What nothing reaches goes with [`gc`](Self::gc).
///
/// Blobs and manifests are brought to the device before they get their names, and those before a snapshot counts as
/// kept: a crash of the machine loses no kept snapshot. Cheap to clone.
#[derive(Clone, Debug)]
pub struct SnapshotStore(Arc<Place>);

#[derive(Debug)]
enum Place {
    Disk(Box<Disk>),
    Memory(Memory),
}

/// Holds a snapshot of a store; it may go when nobody holds or keeps it.
#[derive(Debug)]
pub(crate) struct Hold {
    store: SnapshotStore,
    id: SnapshotId,
}

impl SnapshotStore {
    /// Opens a store in a directory, and makes both where there is none; only this user can enter it.
    ///
    /// # Errors
    /// A directory that cannot be made or holds something else, and a store that a later version made.
    pub fn open_ambient(path: &Path) -> Result<Self, StoreError> {
        Ok(Self(Arc::new(Place::Disk(Box::new(Disk::open(path)?)))))
    }

    /// Makes a store in memory that takes at most 256 MiB and goes with its last user.
    pub fn in_memory() -> Self {
        Self(Arc::new(Place::Memory(Memory::new(IN_MEMORY))))
    }

    /// Gives the directory of a store that has one.
    pub fn path(&self) -> Option<&Path> {
        match &*self.0 {
            Place::Disk(disk) => Some(disk.root.path()),
            Place::Memory(_) => None,
        }
    }

    /// Opens a snapshot and holds it.
    ///
    /// # Errors
    /// An id that is not there, and a manifest that is not what was written.
    pub fn open(&self, id: SnapshotId) -> Result<Snapshot, StoreError> {
        let unknown = || StoreError::Unknown { id: id.to_string() };
        let manifest = match &*self.0 {
            Place::Memory(memory) => memory.manifest(&id).ok_or_else(unknown)?,
            Place::Disk(disk) => {
                let _entered = disk.enter()?;
                let Some(text) = disk.manifests.read(&id.to_string())? else { return Err(unknown()) };
                let manifest = Arc::new(decode(&id, &text)?);
                disk.holders.hold(&disk.owners, &id)?;
                return Ok(Snapshot::new(id, manifest, Hold { store: self.clone(), id }));
            }
        };
        Ok(Snapshot::new(id, manifest, self.hold(id)?))
    }

    /// Finds the one kept snapshot whose id begins so.
    ///
    /// # Errors
    /// None, several, and a store that cannot be read.
    pub fn find(&self, prefix: &str) -> Result<SnapshotId, StoreError> {
        if let Ok(id) = prefix.parse() {
            return Ok(id);
        }
        let mut ids = self.kept_ids()?;
        ids.retain(|id| !prefix.is_empty() && id.to_string().starts_with(prefix));
        match ids.as_slice() {
            [] => Err(StoreError::Unknown { id: prefix.to_owned() }),
            [one] => Ok(*one),
            [_, _, ..] => Err(StoreError::Ambiguous { prefix: prefix.to_owned(), count: ids.len() }),
        }
    }

    /// Keeps a snapshot of this store until it is removed by id. Kept again, it keeps its first record.
    ///
    /// # Errors
    /// A snapshot of another store, and a store that cannot be written.
    pub fn keep(&self, snapshot: &Snapshot, source: &str, specials: u64) -> Result<KeptSnapshot, StoreError> {
        let (id, manifest) = (snapshot.id(), snapshot.manifest());
        let record = KeptSnapshot {
            id,
            created: SystemTime::now(),
            source: source.to_owned(),
            entries: manifest.len() as u64,
            bytes: manifest.total_bytes(),
            specials,
        };
        let unknown = || StoreError::Unknown { id: id.to_string() };
        match &*self.0 {
            Place::Memory(memory) => {
                memory.manifest(&id).ok_or_else(unknown)?;
                Ok(memory.lock().kept.entry(id).or_insert(record).clone())
            }
            Place::Disk(disk) => {
                let _entered = disk.enter()?;
                disk.manifests.meta(&id.to_string())?.ok_or_else(unknown)?;
                if let Some(kept) = KeptSnapshot::read(&disk.kept, id)? {
                    return Ok(kept);
                }
                record.write(&disk.kept)?;
                Ok(record)
            }
        }
    }

    /// Says whether a snapshot is kept.
    ///
    /// # Errors
    /// A store that cannot be read.
    pub fn is_kept(&self, id: SnapshotId) -> Result<bool, StoreError> {
        match &*self.0 {
            Place::Disk(disk) => Ok(disk.kept.meta(&id.to_string())?.is_some()),
            Place::Memory(memory) => Ok(memory.lock().kept.contains_key(&id)),
        }
    }

    /// Stops keeping a snapshot; its content goes with the next [`gc`](Self::gc).
    ///
    /// # Errors
    /// An id that is not kept, and a store that cannot be written.
    pub fn remove(&self, id: SnapshotId) -> Result<(), StoreError> {
        let removed = match &*self.0 {
            Place::Memory(memory) => memory.lock().kept.remove(&id).is_some(),
            Place::Disk(disk) => {
                let is_there = disk.kept.meta(&id.to_string())?.is_some();
                disk.kept.remove(&id.to_string())?;
                is_there
            }
        };
        if removed { Ok(()) } else { Err(StoreError::Unknown { id: id.to_string() }) }
    }

    /// Lists the kept snapshots, the oldest first.
    ///
    /// # Errors
    /// A store that cannot be read.
    pub fn list(&self) -> Result<Vec<KeptSnapshot>, StoreError> {
        let mut kept = match &*self.0 {
            Place::Memory(memory) => memory.lock().kept.values().cloned().collect(),
            Place::Disk(disk) => {
                let mut found = Vec::new();
                for id in kept::ids(&disk.kept)? {
                    found.extend(KeptSnapshot::read(&disk.kept, id)?);
                }
                found
            }
        };
        kept.sort_by_key(|kept| (kept.created, kept.id));
        Ok(kept)
    }

    /// Removes what nothing reaches: no kept snapshot, and none that a living process holds. Waits for a moment in
    /// which nobody reads or writes, and keeps everybody out meanwhile.
    ///
    /// # Errors
    /// A store that stays in use or cannot be read. What could not be removed stands in the report.
    pub fn gc(&self, mode: GcMode) -> Result<StoreGcReport, StoreError> {
        match &*self.0 {
            Place::Disk(disk) => gc::disk(disk, mode),
            Place::Memory(memory) => Ok(gc::memory(memory, mode)),
        }
    }

    pub(crate) fn write(&self) -> Result<Writing<'_>, StoreError> {
        match &*self.0 {
            Place::Disk(disk) => Writing::disk(disk),
            Place::Memory(memory) => Ok(Writing::memory(memory)),
        }
    }

    pub(crate) fn read(&self) -> Result<Reading<'_>, StoreError> {
        match &*self.0 {
            Place::Disk(disk) => Reading::disk(disk),
            Place::Memory(memory) => Ok(Reading::memory(memory)),
        }
    }

    /// Holds a snapshot that nothing can remove at this moment.
    pub(crate) fn hold(&self, id: SnapshotId) -> Result<Hold, StoreError> {
        match &*self.0 {
            Place::Disk(disk) => disk.holders.hold(&disk.owners, &id)?,
            Place::Memory(memory) => memory.hold(&id),
        }
        Ok(Hold { store: self.clone(), id })
    }

    /// Gives what was remembered of a source, where the store is on disk.
    pub(crate) fn remembered(&self, source: &str) -> StatCache {
        match &*self.0 {
            Place::Disk(disk) => {
                // What cannot be read is only slower to find out again.
                let text = disk.stat.read(source).ok().flatten().unwrap_or_default();
                StatCache::decode(&text).unwrap_or_default()
            }
            Place::Memory(_) => StatCache::default(),
        }
    }

    /// Remembers what need not be read again of a source.
    pub(crate) fn remember(&self, source: &str, cache: &StatCache) -> Result<(), StoreError> {
        match &*self.0 {
            Place::Disk(disk) => disk.stat.write(source, &cache.encode(), Durability::Lazy),
            Place::Memory(_) => Ok(()),
        }
    }

    fn kept_ids(&self) -> Result<Vec<SnapshotId>, StoreError> {
        match &*self.0 {
            Place::Disk(disk) => kept::ids(&disk.kept),
            Place::Memory(memory) => Ok(memory.lock().kept.keys().copied().collect()),
        }
    }
}

/// Reads a manifest that must have this id.
pub(super) fn decode(id: &SnapshotId, text: &[u8]) -> Result<Manifest, StoreError> {
    let corrupt = |problem| StoreError::Corrupt { what: "manifest", name: id.to_string(), problem };
    if blake3::hash(text).as_bytes() != id.as_bytes() {
        return Err(corrupt("is not what was written"));
    }
    Manifest::decode(text).map_err(corrupt)
}

impl Hold {
    pub(crate) fn store(&self) -> &SnapshotStore {
        &self.store
    }
}

impl Drop for Hold {
    fn drop(&mut self) {
        match &*self.store.0 {
            Place::Disk(disk) => disk.holders.release(&self.id),
            Place::Memory(memory) => memory.release(&self.id),
        }
    }
}
