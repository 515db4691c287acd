//! Snapshots that a process holds without keeping them: they stay while it lives and wants them.

use std::collections::HashMap;
use std::os::fd::{AsFd, OwnedFd};
use std::sync::{Mutex, MutexGuard, PoisonError};

use rustix::fs::AtFlags;

use super::super::SnapshotId;
use super::StoreError;
use super::folder::Folder;
use crate::workspace::{at, owner::try_lock};

/// What this process holds in one store. The directory is made for the first snapshot that is held.
#[derive(Debug, Default)]
pub(super) struct Holders {
    held: Mutex<Held>,
}

#[derive(Debug, Default)]
struct Held {
    own: Option<Own>,
    counts: HashMap<SnapshotId, usize>,
}

/// A directory of this process's, locked for as long as it lives.
#[derive(Debug)]
struct Own {
    owners: Folder,
    name: String,
    folder: Folder,
    _lock: OwnedFd,
}

impl Holders {
    /// Holds a snapshot. To be called under a lock on the store.
    pub(super) fn hold(&self, owners: &Folder, id: &SnapshotId) -> Result<(), StoreError> {
        let held = &mut *self.lock();
        // It stays whatever happens: its lock holds what was held before.
        let own = match &held.own {
            Some(own) => own,
            None => held.own.insert(Own::make(owners)?),
        };
        own.folder.touch(&id.to_string())?;
        *held.counts.entry(*id).or_default() += 1;
        Ok(())
    }

    /// Lets go of a snapshot. Needs no lock: who looks at the same moment sees it held, and leaves it for the next time.
    pub(super) fn release(&self, id: &SnapshotId) {
        let mut held = self.lock();
        let Some(count) = held.counts.get_mut(id) else { return };
        *count -= 1;
        if *count == 0 {
            held.counts.remove(id);
            if let Some(own) = &held.own {
                // A name that stays behind only keeps a snapshot longer than it must be.
                let _ = own.folder.remove(&id.to_string());
            }
        }
    }

    fn lock(&self) -> MutexGuard<'_, Held> {
        self.held.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Own {
    fn make(owners: &Folder) -> Result<Self, StoreError> {
        let random = at::random::<16>().map_err(|error| owners.failed("name a directory", "", error))?;
        let name = format!("{:032x}", u128::from_ne_bytes(random));
        let folder = owners.folder(&name)?;
        let lock = at::open_again(folder.dir().as_fd()).and_then(|lock| {
            // Nobody else looks: `gc` waits for the lock on the store.
            if try_lock(&lock) { Ok(lock) } else { Err(rustix::io::Errno::WOULDBLOCK) }
        });
        match lock {
            Ok(lock) => Ok(Self { owners: owners.clone(), name, folder, _lock: lock }),
            Err(error) => {
                let _ = rustix::fs::unlinkat(owners.dir(), name.as_str(), AtFlags::REMOVEDIR);
                Err(owners.failed("lock", &name, error))
            }
        }
    }
}

impl Drop for Own {
    fn drop(&mut self) {
        // What is still held by then is found by the free lock.
        let _ = rustix::fs::unlinkat(self.owners.dir(), self.name.as_str(), AtFlags::REMOVEDIR);
    }
}

/// What the owners of a store hold: the ids of the living, and the directories of the dead with what they held.
#[derive(Debug, Default)]
pub(super) struct Owners {
    pub(super) held: Vec<SnapshotId>,
    pub(super) alive: usize,
    pub(super) dead: Vec<(String, Vec<String>)>,
}

impl Owners {
    /// Looks at every owner. To be called alone in the store.
    pub(super) fn read(owners: &Folder) -> Result<Self, StoreError> {
        let mut found = Self::default();
        for name in owners.names()? {
            let folder = owners.folder(&name)?;
            let ids = folder.names()?;
            let open = at::open_again(folder.dir().as_fd());
            if try_lock(open.map_err(|error| owners.failed("open", &name, error))?) {
                found.dead.push((name, ids));
            } else {
                found.alive += 1;
                found.held.extend(ids.iter().filter_map(|id| id.parse::<SnapshotId>().ok()));
            }
        }
        Ok(found)
    }
}

/// Removes what a dead owner left.
pub(super) fn bury(owners: &Folder, name: &str, ids: &[String]) -> Result<(), StoreError> {
    let folder = owners.folder(name)?;
    ids.iter().try_for_each(|id| folder.remove(id))?;
    rustix::fs::unlinkat(owners.dir(), name, AtFlags::REMOVEDIR).map_err(|error| owners.failed("remove", name, error))
}
