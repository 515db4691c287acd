//! What can be wrong with a typed file.

use std::io;

use super::{FileCompression, FileSignature, FileType};
use crate::error::{ErrorKind, ExecutionError};
use crate::workspace::path::display;

/// A typed file that cannot be read or written.
///
/// Of a file that a guest wrote this is an outcome, never an `Err` of the session.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum FileError {
    /// The bytes are not what the type says, or more than the bounds allow.
    #[error("could not be read as {signature}")]
    Read {
        /// What it was read as.
        signature: FileSignature,
        /// Why not.
        #[source]
        source: FormatError,
    },
    /// The value has no form in the type.
    #[error("could not be written as {signature}")]
    Write {
        /// What it was to be written as.
        signature: FileSignature,
        /// Why not.
        #[source]
        source: FormatError,
    },
    /// A file that a case takes its input from cannot be read.
    #[error("could not read `{path}`")]
    Source {
        /// The path as the case writes it, escaped.
        path: String,
        /// What the system said.
        #[source]
        source: io::Error,
    },
    /// The description of an input file is wrong.
    #[error("the input file `{path}` {problem}")]
    Config {
        /// Where the file goes, escaped.
        path: String,
        /// What is wrong, as the end of a sentence.
        problem: String,
    },
}

/// Why bytes are not a file of a type, or a value has no form in it.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum FormatError {
    /// It is larger, deeper or more work than [`FileBounds`](super::FileBounds) allow.
    #[error("it has more than {limit} {what}")]
    Bound {
        /// What there is too much of.
        what: &'static str,
        /// The most that is allowed.
        limit: u64,
    },
    /// It is damaged, cut off, or something else.
    #[error("this is not {format}: {problem}")]
    Malformed {
        /// The name of the type or the compression.
        format: &'static str,
        /// What was found, escaped.
        problem: String,
    },
    /// The value has a shape that the type cannot hold.
    #[error("{problem}")]
    Shape {
        /// What is wrong with it, escaped.
        problem: String,
    },
}

impl FormatError {
    /// Says what a reader of a type stumbled over; what a guest wrote into it is escaped and cut.
    pub(super) fn malformed(file_type: FileType, problem: &str) -> Self {
        Self::Malformed { format: file_type.name(), problem: display(problem.as_bytes()) }
    }

    /// Says what a decompressor stumbled over.
    pub(super) fn packed(compression: FileCompression, problem: &str) -> Self {
        Self::Malformed { format: compression.name(), problem: display(problem.as_bytes()) }
    }

    /// Says what is wrong with a value.
    pub(super) fn shape(problem: &str) -> Self {
        Self::Shape { problem: display(problem.as_bytes()) }
    }
}

impl FileError {
    /// Says what is wrong with the description of an input file.
    pub(super) fn config(path: &str, problem: impl Into<String>) -> Self {
        Self::Config { path: display(path.as_bytes()), problem: problem.into() }
    }

    /// Says what to do about it, where that is known.
    pub fn hint(&self) -> Option<&'static str> {
        match self {
            Self::Read { source: FormatError::Bound { .. }, .. } => Some("read it as bytes, or raise the bound"),
            Self::Read { .. } => Some("read it as bytes to see what is there"),
            Self::Write { .. } => Some("give the content as `text` or `base64`, which are written as they stand"),
            Self::Source { .. } => Some("paths are relative to the directory of the file that names them"),
            Self::Config { .. } => None,
        }
    }

    fn kind(&self) -> ErrorKind {
        match self {
            Self::Read { .. } | Self::Source { .. } => ErrorKind::InputFileRead,
            Self::Write { .. } => ErrorKind::InputFileWrite,
            Self::Config { .. } => ErrorKind::Spec,
        }
    }
}

impl From<FileError> for ExecutionError {
    fn from(error: FileError) -> Self {
        let (kind, hint) = (error.kind(), error.hint());
        let wrapped = Self::new(kind, error);
        match hint {
            Some(hint) => wrapped.with_hint(hint),
            None => wrapped,
        }
    }
}
