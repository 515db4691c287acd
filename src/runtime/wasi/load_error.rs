//! Why nothing could be started: the module's own doing, or the host's.

use crate::runtime::{NotStarted, SolutionRuntimeError};

/// Why a module cannot run.
#[derive(Clone, Debug)]
pub(super) enum LoadError {
    /// The module's own doing.
    Refused(NotStarted, String),
    /// The host's.
    Failed(SolutionRuntimeError),
}
