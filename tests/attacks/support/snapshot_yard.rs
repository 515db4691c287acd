//! A tree that a guest made, a store, and a canary beside them.

use std::fs;
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::path::{Path, PathBuf};

use bailiwick::{Restore, Snapshot, SnapshotStore, Take, Taken};
use cap_std::ambient_authority;
use cap_std::fs::Dir;

const SECRET: &str = "nothing of this may be seen or changed";

/// A tree that a guest made, a store, and a canary beside them.
pub(crate) struct Yard {
    pub(crate) temp: tempfile::TempDir,
    pub(crate) store: SnapshotStore,
}

impl Yard {
    pub(crate) fn new() -> Self {
        let temp = tempfile::tempdir().unwrap();
        for name in ["tree", "outside"] {
            fs::create_dir(temp.path().join(name)).unwrap();
        }
        fs::write(temp.path().join("outside/secret"), SECRET).unwrap();
        fs::set_permissions(temp.path().join("outside/secret"), fs::Permissions::from_mode(0o640)).unwrap();
        let store = SnapshotStore::open_ambient(&temp.path().join("store")).unwrap();
        Self { temp, store }
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.temp.path().join(name)
    }

    pub(crate) fn tree(&self, name: &str) -> PathBuf {
        self.path("tree").join(name)
    }

    pub(crate) fn take(&self) -> Taken {
        self.store.take(&dir(&self.path("tree")), Take::default()).unwrap()
    }

    pub(crate) fn restore(&self, snapshot: &Snapshot, name: &str) -> PathBuf {
        let to = self.path(name);
        snapshot.restore_ambient(&to, Restore::Mirror, None).unwrap();
        to
    }

    /// Lists the files of a folder of the store.
    pub(crate) fn stored(&self, folder: &str, ending: &str) -> Vec<PathBuf> {
        let mut found = Vec::new();
        let mut folders = vec![self.path("store").join(folder)];
        while let Some(folder) = folders.pop() {
            for entry in fs::read_dir(folder).unwrap().flatten() {
                match entry.file_type().unwrap().is_dir() {
                    true => folders.push(entry.path()),
                    false => found.push(entry.path()),
                }
            }
        }
        found.retain(|path| path.to_string_lossy().ends_with(ending));
        found
    }
}

impl Drop for Yard {
    fn drop(&mut self) {
        if std::thread::panicking() {
            return;
        }
        let secret = self.path("outside/secret");
        assert_eq!(fs::read_to_string(&secret).unwrap(), SECRET);
        assert_eq!(fs::metadata(&secret).unwrap().mode() & 0o7777, 0o640);
        assert_eq!(fs::read_dir(self.path("outside")).unwrap().count(), 1);
        for folder in ["packs", "blobs", "manifests", "kept", "stat", ""] {
            let drafts: Vec<_> = fs::read_dir(self.path("store").join(folder)).unwrap().flatten().collect();
            let is_draft = |entry: &fs::DirEntry| entry.file_name().to_string_lossy().starts_with('.');
            assert!(!drafts.iter().any(is_draft), "a draft is left in {folder}: {drafts:?}");
        }
    }
}

pub(crate) fn dir(path: &Path) -> Dir {
    Dir::open_ambient_dir(path, ambient_authority()).unwrap()
}
