//! Runs untrusted submissions truthfully, safely and fast, behind one session, on one of several runtimes.

mod error;
mod host;
pub mod spec;

pub use error::{ErrorKind, ExecutionError};
pub use host::{Host, HostDirs};
