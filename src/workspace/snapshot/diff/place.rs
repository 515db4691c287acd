//! Applying a diff to a directory: first look, then remove, then make.

use std::collections::BTreeSet;
use std::os::fd::{AsFd, OwnedFd};

use cap_std::fs::Dir;
use rustix::fs::{AtFlags, Mode};
use rustix::io::Errno;

use super::super::super::at::{self, Kind};
use super::super::super::{WorkspaceError, WorkspacePath, bytes, remove, tree};
use super::super::content::{self, ContentSource};
use super::super::{Entry, EntryKind};
use super::apply::old_path;
use super::{ApplyError, FileChange, FileDiff, SnapshotDiff};

pub(super) fn apply(diff: &SnapshotDiff, dir: &Dir, content: &dyn ContentSource) -> Result<(), ApplyError> {
    for file in &diff.files {
        if !begins_with(file, dir)? {
            return Err(ApplyError::Mismatch { path: file.path.to_string() });
        }
    }
    let mut lent = lend(diff, dir)?;
    let mut gone: Vec<&FileDiff> = diff.files.iter().filter(|file| goes(file)).collect();
    // What is in a directory goes before it.
    gone.sort_by(|one, other| old_path(other).cmp(old_path(one)));
    for file in gone {
        take_away(file, dir)?;
    }
    for file in &diff.files {
        if let Some(entry) = &file.new {
            make(&file.path, entry, !goes(file) && file.old.is_some(), dir, content)?;
            if entry.kind == EntryKind::Directory {
                lent.retain(|(path, _)| path != &file.path);
                lent.push((file.path.clone(), entry.mode));
            }
        }
    }
    // What is in a directory is done before it.
    lent.sort_by(|(one, _), (other, _)| other.cmp(one));
    for (path, mode) in lent {
        match open_dir(dir, &path) {
            Ok(open) => set_mode(&open, mode, &path)?,
            Err(error) if is_away(error) => {}
            Err(error) => return Err(failed("open", &path, error).into()),
        }
    }
    Ok(())
}

fn failed(operation: &'static str, path: &WorkspacePath, error: Errno) -> WorkspaceError {
    WorkspaceError::io(operation, path.as_bytes(), error)
}

fn is_away(error: Errno) -> bool {
    matches!(error, Errno::NOENT | Errno::NOTDIR | Errno::LOOP)
}

fn open_dir(dir: &Dir, path: &WorkspacePath) -> Result<OwnedFd, Errno> {
    let parent = tree::parent_of(dir.as_fd(), path)?;
    at::open_dir(parent.as_fd(), &tree::c_name(path))
}

fn set_mode(open: &OwnedFd, mode: u32, path: &WorkspacePath) -> Result<(), WorkspaceError> {
    rustix::fs::fchmod(open, Mode::from_raw_mode(mode)).map_err(|e| failed("restore", path, e))
}

/// Says whether what was there is removed, and not only changed where it is.
fn goes(file: &FileDiff) -> bool {
    match file.change {
        FileChange::Deleted | FileChange::TypeChanged | FileChange::Renamed { .. } | FileChange::Modified => true,
        FileChange::Created | FileChange::ModeChanged => false,
    }
}

/// Looks whether the directory holds what a change begins with.
fn begins_with(file: &FileDiff, dir: &Dir) -> Result<bool, WorkspaceError> {
    let path = old_path(file);
    let is_renamed = path != &file.path;
    let there = meta(dir, path)?;
    let (Some(old), Some(there)) = (&file.old, there) else { return Ok(file.old.is_none() && there.is_none()) };
    if is_renamed && meta(dir, &file.path)?.is_some() {
        return Ok(false);
    }
    let has_mode = there.mode == old.mode;
    Ok(match (&old.kind, there.kind) {
        (EntryKind::File { size, hash }, Kind::File) => {
            let read = content::each_piece(dir, path, *size, hash, &mut |_| Ok(()));
            match read {
                Ok(()) => has_mode && there.size == *size,
                Err(WorkspaceError::Changing { .. }) => false,
                Err(error) => return Err(error),
            }
        }
        (EntryKind::Symlink { target }, Kind::Symlink) => {
            let parent = tree::parent_of(dir.as_fd(), path).map_err(|e| failed("open", path, e))?;
            at::read_link(parent.as_fd(), &tree::c_name(path)).is_ok_and(|found| found == *target)
        }
        (EntryKind::Directory, Kind::Directory) => has_mode,
        (EntryKind::Special, Kind::Special) => true,
        (EntryKind::File { .. } | EntryKind::Symlink { .. } | EntryKind::Directory | EntryKind::Special, _) => false,
    })
}

