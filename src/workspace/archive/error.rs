//! What can be wrong with an archive, and what can go wrong with one.

use std::io;
use std::path::Path;

use super::super::WorkspaceError;
use crate::error::{ErrorKind, ExecutionError};

/// An archive could not be read, unpacked or written.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ArchiveError {
    /// The bytes are not those of an archive.
    #[error("it is no archive")]
    NotAnArchive,
    /// The format can only be read.
    #[error("{format} archives are not written")]
    NotWritten {
        /// The format's name.
        format: &'static str,
    },
    /// This build reads no archives.
    #[error("this build cannot read archives")]
    Unsupported,
    /// The archive holds something that nobody may unpack.
    #[error("its member `{member}` {problem}")]
    Refused {
        /// The member, escaped.
        member: String,
        /// What is wrong with it, as the end of a sentence.
        problem: &'static str,
    },
    /// The archive contradicts itself or ends too early.
    #[error("it is damaged: {problem}")]
    Damaged {
        /// What is wrong.
        problem: String,
    },
    /// The archive holds more than is allowed.
    #[error("it holds more than {limit} {what}")]
    TooLarge {
        /// What there is too much of.
        what: &'static str,
        /// The most that was allowed.
        limit: u64,
    },
    /// Reading the archive took too long.
    #[error("reading it took more than {seconds} seconds")]
    TooSlow {
        /// The most that was allowed.
        seconds: u64,
    },
    /// The archive was changed between the look at it and its unpacking. What was unpacked by then is there.
    #[error("it was changed while it was read")]
    Changed,
    /// The host cannot read the archive.
    #[error("it cannot be read")]
    Read {
        /// What the system said.
        #[source]
        source: io::Error,
    },
    /// The host cannot write the archive.
    #[error("it cannot be written")]
    Write {
        /// What the system said.
        #[source]
        source: io::Error,
    },
    /// The tree cannot be read or written.
    #[error(transparent)]
    Workspace(#[from] WorkspaceError),
}

impl ArchiveError {
    /// Says whether the archive itself is to blame, and not the host: whoever made it made it so.
    pub fn is_fault_of_archive(&self) -> bool {
        match self {
            Self::NotAnArchive
            | Self::Refused { .. }
            | Self::Damaged { .. }
            | Self::TooLarge { .. }
            | Self::TooSlow { .. } => true,
            Self::NotWritten { .. }
            | Self::Unsupported
            | Self::Changed
            | Self::Read { .. }
            | Self::Write { .. }
            | Self::Workspace(_) => false,
        }
    }

    /// Names the file that the archive is.
    pub(crate) fn of(self, path: &Path) -> WorkspaceError {
        if let Self::Workspace(error) = self {
            return error;
        }
        WorkspaceError::Archive { path: path.to_owned(), source: Box::new(self) }
    }

    pub(crate) fn hint(&self) -> Option<&'static str> {
        match self {
            Self::NotAnArchive => Some("known: tar, tar.gz, tar.bz2, tar.xz, tar.zst, zip"),
            Self::NotWritten { .. } => Some("written are tar, tar.gz, tar.bz2, tar.xz, tar.zst"),
            Self::Unsupported => Some("unpack it, and give the directory"),
            Self::Refused { .. } => Some("nothing was unpacked; pack it again without that member"),
            Self::Damaged { .. } => Some("nothing was unpacked; pack it again"),
            Self::TooLarge { .. } | Self::TooSlow { .. } => Some("nothing was unpacked; pack less"),
            Self::Changed | Self::Read { .. } | Self::Write { .. } | Self::Workspace(_) => None,
        }
    }
}

impl From<ArchiveError> for ExecutionError {
    fn from(error: ArchiveError) -> Self {
        let hint = error.hint();
        if let ArchiveError::Workspace(error) = error {
            return error.into();
        }
        let error = ExecutionError::new(ErrorKind::Workspace, error);
        match hint {
            Some(hint) => error.with_hint(hint),
            None => error,
        }
    }
}
