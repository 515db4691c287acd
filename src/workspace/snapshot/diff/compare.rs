//! Comparing two trees.

use std::time::SystemTime;

use super::super::super::{WorkspaceError, WorkspacePath};
use super::super::content::{self, ContentSource};
use super::super::{Change, ChangeKind, Changes, Entry, EntryKind, Manifest, SnapshotId, Watch};
use super::bounds::{Budget, Halt};
use super::file::same_type;
use super::{DiffBody, DiffBounds, DiffStats, FileChange, FileDiff, Omission, lines};

/// A tree to compare: what it holds, and where its content is read from.
#[derive(Clone, Copy)]
pub struct Tree<'a> {
    /// What it holds.
    pub manifest: &'a Manifest,
    /// Where the content of its files is.
    pub content: &'a dyn ContentSource,
}

/// What became of a tree between two snapshots, in the order of the paths' bytes.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct SnapshotDiff {
    /// The snapshot before.
    pub from: SnapshotId,
    /// The snapshot after.
    pub to: SnapshotId,
    /// When the snapshot before was taken, where the caller says so.
    pub from_time: Option<SystemTime>,
    /// When the snapshot after was taken, where the caller says so.
    pub to_time: Option<SystemTime>,
    /// Every path that is not what it was; each path once.
    pub files: Vec<FileDiff>,
}

impl SnapshotDiff {
    /// Compares two trees.
    ///
    /// A file that is gone and one that is new with the same content, not empty, are one renaming. Only files whose
    /// hashes differ are read, and no more of them than the bounds allow.
    ///
    /// # Errors
    ///
    /// When the content of a file cannot be read. One that changed since its manifest was taken is no error.
    pub fn between(old: Tree<'_>, new: Tree<'_>, bounds: DiffBounds) -> Result<Self, WorkspaceError> {
        Self::within(old, new, Budget::new(bounds, None))
    }

    /// Does the same as [`between`](Self::between) for one who watches, and may stop it.
    #[cfg_attr(not(feature = "cli"), expect(dead_code, reason = "who watches is the command"))]
    pub(crate) fn between_watched(
        old: Tree<'_>,
        new: Tree<'_>,
        bounds: DiffBounds,
        watch: Watch<'_>,
    ) -> Result<Self, WorkspaceError> {
        Self::within(old, new, Budget::new(bounds, Some(watch)))
    }

    fn within(old: Tree<'_>, new: Tree<'_>, budget: Budget<'_>) -> Result<Self, WorkspaceError> {
        let changes = Changes::between(old.manifest, new.manifest, usize::MAX);
        let mut comparer = Comparer { old, new, budget };
        let files = changes.list.into_iter().map(|change| comparer.file(change)).collect::<Result<_, _>>()?;
        Ok(Self { from: old.manifest.id(), to: new.manifest.id(), from_time: None, to_time: None, files })
    }

    /// Says whether nothing changed.
    pub fn is_empty(&self) -> bool {
        self.files.is_empty()
    }

    /// Counts what changed.
    pub fn stats(&self) -> DiffStats {
        let mut stats = DiffStats::default();
        for file in &self.files {
            let counter = match file.change {
                FileChange::Created => &mut stats.created,
                FileChange::Deleted => &mut stats.deleted,
                FileChange::Modified => &mut stats.modified,
                FileChange::ModeChanged => &mut stats.mode_changed,
                FileChange::TypeChanged => &mut stats.type_changed,
                FileChange::Renamed { .. } => &mut stats.renamed,
            };
            *counter += 1;
            let (added, removed) = file.body.lines();
            stats.lines_added += added;
            stats.lines_removed += removed;
        }
        stats
    }
}

struct Comparer<'a, 'w> {
    old: Tree<'a>,
    new: Tree<'a>,
    budget: Budget<'w>,
}

/// One side of a comparison: nothing, bytes, what is known to be no text, or what has no content.
enum Side {
    Nothing,
    Text(Vec<u8>),
    Binary,
}

impl Comparer<'_, '_> {
    fn file(&mut self, change: Change) -> Result<FileDiff, WorkspaceError> {
        let Change { path, kind, .. } = change;
        let old = match &kind {
            ChangeKind::Renamed { from } => self.old.manifest.get(from),
            ChangeKind::Created | ChangeKind::Deleted | ChangeKind::Modified | ChangeKind::ModeChanged => {
                self.old.manifest.get(&path)
            }
        };
        let timeless = |entry: &Entry| Entry { modified: None, ..entry.clone() };
        let (old, new) = (old.map(timeless), self.new.manifest.get(&path).map(timeless));
        let change = match kind {
            ChangeKind::Created => FileChange::Created,
            ChangeKind::Deleted => FileChange::Deleted,
            ChangeKind::ModeChanged => FileChange::ModeChanged,
            ChangeKind::Renamed { from } => FileChange::Renamed { from },
            ChangeKind::Modified => match (&old, &new) {
                (Some(old), Some(new)) if !same_type(&old.kind, &new.kind) => FileChange::TypeChanged,
                _ => FileChange::Modified,
            },
        };
        let body = match change {
            FileChange::ModeChanged | FileChange::Renamed { .. } => DiffBody::Nothing,
            FileChange::TypeChanged => DiffBody::Replaced {
                old: Box::new(self.body(&path, old.as_ref(), None)?),
                new: Box::new(self.body(&path, None, new.as_ref())?),
            },
            FileChange::Created | FileChange::Deleted | FileChange::Modified => {
                self.body(&path, old.as_ref(), new.as_ref())?
            }
        };
        Ok(FileDiff { path, change, old, new, body })
    }

