//! The end of a session: every runtime, then the workspace; every failure is kept.

use std::sync::{Arc, PoisonError};

use super::Session;
use super::blocking::blocking;
use crate::error::ExecutionError;
use crate::workspace::Workspace;

impl Session {
    /// Cleans up every runtime and removes the workspace. Idempotent.
    ///
    /// # Errors
    /// Everything that could not be cleaned up: the first, with the others beside it.
    ///
    /// Cancel safe: what is left is done as on drop.
    pub async fn close(&self) -> Result<(), ExecutionError> {
        self.inner.state.close();
        let mut failures = Vec::new();
        for runtime in self.inner.live() {
            failures.extend(runtime.cleanup().await.err());
        }
        self.inner.base().captured = None;
        if let Some(workspace) = self.inner.take_workspace() {
            failures.extend(blocking(move || Ok(workspace.close()?)).await.err());
        }
        ExecutionError::first_of(failures).map_or(Ok(()), Err)
    }
}

impl super::session::Inner {
    fn take_workspace(&self) -> Option<Arc<Workspace>> {
        self.workspace.lock().unwrap_or_else(PoisonError::into_inner).take()
    }
}

impl Drop for Session {
    fn drop(&mut self) {
        if !self.inner.state.close() {
            return;
        }
        let live = self.inner.live();
        if !live.is_empty() {
            self.inner.registry.reaper().enqueue_async(async move {
                let mut failures = Vec::new();
                for runtime in live {
                    failures.extend(runtime.cleanup().await.err());
                }
                ExecutionError::first_of(failures).map_or(Ok(()), Err)
            });
        }
        // Dropped here and not with the last reference to `Inner`, which a blocking call may hold a little longer.
        self.inner.take_workspace();
    }
}
