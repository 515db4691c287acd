//! A tree, a store beside it, and what is done with both.

use std::fs;
use std::path::{Path, PathBuf};

use bailiwick::{Restore, Snapshot, SnapshotId, SnapshotStore, Take, TakeMemory, Taken};
use cap_std::ambient_authority;
use cap_std::fs::Dir;

pub(crate) struct Yard {
    pub(crate) temp: tempfile::TempDir,
    pub(crate) store: SnapshotStore,
}

impl Yard {
    pub(crate) fn new() -> Self {
        let temp = tempfile::tempdir().unwrap();
        fs::create_dir(temp.path().join("tree")).unwrap();
        let store = SnapshotStore::open_ambient(&temp.path().join("store")).unwrap();
        Self { temp, store }
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.temp.path().join(name)
    }

    /// Writes a file of the tree, and the directories above it.
    pub(crate) fn write(&self, name: &str, content: impl AsRef<[u8]>) {
        let path = self.path("tree").join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, content).unwrap();
    }

    /// Opens the same store as another process would.
    pub(crate) fn again(&self) -> SnapshotStore {
        SnapshotStore::open_ambient(&self.path("store")).unwrap()
    }

    pub(crate) fn take(&self) -> Taken {
        take(&self.store, &self.path("tree"))
    }

    pub(crate) fn keep(&self) -> SnapshotId {
        let taken = self.take();
        self.store.keep(&taken.snapshot, "the tree", taken.specials).unwrap().id
    }

    /// Counts the files of a folder of the store.
    pub(crate) fn count(&self, folder: &str) -> usize {
        files(&self.path("store").join(folder)).len()
    }
}

pub(crate) fn take(store: &SnapshotStore, path: &Path) -> Taken {
    store.take(&dir(path), Take::default()).unwrap()
}

pub(crate) fn take_remembering(store: &SnapshotStore, path: &Path) -> Taken {
    let mut take = Take::default();
    take.memory = TakeMemory::Store;
    store.take(&dir(path), take).unwrap()
}

pub(crate) fn restore(snapshot: &Snapshot, to: &Path) {
    snapshot.restore_ambient(to, Restore::Mirror, None).unwrap();
}

pub(crate) fn dir(path: &Path) -> Dir {
    Dir::open_ambient_dir(path, ambient_authority()).unwrap()
}

/// Lists every file below a directory.
pub(crate) fn files(root: &Path) -> Vec<PathBuf> {
    let (mut found, mut folders) = (Vec::new(), vec![root.to_owned()]);
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
            match entry.file_type().unwrap().is_dir() {
                true => folders.push(entry.path()),
                false => found.push(entry.path()),
            }
        }
    }
    found.sort();
    found
}

pub(crate) fn large(byte: u8) -> Vec<u8> {
    vec![byte; (1 << 20) + 1]
}
