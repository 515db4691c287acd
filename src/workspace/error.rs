//! What can go wrong with the directories of a workspace, on the host's side.

use std::io;
use std::path::PathBuf;

use super::ArchiveError;
use super::path::PathError;
use super::snapshot::StoreError;
use crate::error::{ErrorKind, ExecutionError};

/// Trouble of the host with a workspace, its base directory or a tree inside it.
///
/// A `path` that is text is inside the workspace and escaped; a `path` that is a [`PathBuf`] is one
/// that the operator or the caller named, and never reaches a guest.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum WorkspaceError {
    /// The directory under which workspaces live cannot be used.
    #[error("the base directory {} cannot be used", path.display())]
    Base {
        /// The directory that the operator chose, or the temp directory.
        path: PathBuf,
        /// What the system said.
        #[source]
        source: io::Error,
    },
    /// Nothing below the base directory can be executed, and this runtime executes files there.
    #[error("nothing can be executed in the base directory {}: it is mounted noexec", path.display())]
    NoExec {
        /// The directory.
        path: PathBuf,
    },
    /// A size-limited memory file system could not be made or changed.
    #[error("the memory file system of a workspace could not be {operation}")]
    Memory {
        /// `made` or `resized`.
        operation: &'static str,
        /// What the system said.
        #[source]
        source: io::Error,
    },
    /// The file by which others know this owner is alive could not be made.
    #[error("no owner lock can be kept in {}", path.display())]
    Owner {
        /// The directory of the locks.
        path: PathBuf,
        /// What the system said.
        #[source]
        source: io::Error,
    },
    /// A step on a path inside the workspace failed.
    #[error("could not {operation} `{path}`")]
    Io {
        /// The step: `open`, `read`, `remove`.
        operation: &'static str,
        /// The path inside the workspace, escaped; `.` is its root.
        path: String,
        /// What the system said.
        #[source]
        source: io::Error,
    },
    /// A name breaks the rule for paths inside a workspace.
    #[error(transparent)]
    Path(#[from] PathError),
    /// A tree is larger than the caller allows.
    #[error("the tree has more than {limit} {what}")]
    TooLarge {
        /// What there is too much of: `entries`, `bytes`.
        what: &'static str,
        /// The most that was allowed.
        limit: u64,
    },
    /// A directory kept being changed while it was walked.
    #[error("`{path}` kept changing while it was walked")]
    Changing {
        /// The path inside the workspace, escaped.
        path: String,
    },
    /// What should become the workspace's content cannot be read.
    #[error("the submission {} cannot be read", path.display())]
    Source {
        /// The path that the caller named.
        path: PathBuf,
        /// What the system said.
        #[source]
        source: io::Error,
    },
    /// An archive should become the workspace's content, and cannot.
    #[error("the archive {} cannot be unpacked", path.display())]
    Archive {
        /// The path that the caller named.
        path: PathBuf,
        /// Why not.
        #[source]
        source: Box<ArchiveError>,
    },
    /// The directory to copy into cannot be used.
    #[error("the directory {} cannot be written", path.display())]
    Destination {
        /// The path that the caller named.
        path: PathBuf,
        /// What the system said.
        #[source]
        source: io::Error,
    },
    /// The directory to copy into holds something already.
    #[error("the directory {} is not empty", path.display())]
    DestinationNotEmpty {
        /// The path that the caller named.
        path: PathBuf,
    },
    /// An input file could not be put into the workspace.
    #[error("could not write the input file `{path}`")]
    Input {
        /// The path inside the workspace, escaped.
        path: String,
        /// Why not.
        #[source]
        source: Box<WorkspaceError>,
    },
    /// The content of an input file has no form in its type.
    #[cfg(feature = "files")]
    #[error(transparent)]
    Typed(#[from] super::files::FileError),
    /// The snapshot store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// Whoever watched the work asked it to stop; nothing of it is left.
    #[error("the work was stopped")]
    Stopped,
    /// Two names of a snapshot are one name on the file system that it is restored to.
    #[error("`{path}` cannot be restored beside a name that this file system takes for the same")]
    Collides {
        /// The second of them, escaped.
        path: String,
    },
    /// Some of a tree could not be removed.
    #[error("{count} entries of a workspace could not be removed, the first of them `{path}`")]
    Remove {
        /// How many.
        count: u64,
        /// The first, escaped.
        path: String,
        /// Why the first could not.
        #[source]
        source: io::Error,
    },
}

impl WorkspaceError {
    /// Names a failed step on a path inside the workspace.
    pub(crate) fn io(operation: &'static str, path: &[u8], source: impl Into<io::Error>) -> Self {
        Self::Io { operation, path: super::path::display(path), source: source.into() }
    }

    fn cause(&self) -> Option<&io::Error> {
        match self {
            Self::Base { source, .. }
            | Self::Memory { source, .. }
            | Self::Owner { source, .. }
            | Self::Io { source, .. }
            | Self::Source { source, .. }
            | Self::Destination { source, .. }
            | Self::Remove { source, .. } => Some(source),
            Self::Input { source, .. } => source.cause(),
            Self::NoExec { .. }
            | Self::Path(_)
            | Self::TooLarge { .. }
            | Self::Changing { .. }
            | Self::Archive { .. }
            | Self::Store(_)
            | Self::Stopped
            | Self::Collides { .. }
            | Self::DestinationNotEmpty { .. } => None,
            #[cfg(feature = "files")]
            Self::Typed(_) => None,
        }
    }

    fn hint(&self) -> Option<&'static str> {
        match self {
            Self::Owner { .. } => Some("choose a directory that can be written with `BAILIWICK_STATE_DIR`"),
            Self::NoExec { .. } => Some("choose a directory on a file system that allows execution with `--base-dir`"),
            Self::TooLarge { what: "bytes of names", .. } => Some("leave files out with `snapshot.ignore_globs`"),
            Self::TooLarge { .. } => Some(
                "leave files out with `snapshot.ignore_globs`; `bailiwick snapshot` takes more with `--max-entries` \
                 and `--max-bytes`, the library with `Bounds`",
            ),
            Self::DestinationNotEmpty { .. } => Some("name a directory that is new or empty"),
            Self::Archive { source, .. } => source.hint(),
            #[cfg(feature = "files")]
            Self::Typed(error) => error.hint(),
            Self::Input { source, .. } => source.hint(),
            Self::Store(error) => error.hint(),
            Self::Collides { .. } => Some("restore it to a file system that tells upper case from lower case"),
            Self::Stopped => None,
            Self::Io { source, .. } if source.kind() == io::ErrorKind::NotFound => None,
            Self::Io { operation: "open" | "read" | "list", source, .. }
                if source.kind() == io::ErrorKind::PermissionDenied =>
            {
                Some("make it readable for this user, or leave it out with `snapshot.ignore_globs`")
            }
            Self::Base { .. }
            | Self::Memory { .. }
            | Self::Io { .. }
            | Self::Path(_)
            | Self::Changing { .. }
            | Self::Source { .. }
            | Self::Destination { .. }
            | Self::Remove { .. } => self.cause().and_then(hint_for),
        }
    }
}

