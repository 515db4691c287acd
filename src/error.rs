//! The one error of the public API: what kind of trouble the host met, why, and what helps.
//!
//! A submission never causes one of these: whatever it does is a [`RuntimeResult`](crate::RuntimeResult).

use std::error::Error as StdError;
use std::fmt;

/// Trouble of the host, or a request that cannot be met.
///
/// Every module has an error enum of its own; each converts into this type, which adds the
/// [kind](ErrorKind), an optional [hint](Self::hint) and the clean-up failures that followed.
/// `Display` gives the module's own message, and [`source`](StdError::source) its cause.
pub struct ExecutionError {
    inner: Box<Inner>,
}

struct Inner {
    kind: ErrorKind,
    error: Box<dyn StdError + Send + Sync>,
    hint: Option<String>,
    cleanup: Vec<ExecutionError>,
}

/// What sort of trouble an [`ExecutionError`] is, for callers that decide by it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum ErrorKind {
    /// A spec, a case file or an option is wrong.
    Spec,
    /// Something of the host that is needed is not there: an engine, a program, a file.
    Unavailable,
    /// A written limit or capability cannot be held by this runtime on this host.
    Unenforceable,
    /// An asset is missing, of the wrong type, or escapes its base directory.
    Asset,
    /// The workspace, or the directory under it, cannot be made, read or written.
    Workspace,
    /// A command's life cycle failed on the host's side.
    Runtime,
    /// The caller ended the work.
    Cancelled,
    /// Another command or session stands in the way; trying again later helps.
    Busy,
    /// The host's policy forbids what was asked.
    Forbidden,
    /// An input file could not be read.
    InputFileRead,
    /// An input file could not be written.
    InputFileWrite,
    /// bailiwick broke a promise to itself.
    Bug,
}

impl ErrorKind {
    /// Gives the name used in JSON: lower case, words joined by `_`.
    pub fn name(self) -> &'static str {
        match self {
            Self::Spec => "spec",
            Self::Unavailable => "unavailable",
            Self::Unenforceable => "unenforceable",
            Self::Asset => "asset",
            Self::Workspace => "workspace",
            Self::Runtime => "runtime",
            Self::Cancelled => "cancelled",
            Self::Busy => "busy",
            Self::Forbidden => "forbidden",
            Self::InputFileRead => "input_file_read",
            Self::InputFileWrite => "input_file_write",
            Self::Bug => "bug",
        }
    }
}

impl ExecutionError {
    /// Wraps a module's error, or a plain message.
    pub fn new(kind: ErrorKind, error: impl Into<Box<dyn StdError + Send + Sync>>) -> Self {
        let inner = Inner { kind, error: error.into(), hint: None, cleanup: Vec::new() };
        Self { inner: Box::new(inner) }
    }

    /// Adds advice: what the reader can do about it.
    #[must_use]
    pub fn with_hint(mut self, hint: impl Into<String>) -> Self {
        self.inner.hint = Some(hint.into());
        self
    }

    /// Keeps a clean-up failure beside the failure that came before it.
    #[must_use]
    pub fn with_cleanup_failure(mut self, failure: ExecutionError) -> Self {
        self.inner.cleanup.push(failure);
        self
    }

    /// Folds several failures into one: the first, with the rest kept beside it.
    pub fn first_of(failures: impl IntoIterator<Item = ExecutionError>) -> Option<Self> {
        let mut failures = failures.into_iter();
        let first = failures.next()?;
        Some(failures.fold(first, Self::with_cleanup_failure))
    }

    /// Says what sort of trouble this is.
    pub fn kind(&self) -> ErrorKind {
        self.inner.kind
    }

    /// Gives the advice that goes with it, if there is some.
    pub fn hint(&self) -> Option<&str> {
        self.inner.hint.as_deref()
    }

    /// Lists the clean-up failures that followed the first failure.
    pub fn cleanup_failures(&self) -> &[ExecutionError] {
        &self.inner.cleanup
    }

    /// Gives the module's own error, for callers that match on it.
    pub fn downcast_ref<E: StdError + 'static>(&self) -> Option<&E> {
        self.inner.error.downcast_ref()
    }
}

impl fmt::Display for ExecutionError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&self.inner.error, f)
    }
}

impl fmt::Debug for ExecutionError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ExecutionError")
            .field("kind", &self.inner.kind)
            .field("error", &self.inner.error)
            .field("hint", &self.inner.hint)
            .field("cleanup", &self.inner.cleanup)
            .finish()
    }
}

impl StdError for ExecutionError {
    fn source(&self) -> Option<&(dyn StdError + 'static)> {
        self.inner.error.source()
    }
}
