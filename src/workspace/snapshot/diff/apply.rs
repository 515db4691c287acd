//! Turning the one tree into the other.

use cap_std::fs::Dir;

use super::super::super::WorkspaceError;
use super::super::content::ContentSource;
use super::super::{Entry, EntryKind, Manifest};
use super::{FileChange, FileDiff, SnapshotDiff, place};
use crate::error::{ErrorKind, ExecutionError};

/// A diff could not be applied.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ApplyError {
    /// The tree is not the one that the diff begins with.
    #[error("`{path}` is not what the diff begins with")]
    Mismatch {
        /// The first path that differs, escaped; `.` when only the whole does.
        path: String,
    },
    /// The tree cannot be read or written.
    #[error(transparent)]
    Workspace(#[from] WorkspaceError),
}

impl From<ApplyError> for ExecutionError {
    fn from(error: ApplyError) -> Self {
        match error {
            ApplyError::Workspace(error) => error.into(),
            ApplyError::Mismatch { .. } => ExecutionError::new(ErrorKind::Workspace, error),
        }
    }
}

impl SnapshotDiff {
    /// Gives the manifest after, made of the manifest before. What bounds left out of the text does not matter.
    ///
    /// # Errors
    ///
    /// When the manifest is not the one that the diff begins with, or the diff does not lead where it says.
    pub fn apply(&self, before: &Manifest) -> Result<Manifest, ApplyError> {
        let mismatch = |path: String| Err(ApplyError::Mismatch { path });
        if let Some(file) = self.files.iter().find(|file| !begins_with(file, before)) {
            return mismatch(file.path.to_string());
        }
        if before.id() != self.from {
            return mismatch(".".to_owned());
        }
        let mut after = before.clone();
        for file in &self.files {
            after.remove(old_path(file));
        }
        for file in &self.files {
            if let Some(entry) = &file.new {
                after.insert(file.path.clone(), entry.clone());
            }
        }
        if after.id() == self.to { Ok(after) } else { mismatch(".".to_owned()) }
    }

    /// Makes a directory that holds the tree before hold the tree after. What the diff does not name stays as it is.
    ///
    /// The content of files that came is read from `content`. Specials are not made. Nothing may run in the tree
    /// meanwhile.
    ///
    /// # Errors
    ///
    /// When something that the diff names is not what it begins with: then nothing was written. When something
    /// cannot be read or written: then the tree is between the two.
    pub fn apply_to(&self, dir: &Dir, content: &dyn ContentSource) -> Result<(), ApplyError> {
        place::apply(self, dir, content)
    }
}

/// Gives the path at which a change begins.
pub(super) fn old_path(file: &FileDiff) -> &super::super::super::WorkspacePath {
    match &file.change {
        FileChange::Renamed { from } => from,
        FileChange::Created
        | FileChange::Deleted
        | FileChange::Modified
        | FileChange::ModeChanged
        | FileChange::TypeChanged => &file.path,
    }
}

fn begins_with(file: &FileDiff, before: &Manifest) -> bool {
    let is_free = || before.get(&file.path).is_none();
    match (&file.old, before.get(old_path(file))) {
        (Some(old), Some(there)) => is_same(old, there) && (old_path(file) == &file.path || is_free()),
        (None, there) => there.is_none(),
        (Some(_), None) => false,
    }
}

/// Says whether two entries are alike but for their times.
pub(super) fn is_same(one: &Entry, other: &Entry) -> bool {
    one.kind == other.kind && (one.mode == other.mode || one.kind == EntryKind::Special)
}
