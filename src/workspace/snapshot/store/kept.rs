//! What is said of a kept snapshot.

use std::time::{Duration, SystemTime};

use serde::{Deserialize, Serialize};

use super::super::SnapshotId;
use super::StoreError;
use super::folder::{Durability, Folder};

/// A snapshot that is kept until it is removed by its id.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct KeptSnapshot {
    /// Its id.
    pub id: SnapshotId,
    /// When it was kept, to the second.
    pub created: SystemTime,
    /// What it was taken of, in the words of whoever kept it; not to be trusted as a path.
    pub source: String,
    /// How many entries it has.
    pub entries: u64,
    /// The bytes of all its files.
    pub bytes: u64,
    /// FIFOs, sockets and devices that were seen and are no part of it.
    pub specials: u64,
}

/// The file, version 1.
#[derive(Serialize, Deserialize)]
struct Wire {
    version: u32,
    created: u64,
    source: String,
    entries: u64,
    bytes: u64,
    specials: u64,
}

const VERSION: u32 = 1;

impl KeptSnapshot {
    pub(super) fn write(&self, folder: &Folder) -> Result<(), StoreError> {
        let created = self.created.duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default().as_secs();
        let Self { entries, bytes, specials, .. } = *self;
        let wire = Wire { version: VERSION, created, source: self.source.clone(), entries, bytes, specials };
        let text = serde_json::to_vec(&wire).expect("text and numbers are JSON");
        folder.write(&self.id.to_string(), &text, Durability::Synced)?;
        folder.sync()
    }

    /// Reads what is said of a snapshot. `None`: it is not kept.
    pub(super) fn read(folder: &Folder, id: SnapshotId) -> Result<Option<Self>, StoreError> {
        let name = id.to_string();
        let Some(text) = folder.read(&name)? else { return Ok(None) };
        let corrupt = |problem| StoreError::Corrupt { what: "record of the snapshot", name: name.clone(), problem };
        let wire: Wire = serde_json::from_slice(&text).map_err(|_| corrupt("cannot be read"))?;
        if wire.version > VERSION {
            return Err(corrupt("is of a newer version"));
        }
        let Wire { created, source, entries, bytes, specials, .. } = wire;
        let created = SystemTime::UNIX_EPOCH.checked_add(Duration::from_secs(created));
        let created = created.unwrap_or(SystemTime::UNIX_EPOCH);
        Ok(Some(Self { id, created, source, entries, bytes, specials }))
    }
}

/// Lists the ids that are files of a folder.
pub(super) fn ids(folder: &Folder) -> Result<Vec<SnapshotId>, StoreError> {
    Ok(folder.names()?.iter().filter_map(|name| name.parse().ok()).collect())
}
