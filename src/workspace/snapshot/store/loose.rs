//! Blobs above 1 MiB, each in a file of its own, named by its hash.

use std::os::fd::OwnedFd;

use super::folder::{Durability, Folder};
use super::hashes::{Hash, hex, parse};
use super::{Draft, StoreError};

/// The loose blobs of a store.
#[derive(Debug)]
pub(super) struct Loose {
    folder: Folder,
}

impl Loose {
    pub(super) fn new(folder: Folder) -> Self {
        Self { folder }
    }

    /// Says whether a blob is there, by its size: its content is looked at when it is read.
    pub(super) fn has(&self, hash: &Hash, size: u64) -> Result<bool, StoreError> {
        let found = self.folder.meta(&place(hash))?;
        Ok(found.is_some_and(|meta| meta.size == size))
    }

    /// Opens a blob. `None`: it is not there.
    pub(super) fn open(&self, hash: &Hash) -> Result<Option<OwnedFd>, StoreError> {
        Ok(self.folder.open(&place(hash))?.map(|(file, _)| file))
    }

    pub(super) fn draft(&self) -> Result<Draft, StoreError> {
        self.folder.draft()
    }

    /// Gives a blob its name.
    pub(super) fn publish(&self, draft: Draft, hash: &Hash) -> Result<(), StoreError> {
        let shelf = self.folder.folder(&hex(hash)[..2])?;
        draft.publish(&place(hash), Durability::Synced)?;
        shelf.sync()?;
        self.folder.sync()
    }

    /// Lists every blob with its size, and gives the names that are no blob's.
    pub(super) fn list(&self) -> Result<Vec<(Hash, u64)>, StoreError> {
        let mut found = Vec::new();
        for shelf in self.folder.names()?.iter().filter(|name| name.len() == 2) {
            let names = self.folder.folder(shelf)?.names()?;
            for hash in names.iter().filter_map(|name| parse(name)) {
                let size = self.folder.meta(&place(&hash))?.map_or(0, |meta| meta.stored);
                found.push((hash, size));
            }
        }
        Ok(found)
    }

    pub(super) fn remove(&self, hash: &Hash) -> Result<(), StoreError> {
        self.folder.remove(&place(hash))
    }

    pub(super) fn folder(&self) -> &Folder {
        &self.folder
    }
}

fn place(hash: &Hash) -> String {
    let name = hex(hash);
    format!("{}/{name}", &name[..2])
}
