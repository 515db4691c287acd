//! What may stand for a snapshot on the command line: an id, how one begins, a directory, or an archive.

use std::path::{Path, PathBuf};

use cap_std::ambient_authority;
use cap_std::fs::Dir;

use super::command::{BoundArgs, store};
use crate::cli::app::App;
use crate::cli::failure::Usage;
use crate::error::ExecutionError;
use crate::runtime::RuntimeRegistry;
use crate::workspace::{
    ArchiveError, ArchiveFormat, BaseNeed, Bounds, Capture, ContentSource, Globs, Manifest, Quota, Snapshot,
    SnapshotStore, Take, TakeMemory, Tree, Watch, Workspace, WorkspaceError, scan_watched,
};

/// What a word of the command line names.
#[derive(Clone, Debug)]
pub(super) enum Source {
    /// A snapshot of the store, by its id or how it begins.
    Id(String),
    /// A directory, as it is now.
    Directory(PathBuf),
    /// An archive, by its name.
    Archive(PathBuf),
}

/// A tree that was looked at, and where its content is read from.
#[derive(Debug)]
pub(super) enum Seen {
    Snapshot(Snapshot),
    Directory { manifest: Manifest, dir: Dir },
    Unpacked { manifest: Manifest, dir: Workspace },
}

impl Seen {
    pub(super) fn manifest(&self) -> &Manifest {
        match self {
            Self::Snapshot(snapshot) => snapshot.manifest(),
            Self::Directory { manifest, .. } | Self::Unpacked { manifest, .. } => manifest,
        }
    }

    pub(super) fn tree(&self) -> Tree<'_> {
        let content: &dyn ContentSource = match self {
            Self::Snapshot(snapshot) => snapshot,
            Self::Directory { dir, .. } => dir,
            Self::Unpacked { dir, .. } => dir.dir(),
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
        if path.is_file() && ArchiveFormat::from_name(path).is_some() {
            return Ok(Self::Archive(path.to_owned()));
        }
        let is_id = !word.is_empty() && word.len() <= 64 && word.bytes().all(|byte| byte.is_ascii_hexdigit());
        match is_id && !path.exists() {
            true => Ok(Self::Id(word.to_owned())),
            false => Err(Usage::new(format!("`{word}` is no directory, no archive, and no id of a snapshot"))
                .with_hint("`bailiwick snapshot list` names the snapshots that are kept")),
        }
    }

    /// Looks at the tree: a directory is read where it is, and goes into no store.
    pub(super) fn look(&self, place: &Place, watch: Watch<'_>) -> Result<Seen, ExecutionError> {
        match self {
            Self::Id(id) => Ok(Seen::Snapshot(place.store.open(place.store.find(id)?)?)),
            Self::Archive(path) => place.unpack(path, watch),
            Self::Directory(path) => {
                let dir = open_dir(path)?;
                let scan = scan_watched(&dir, &Capture::All, place.bounds, watch)?;
                Ok(Seen::Directory { manifest: scan.manifest, dir })
            }
        }
    }

    /// Opens the snapshot, or takes it; one that is taken is not kept.
    pub(super) fn open(&self, place: &Place, watch: Watch<'_>) -> Result<Snapshot, ExecutionError> {
        let take = |dir: &Dir, memory, watch| {
            let take = Take { watch: Some(watch), memory, bounds: place.bounds, ..Take::default() };
            Ok(place.store.take(dir, take)?.snapshot)
        };
        match self {
            Self::Id(id) => Ok(place.store.open(place.store.find(id)?)?),
            Self::Directory(path) => take(&open_dir(path)?, TakeMemory::Store, watch),
            Self::Archive(path) => match place.unpack(path, &mut |progress| watch(progress))? {
                Seen::Snapshot(snapshot) => Ok(snapshot),
                Seen::Directory { dir, .. } => take(&dir, TakeMemory::None, watch),
                Seen::Unpacked { dir, .. } => take(dir.dir(), TakeMemory::None, watch),
            },
        }
    }
}

/// Where snapshots are, and where archives are unpacked for as long as they are looked at.
#[derive(Clone, Debug)]
pub(super) struct Place {
    pub(super) store: SnapshotStore,
    bounds: Bounds,
    registry: RuntimeRegistry,
}

impl Place {
    pub(super) fn of(app: &App, bounds: BoundArgs) -> anyhow::Result<Self> {
        Ok(Self { store: store(app)?, bounds: bounds.bounds(), registry: app.registry.clone() })
    }

    /// Unpacks an archive that is harmless into a directory that goes with what is given.
    #[cfg(feature = "files")]
    fn unpack(&self, path: &Path, watch: Watch<'_>) -> Result<Seen, ExecutionError> {
        use crate::workspace::{Archive, ArchiveRules};
        let refused = |error| of_archive(path, error);
        let file = std::fs::File::open(path).map_err(|source| refused(ArchiveError::Read { source }))?;
        let mut rules = ArchiveRules::snapshot();
        rules.bounds.tree = self.bounds;
        let archive = Archive::open_watched(file, rules, &mut |progress| watch(progress));
        let archive = archive.map_err(refused)?;
        let base = self.registry.base(BaseNeed::Directory)?;
        let dir = Workspace::open(&base, &self.registry.owner()?, Quota::default(), self.registry.reaper())?;
        archive.unpack_watched(dir.dir(), &Globs::default(), &mut |progress| watch(progress)).map_err(refused)?;
        // As it came out: an archive may hold what is no part of a snapshot.
        let manifest = scan_watched(dir.dir(), &Capture::All, self.bounds, watch)?.manifest;
        Ok(Seen::Unpacked { manifest, dir })
    }

    #[cfg(not(feature = "files"))]
    fn unpack(&self, path: &Path, _: Watch<'_>) -> Result<Seen, ExecutionError> {
        Err(of_archive(path, ArchiveError::Unsupported).into())
    }
}

/// Opens a directory that the user named.
pub(super) fn open_dir(path: &Path) -> Result<Dir, WorkspaceError> {
    Dir::open_ambient_dir(path, ambient_authority())
        .map_err(|source| WorkspaceError::Source { path: path.to_owned(), source })
}

/// Says which archive an error is about.
pub(super) fn of_archive(path: &Path, error: ArchiveError) -> WorkspaceError {
    if let ArchiveError::Workspace(error) = error {
        return error;
    }
    WorkspaceError::Archive { path: path.to_owned(), source: Box::new(error) }
}
