//! Long work of the file system, off the caller's executor.

use std::sync::Arc;

use super::Session;
use super::inner::Inner;
use crate::error::{ErrorKind, ExecutionError};
use crate::workspace::Workspace;

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

/// The most that a memory-backed workspace may hold for work on it to be short.
const LITTLE_BYTES: u64 = 1 << 20;
const FEW_ENTRIES: u64 = 256;

/// Says whether going through all of a workspace takes less than handing it to another thread.
pub(super) fn is_little(workspace: &Workspace, more: u64) -> bool {
    if workspace.quota_held_by().is_none() {
        return false;
    }
    workspace.usage().is_ok_and(|held| held.bytes.saturating_add(more) <= LITTLE_BYTES && held.entries <= FEW_ENTRIES)
}

impl Session {
    /// Runs a call that goes through the workspace, to which it adds so many bytes: here where there is little in it,
    /// else on a thread that may block. No reset begins before it is done, whoever still waits for it.
    pub(super) async fn with_workspace<T: Send + 'static>(
        &self,
        call: &'static str,
        more: u64,
        work: impl FnOnce(&Inner, &Workspace) -> Result<T, ExecutionError> + Send + 'static,
    ) -> Result<T, ExecutionError> {
        let here = self.inner.state.enter(call)?;
        let workspace = self.inner.workspace()?;
        if is_little(&workspace, more) {
            return work(&self.inner, &workspace);
        }
        drop(here);
        let inner = Arc::clone(&self.inner);
        blocking(move || {
            let _inside = inner.state.enter(call)?;
            work(&inner, &workspace)
        })
        .await
    }

    /// Runs a long call that works in the workspace. No reset begins before it is done, whoever still waits for it.
    pub(super) async fn with_inner<T: Send + 'static>(
        &self,
        call: &'static str,
        work: impl FnOnce(&Inner) -> Result<T, ExecutionError> + Send + 'static,
    ) -> Result<T, ExecutionError> {
        self.inner.state.need_open(call)?;
        let inner = Arc::clone(&self.inner);
        blocking(move || {
            let _inside = inner.state.enter(call)?;
            work(&inner)
        })
        .await
    }

    /// Runs a call that replaces the workspace. It keeps the others out by itself.
    pub(super) async fn with_reset<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Inner) -> Result<T, ExecutionError> + Send + 'static,
    ) -> Result<T, ExecutionError> {
        let inner = Arc::clone(&self.inner);
        blocking(move || work(&inner)).await
    }
}
