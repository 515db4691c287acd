//! How a tree is copied, how much of it, and what came of it.

use std::fmt;

use super::walk::Seen;
use super::{Globs, WorkspaceError};

/// How much a walk over a tree may find.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Bounds {
    /// The most entries of every kind. Default: 1,000,000.
    pub entries: u64,
    /// The most bytes of all files, holes counted. Default: 64 GiB.
    pub bytes: u64,
}

impl Default for Bounds {
    fn default() -> Self {
        Self { entries: 1_000_000, bytes: 64 << 30 }
    }
}

/// What permissions copies get. Set-user-id, set-group-id and sticky bits are never copied.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Modes {
    /// Those of the original.
    Exact,
    /// Those of the original, and the owner may read and write.
    OwnerWritable,
    /// Read by all, written by nobody: 0444, with the execute bits of an original that has one 0555; directories 0555.
    ReadOnly,
}

impl Modes {
    /// Gives the permissions of the copy of what has these.
    pub(crate) fn of(self, mode: u32, is_directory: bool) -> u32 {
        match self {
            Self::Exact => mode,
            Self::OwnerWritable if is_directory => mode | 0o700,
            Self::OwnerWritable => mode | 0o600,
            Self::ReadOnly if is_directory || mode & 0o111 != 0 => 0o555,
            Self::ReadOnly => 0o444,
        }
    }
}

/// What modification times copies get.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Times {
    /// Those of the original.
    Keep,
    /// The time of the copy.
    Fresh,
}

/// What a copy did so far, and in the end.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct CopyReport {
    /// Regular files copied; hard links to one file are as many files.
    pub files: u64,
    /// Directories made, or merged into.
    pub directories: u64,
    /// Symbolic links copied as links.
    pub links: u64,
    /// Bytes of all files copied.
    pub bytes: u64,
    /// Entries left out by a glob; a directory counts once.
    pub ignored: u64,
    /// FIFOs, sockets and devices left out.
    pub specials: u64,
    /// Directories left out because another file system is mounted there.
    pub mounts: u64,
}

/// Looks at an entry before it is copied.
pub(crate) type Check<'a> = dyn FnMut(Seen<'_>) -> Result<(), WorkspaceError> + 'a;

/// How a tree is copied.
pub(crate) struct CopyOptions<'a> {
    pub(crate) bounds: Bounds,
    pub(crate) modes: Modes,
    pub(crate) times: Times,
    /// What is left out; beats `keep`.
    pub(crate) ignore: Option<&'a Globs>,
    /// The only files that are copied. Directories are copied all the same.
    pub(crate) keep: Option<&'a Globs>,
    /// Asked before every entry, directories too; an error ends the copy.
    pub(crate) check: Option<&'a mut Check<'a>>,
    /// Told after every entry.
    pub(crate) progress: Option<&'a mut dyn FnMut(&CopyReport)>,
}

impl CopyOptions<'_> {
    pub(crate) fn new(modes: Modes, times: Times) -> Self {
        Self { bounds: Bounds::default(), modes, times, ignore: None, keep: None, check: None, progress: None }
    }
}

impl fmt::Debug for CopyOptions<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("CopyOptions")
            .field("bounds", &self.bounds)
            .field("modes", &self.modes)
            .field("times", &self.times)
            .field("ignore", &self.ignore)
            .field("keep", &self.keep)
            .finish_non_exhaustive()
    }
}
