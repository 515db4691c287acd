//! What may stand for a snapshot on the command line: an id, how one begins, or a directory.

use std::path::{Path, PathBuf};

use cap_std::ambient_authority;
use cap_std::fs::Dir;

use crate::cli::failure::Usage;
use crate::error::ExecutionError;
use crate::workspace::{
    Bounds, Capture, ContentSource, Manifest, Snapshot, SnapshotStore, Take, TakeMemory, Tree, Watch, WorkspaceError,
    scan_watched,
};

/// What a word of the command line names.
#[derive(Clone, Debug)]
pub(super) enum Source {
    /// A snapshot of the store, by its id or how it begins.
    Id(String),
    /// A directory, as it is now.
    Directory(PathBuf),
}

/// A tree that was looked at, and where its content is read from.
#[derive(Debug)]
pub(super) enum Seen {
    Snapshot(Snapshot),
    Directory { manifest: Manifest, dir: Dir },
}

impl Seen {
    pub(super) fn manifest(&self) -> &Manifest {
        match self {
            Self::Snapshot(snapshot) => snapshot.manifest(),
            Self::Directory { manifest, .. } => manifest,
        }
    }

    pub(super) fn tree(&self) -> Tree<'_> {
        let content: &dyn ContentSource = match self {
            Self::Snapshot(snapshot) => snapshot,
            Self::Directory { dir, .. } => dir,
        };
        Tree { manifest: self.manifest(), content }
    }
}

impl Source {
    /// Finds out what a word names. What is there as a path is the path; `./ab12` is never an id.
    pub(super) fn parse(word: &str) -> Result<Self, Usage> {
        let path = Path::new(word);
        if path.is_dir() {
            return Ok(Self::Directory(path.to_owned()));
        }
        let is_id = !word.is_empty() && word.len() <= 64 && word.bytes().all(|byte| byte.is_ascii_hexdigit());
        match is_id && !path.exists() {
            true => Ok(Self::Id(word.to_owned())),
            false => Err(Usage::new(format!("`{word}` is no directory, and no id of a snapshot"))
                .with_hint("`bailiwick snapshot list` names the snapshots that are kept")),
        }
    }

    /// Looks at the tree: a directory is read where it is, and goes into no store.
    pub(super) fn look(&self, store: &SnapshotStore, watch: Watch<'_>) -> Result<Seen, ExecutionError> {
        match self {
            Self::Id(id) => Ok(Seen::Snapshot(store.open(store.find(id)?)?)),
            Self::Directory(path) => {
                let dir = open_dir(path)?;
                let scan = scan_watched(&dir, &Capture::All, Bounds::default(), watch)?;
                Ok(Seen::Directory { manifest: scan.manifest, dir })
            }
        }
    }

    /// Opens the snapshot, or takes it; one that is taken is not kept.
    pub(super) fn open(&self, store: &SnapshotStore, watch: Watch<'_>) -> Result<Snapshot, ExecutionError> {
        match self {
            Self::Id(id) => Ok(store.open(store.find(id)?)?),
            Self::Directory(path) => {
                let dir = open_dir(path)?;
                let mut take = Take::default();
                (take.memory, take.watch) = (TakeMemory::Store, Some(watch));
                Ok(store.take(&dir, take)?.snapshot)
            }
        }
    }
}

/// Opens a directory that the user named.
pub(super) fn open_dir(path: &Path) -> Result<Dir, WorkspaceError> {
    Dir::open_ambient_dir(path, ambient_authority())
        .map_err(|source| WorkspaceError::Source { path: path.to_owned(), source })
}
