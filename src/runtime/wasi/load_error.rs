//! Why nothing could be started: the module's own doing, or the host's.

use std::time::Duration;

use crate::runtime::{NotStarted, SolutionRuntimeError};

/// Why a module cannot run.
#[derive(Clone, Debug)]
pub(super) enum LoadError {
    /// The module's own doing.
    Refused(NotStarted, String),
    /// It was still being compiled when this time was over.
    TooSlow(Duration),
    /// The host's.
    Failed(SolutionRuntimeError),
}
