//! What may go wrong with the catalogue.

use std::path::PathBuf;

use crate::error::{ErrorKind, ExecutionError};

/// What may go wrong with the catalogue.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum CatalogueError {
    /// The host has no data directory.
    #[error("this host has no data directory for programs")]
    NoDirectory,
    /// The name is not one that a command could use.
    #[error("`{name}` cannot be the name of a program")]
    BadName {
        /// The name.
        name: String,
    },
    /// The version is not one that a directory could have.
    #[error("`{version}` cannot be the version of a program")]
    BadVersion {
        /// The version.
        version: String,
    },
    /// There is no such program.
    #[error("no program is called `{name}`")]
    Unknown {
        /// The name.
        name: String,
    },
    /// The file is no module.
    #[error("`{path}` is not a WebAssembly module")]
    NotAModule {
        /// The file.
        path: PathBuf,
    },
    /// A file could not be read or written.
    #[error("{action} `{path}`")]
    Io {
        /// What was being done.
        action: &'static str,
        /// The file.
        path: PathBuf,
        /// What the system said.
        #[source]
        source: std::io::Error,
    },
}

impl From<CatalogueError> for ExecutionError {
    fn from(error: CatalogueError) -> Self {
        let hint = match &error {
            CatalogueError::NoDirectory => Some("set `BAILIWICK_DATA_DIR` or `HOME`"),
            CatalogueError::BadName { .. } | CatalogueError::BadVersion { .. } => {
                Some("use letters, digits, `-`, `_`, `.` and `+`; begin with a letter or digit")
            }
            CatalogueError::Unknown { .. } => Some("`bailiwick programs list` shows the known ones"),
            CatalogueError::NotAModule { .. } => Some("give a `.wasm` file of WASI preview 1, or its text form"),
            CatalogueError::Io { .. } => None,
        };
        let wrapped = Self::new(ErrorKind::Unavailable, error);
        match hint {
            Some(hint) => wrapped.with_hint(hint),
            None => wrapped,
        }
    }
}

/// Makes an error of a file, for use in `map_err`.
pub(super) fn io(action: &'static str, path: impl Into<PathBuf>) -> impl FnOnce(std::io::Error) -> CatalogueError {
    let path = path.into();
    move |source| CatalogueError::Io { action, path, source }
}
