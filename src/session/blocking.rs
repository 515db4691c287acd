//! Long work of the file system, off the caller's executor.

use std::sync::Arc;

use super::Session;
use super::inner::Inner;
use crate::error::{ErrorKind, ExecutionError};

/// Runs long blocking work on a thread that may block.
///
/// Cancel safe only as far as the work is: it runs to its end.
pub(super) async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, ExecutionError> + Send + 'static,
) -> Result<T, ExecutionError> {
    match tokio::task::spawn_blocking(work).await {
        Ok(done) => done,
        Err(lost) if lost.is_cancelled() => Err(ExecutionError::new(ErrorKind::Cancelled, "the executor shut down")),
        Err(lost) => Err(ExecutionError::new(ErrorKind::Bug, format!("work on the workspace panicked: {lost}"))),
    }
}

impl Session {
    /// Runs long work that needs the session.
    pub(super) async fn with_inner<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Inner) -> Result<T, ExecutionError> + Send + 'static,
    ) -> Result<T, ExecutionError> {
        let inner = Arc::clone(&self.inner);
        blocking(move || work(&inner)).await
    }
}
