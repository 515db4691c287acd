//! What became of one path.

use super::super::super::WorkspacePath;
use super::super::{Entry, EntryKind};

/// One path that is not what it was.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct FileDiff {
    /// The path, of a renamed file the new one.
    pub path: WorkspacePath,
    /// What became of it.
    pub change: FileChange,
    /// What it was, of a renamed file what it was at the old path; `None` when it was not there.
    pub old: Option<Entry>,
    /// What it is now; `None` when it is not there any more.
    pub new: Option<Entry>,
    /// What can be shown of it.
    pub body: DiffBody,
}

/// What became of a path. Permissions may have changed beside each of these.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum FileChange {
    /// It was not there.
    Created,
    /// It is not there any more.
    Deleted,
    /// It holds something else.
    Modified,
    /// It holds the same, under other permissions.
    ModeChanged,
    /// It is something else: a link where a file was.
    TypeChanged,
    /// A file that holds exactly what another held that is gone.
    Renamed {
        /// Where it was.
        from: WorkspacePath,
    },
}

impl FileChange {
    /// Gives the name used in JSON.
    pub fn name(&self) -> &'static str {
        match self {
            Self::Created => "created",
            Self::Deleted => "deleted",
            Self::Modified => "modified",
            Self::ModeChanged => "mode_changed",
            Self::TypeChanged => "type_changed",
            Self::Renamed { .. } => "renamed",
        }
    }
}

/// What can be shown of a change.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum DiffBody {
    /// There is nothing to show: the content is the same, or there is none, as of directories.
    Nothing,
    /// The lines that changed.
    Text(TextDiff),
    /// At least one side is not text: sizes and hashes say what it is.
    Binary,
    /// It was not compared.
    Omitted(Omission),
    /// What was there is gone and something of another type came, each with what can be shown of it.
    Replaced {
        /// What was there.
        old: Box<DiffBody>,
        /// What came.
        new: Box<DiffBody>,
    },
}

/// The lines that changed in one file or link.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct TextDiff {
    /// Hunks with three lines of context, as `diff -u` and `git diff` write them, from the first `@@` on; in the
    /// encoding of the file. Empty for a file that is empty on both sides.
    pub hunks: Vec<u8>,
    /// Lines that came, counted as lines, whatever they begin with.
    pub added: u64,
    /// Lines that went.
    pub removed: u64,
}

/// Why the lines of a change are not there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Omission {
    /// A side is larger than [`DiffBounds::file_bytes`](super::DiffBounds::file_bytes).
    TooLarge,
    /// The diff has [`DiffBounds::text_bytes`](super::DiffBounds::text_bytes) of text already.
    TooMuch,
    /// [`DiffBounds::time`](super::DiffBounds::time) was over.
    OutOfTime,
    /// It changed after the manifest was taken.
    Changed,
}

impl Omission {
    /// All of them.
    pub(super) const ALL: [Self; 4] = [Self::TooLarge, Self::TooMuch, Self::OutOfTime, Self::Changed];

    /// Gives the name used in JSON.
    pub fn name(self) -> &'static str {
        match self {
            Self::TooLarge => "too_large",
            Self::TooMuch => "too_much",
            Self::OutOfTime => "out_of_time",
            Self::Changed => "changed",
        }
    }
}

/// How much changed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct DiffStats {
    /// Paths that came.
    pub created: u64,
    /// Paths that went.
    pub deleted: u64,
    /// Paths that hold something else.
    pub modified: u64,
    /// Files that moved.
    pub renamed: u64,
    /// Paths with other permissions and nothing else.
    pub mode_changed: u64,
    /// Paths that are something else.
    pub type_changed: u64,
    /// Lines that came, as far as lines were compared.
    pub lines_added: u64,
    /// Lines that went, as far as lines were compared.
    pub lines_removed: u64,
}

impl DiffBody {
    /// Counts the lines that came and those that went.
    pub fn lines(&self) -> (u64, u64) {
        match self {
            Self::Text(text) => (text.added, text.removed),
            Self::Replaced { old, new } => (new.lines().0, old.lines().1),
            Self::Nothing | Self::Binary | Self::Omitted(_) => (0, 0),
        }
    }

    /// Says whether a side is known to be no text.
    pub fn is_binary(&self) -> bool {
        match self {
            Self::Binary => true,
            Self::Replaced { old, new } => old.is_binary() || new.is_binary(),
            Self::Nothing | Self::Text(_) | Self::Omitted(_) => false,
        }
    }

    /// Says why lines are missing, if some are.
    pub fn omission(&self) -> Option<Omission> {
        match self {
            Self::Omitted(why) => Some(*why),
            Self::Replaced { old, new } => old.omission().or_else(|| new.omission()),
            Self::Nothing | Self::Text(_) | Self::Binary => None,
        }
    }
}

/// Says whether two entries are of one type.
pub(super) fn same_type(one: &EntryKind, other: &EntryKind) -> bool {
    std::mem::discriminant(one) == std::mem::discriminant(other)
}