    fn body(
        &mut self,
        path: &WorkspacePath,
        old: Option<&Entry>,
        new: Option<&Entry>,
    ) -> Result<DiffBody, WorkspaceError> {
        if ![old, new].into_iter().flatten().any(has_content) {
            return Ok(DiffBody::Nothing);
        }
        let size = |entry: Option<&Entry>| entry.and_then(Entry::size).unwrap_or(0);
        let bytes_to_read = size(old).saturating_add(size(new));
        self.budget.begin(bytes_to_read).map_err(|_| WorkspaceError::Stopped)?;
        if let Some(why) = self.budget.refuses(size(old), size(new)) {
            return Ok(DiffBody::Omitted(why));
        }
        let sides = side(self.old.content, path, old).and_then(|old| Ok((old, side(self.new.content, path, new)?)));
        let (old, new) = match sides {
            Ok((Side::Binary, _) | (_, Side::Binary)) => return Ok(DiffBody::Binary),
            Ok((old, new)) => (bytes(old), bytes(new)),
            Err(WorkspaceError::Changing { .. }) => return Ok(DiffBody::Omitted(Omission::Changed)),
            Err(error) => return Err(error),
        };
        match lines::compare(&old, &new, &mut || self.budget.go_on()) {
            Ok(text) if self.budget.take(text.hunks.len()) => Ok(DiffBody::Text(text)),
            Ok(_) => Ok(DiffBody::Omitted(Omission::TooMuch)),
            Err(Halt::OutOfTime) => Ok(DiffBody::Omitted(Omission::OutOfTime)),
            Err(Halt::Stopped) => Err(WorkspaceError::Stopped),
        }
    }
}

/// Says whether an entry has content that lines can show.
fn has_content(entry: &Entry) -> bool {
    match entry.kind {
        EntryKind::File { .. } | EntryKind::Symlink { .. } => true,
        EntryKind::Directory | EntryKind::Special => false,
    }
}

fn side(content: &dyn ContentSource, path: &WorkspacePath, entry: Option<&Entry>) -> Result<Side, WorkspaceError> {
    let bytes = match entry.map(|entry| &entry.kind) {
        Some(EntryKind::File { size, hash }) => content::read_whole(content, path, *size, hash)?,
        // A target is what a patch writes for a link, whatever it holds.
        Some(EntryKind::Symlink { target }) => return Ok(Side::Text(target.clone())),
        Some(EntryKind::Directory | EntryKind::Special) | None => return Ok(Side::Nothing),
    };
    Ok(if lines::is_text(&bytes) { Side::Text(bytes) } else { Side::Binary })
}

fn bytes(side: Side) -> Vec<u8> {
    match side {
        Side::Text(bytes) => bytes,
        Side::Nothing | Side::Binary => Vec::new(),
    }
}

impl std::fmt::Debug for Tree<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Tree").field("manifest", self.manifest).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use std::ops::ControlFlow;

    use super::super::super::super::Bounds;
    use super::super::super::{Capture, scan};
    use super::*;
    use cap_std::ambient_authority;
    use cap_std::fs::Dir;

    /// A tree of one file of many different lines, and one of a few.
    fn tree(line: &str) -> (tempfile::TempDir, Dir, Manifest) {
        let temp = tempfile::tempdir().unwrap();
        let dir = Dir::open_ambient_dir(temp.path(), ambient_authority()).unwrap();
        let lines = |count: u32| (0..count).map(|at| format!("{line}{at}\n")).collect::<String>();
        dir.write("few", lines(3)).unwrap();
        dir.write("many", lines(20_000)).unwrap();
        let manifest = scan(&dir, &Capture::All, None, Bounds::default()).unwrap().manifest;
        (temp, dir, manifest)
    }

    #[test]
    fn whoever_watches_stops_it_at_any_time() {
        let ((_old, old_dir, old), (_new, new_dir, new)) = (tree("a"), tree("b"));
        let between = |most: u64| {
            let (mut asked, mut seen) = (0, 0);
            let diff = SnapshotDiff::between_watched(
                Tree { manifest: &old, content: &old_dir },
                Tree { manifest: &new, content: &new_dir },
                DiffBounds::default(),
                &mut |progress| {
                    (asked, seen) = (asked + 1, progress.entries);
                    if asked > most { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
                },
            );
            (diff, asked, seen)
        };
        let (diff, asks, seen) = between(u64::MAX);
        assert_eq!((diff.unwrap().files.len(), seen), (2, 2));
        // Within the long file too, and not only between two of them.
        assert!(asks > 2, "asked {asks} times");
        for most in 0..asks {
            let (diff, asked, _) = between(most);
            assert!(matches!(diff, Err(WorkspaceError::Stopped)), "{most} of {asks}: {diff:?}");
            assert_eq!(asked, most + 1);
        }
    }
}