fn meta(dir: &Dir, path: &WorkspacePath) -> Result<Option<at::Meta>, WorkspaceError> {
    let found = tree::parent_of(dir.as_fd(), path).and_then(|parent| at::meta_at(parent.as_fd(), &tree::c_name(path)));
    match found {
        Ok(meta) => Ok(Some(meta)),
        Err(error) if is_away(error) => Ok(None),
        Err(error) => Err(failed("look at", path, error)),
    }
}

/// Lends the owner its rights on the directories that something is removed from or made in; gives what they had.
fn lend(diff: &SnapshotDiff, dir: &Dir) -> Result<Vec<(WorkspacePath, u32)>, WorkspaceError> {
    let mut above = BTreeSet::new();
    for file in &diff.files {
        for path in [&file.path, old_path(file)] {
            let mut parent = path.parent();
            while let Some(path) = parent.filter(|path| !above.contains(path)) {
                parent = path.parent();
                above.insert(path);
            }
        }
    }
    let mut lent = Vec::new();
    for path in above {
        let Some(meta) = meta(dir, &path)? else { continue };
        if meta.kind == Kind::Directory && meta.mode & 0o700 != 0o700 {
            let parent = tree::parent_of(dir.as_fd(), &path).map_err(|e| failed("open", &path, e))?;
            at::open_forced(parent.as_fd(), &tree::c_name(&path), 0o700).map_err(|e| failed("open", &path, e))?;
            lent.push((path, meta.mode));
        }
    }
    Ok(lent)
}

fn take_away(file: &FileDiff, dir: &Dir) -> Result<(), WorkspaceError> {
    let path = old_path(file);
    let parent = tree::parent_of(dir.as_fd(), path).map_err(|e| failed("open", path, e))?;
    let name = tree::c_name(path);
    let is_directory = file.old.as_ref().is_some_and(|old| old.kind == EntryKind::Directory);
    if is_directory && file.change == FileChange::Deleted {
        return match rustix::fs::unlinkat(&parent, &name, AtFlags::REMOVEDIR) {
            // It holds what the snapshots leave out.
            Ok(()) | Err(Errno::NOTEMPTY) => Ok(()),
            Err(error) => Err(failed("remove", path, error)),
        };
    }
    remove::remove(parent.as_fd(), &name)
}

fn make(
    path: &WorkspacePath,
    entry: &Entry,
    is_there: bool,
    dir: &Dir,
    content: &dyn ContentSource,
) -> Result<(), WorkspaceError> {
    let parent = tree::parent_of(dir.as_fd(), path).map_err(|e| failed("open", path, e))?;
    let (parent, name) = (parent.as_fd(), tree::c_name(path));
    match &entry.kind {
        // Its permissions come last of all: what is in it has to be made first.
        EntryKind::Directory => at::make_dir(parent, &name, 0o700).map(drop).map_err(|e| failed("make", path, e)),
        EntryKind::File { .. } if is_there => {
            let (file, _) = at::open_forced(parent, &name, 0).map_err(|e| failed("open", path, e))?;
            set_mode(&file, entry.mode, path)
        }
        EntryKind::File { size, hash } => {
            let file = at::create_file(parent, &name).map_err(|e| failed("make", path, e))?;
            let mut at = 0;
            content::each_piece(content, path, *size, hash, &mut |piece| {
                bytes::write_all_at(&file, piece, at).map_err(|e| WorkspaceError::io("write", path.as_bytes(), e))?;
                at += piece.len() as u64;
                Ok(())
            })?;
            set_mode(&file, entry.mode, path)
        }
        EntryKind::Symlink { target } => {
            rustix::fs::symlinkat(target.as_slice(), parent, &name).map_err(|e| failed("make", path, e))
        }
        EntryKind::Special => Ok(()),
    }
}