fn hint_for(error: &io::Error) -> Option<&'static str> {
    let is = |kinds: &[io::ErrorKind]| kinds.contains(&error.kind());
    if is(&[io::ErrorKind::StorageFull, io::ErrorKind::QuotaExceeded]) {
        Some("free some space, raise the disk limit, or choose another base directory with `--base-dir`")
    } else if is(&[io::ErrorKind::ReadOnlyFilesystem, io::ErrorKind::PermissionDenied]) {
        Some("choose a directory that can be written with `--base-dir`")
    } else if is(&[io::ErrorKind::NotFound]) {
        Some("make the directory first, or choose another one")
    } else if error.raw_os_error() == Some(rustix::io::Errno::MFILE.raw_os_error()) {
        Some("this process has too many open files: raise its limit (`ulimit -n`) or run fewer commands at once")
    } else {
        None
    }
}

impl From<WorkspaceError> for ExecutionError {
    fn from(error: WorkspaceError) -> Self {
        let kind = match error {
            WorkspaceError::Input { .. } => ErrorKind::InputFileWrite,
            #[cfg(feature = "files")]
            WorkspaceError::Typed(error) => return error.into(),
            WorkspaceError::Store(ref error) => error.kind(),
            WorkspaceError::Stopped => ErrorKind::Cancelled,
            WorkspaceError::Base { .. }
            | WorkspaceError::NoExec { .. }
            | WorkspaceError::Memory { .. }
            | WorkspaceError::Owner { .. }
            | WorkspaceError::Io { .. }
            | WorkspaceError::Path(_)
            | WorkspaceError::TooLarge { .. }
            | WorkspaceError::Changing { .. }
            | WorkspaceError::Source { .. }
            | WorkspaceError::Archive { .. }
            | WorkspaceError::Destination { .. }
            | WorkspaceError::DestinationNotEmpty { .. }
            | WorkspaceError::Collides { .. }
            | WorkspaceError::Remove { .. } => ErrorKind::Workspace,
        };
        let hint = error.hint();
        let error = ExecutionError::new(kind, error);
        match hint {
            Some(hint) => error.with_hint(hint),
            None => error,
        }
    }
}
