//! What can go wrong with a snapshot store.

use std::io;
use std::path::PathBuf;

use crate::error::{ErrorKind, ExecutionError};

/// Trouble of the host with a snapshot store.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum StoreError {
    /// A step on a file of the store failed.
    #[error("could not {operation} {} in the snapshot store", path.display())]
    Io {
        /// The step: `open`, `write`, `lock`.
        operation: &'static str,
        /// The file or directory.
        path: PathBuf,
        /// What the system said.
        #[source]
        source: io::Error,
    },
    /// A later version made the store.
    #[error("the snapshot store {} has the layout {found}, and this bailiwick knows {known}", path.display())]
    Newer {
        /// The store.
        path: PathBuf,
        /// The layout's version.
        found: u64,
        /// The newest version that is known here.
        known: u64,
    },
    /// The directory holds something else.
    #[error("{} is no snapshot store, and not empty", path.display())]
    NotAStore {
        /// The directory.
        path: PathBuf,
    },
    /// Something in the store is not what its name says.
    #[error("the {what} {name} of the snapshot store {problem}")]
    Corrupt {
        /// What it is: `blob`, `pack`, `index`, `manifest`.
        what: &'static str,
        /// Its name.
        name: String,
        /// What is wrong with it, as the end of a sentence.
        problem: &'static str,
    },
    /// No snapshot of that id is there.
    #[error("no snapshot {id} is in the store")]
    Unknown {
        /// The id, or how it begins.
        id: String,
    },
    /// More than one snapshot is meant.
    #[error("{count} snapshots begin with {prefix}")]
    Ambiguous {
        /// How their ids begin.
        prefix: String,
        /// How many there are.
        count: usize,
    },
    /// A store in memory is full.
    #[error("the snapshots in memory take more than {limit} bytes")]
    MemoryFull {
        /// The most that they may take.
        limit: u64,
    },
    /// Others kept using the store.
    #[error("the snapshot store {} stayed in use", path.display())]
    InUse {
        /// The store.
        path: PathBuf,
    },
}

impl StoreError {
    pub(super) fn io(operation: &'static str, path: PathBuf, source: impl Into<io::Error>) -> Self {
        Self::Io { operation, path, source: source.into() }
    }

    pub(crate) fn blob(hash: &[u8; 32], problem: &'static str) -> Self {
        let name = blake3::Hash::from_bytes(*hash).to_hex().to_string();
        Self::Corrupt { what: "blob", name, problem }
    }

    /// Gives the kind of the error under which callers see it.
    pub(crate) fn kind(&self) -> ErrorKind {
        match self {
            Self::Newer { .. } | Self::Unknown { .. } | Self::Ambiguous { .. } => ErrorKind::Unavailable,
            Self::InUse { .. } => ErrorKind::Busy,
            Self::Io { .. } | Self::NotAStore { .. } | Self::Corrupt { .. } | Self::MemoryFull { .. } => {
                ErrorKind::Workspace
            }
        }
    }

    /// Gives what helps.
    pub(crate) fn hint(&self) -> Option<&'static str> {
        match self {
            Self::Io { source, .. } => hint_for(source.kind()),
            Self::Newer { .. } => Some("use the version of bailiwick that made it, or another BAILIWICK_DATA_DIR"),
            Self::NotAStore { .. } => Some("empty the directory, or name another one with BAILIWICK_DATA_DIR"),
            Self::Corrupt { .. } => Some(
                "nothing was restored from it; remove the snapshots that need it, run `bailiwick gc`, take them again",
            ),
            Self::Unknown { .. } => Some("`bailiwick snapshot list` names those that are kept"),
            Self::Ambiguous { .. } => Some("give more digits of the id"),
            Self::MemoryFull { .. } => Some("give the host a data directory: snapshots then go to disk"),
            Self::InUse { .. } => Some("try again when less is going on"),
        }
    }
}

fn hint_for(kind: io::ErrorKind) -> Option<&'static str> {
    let is = |kinds: &[io::ErrorKind]| kinds.contains(&kind);
    if is(&[io::ErrorKind::StorageFull, io::ErrorKind::QuotaExceeded]) {
        Some("free some space; `bailiwick snapshot remove` and `bailiwick gc` give back what snapshots take")
    } else if is(&[io::ErrorKind::PermissionDenied, io::ErrorKind::ReadOnlyFilesystem]) {
        Some("name a directory that can be written with BAILIWICK_DATA_DIR")
    } else {
        None
    }
}

impl From<StoreError> for ExecutionError {
    fn from(error: StoreError) -> Self {
        let (kind, hint) = (error.kind(), error.hint());
        let error = Self::new(kind, error);
        match hint {
            Some(hint) => error.with_hint(hint),
            None => error,
        }
    }
}
