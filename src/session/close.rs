//! The end of a session: every runtime, then the workspace; every failure is kept.

use std::sync::{Arc, PoisonError};

use super::Session;
use super::blocking::{blocking, is_little};
use super::inner::{Inner, Staged};
use crate::error::ExecutionError;
use crate::workspace::Workspace;

impl Session {
    /// Cleans up every runtime, waits for those that were dropped, and removes the workspace. Idempotent.
    ///
    /// # Errors
    /// Everything that could not be cleaned up: the first, with the others beside it.
    ///
    /// Cancel safe: what is left is done as on drop.
    pub async fn close(&self) -> Result<(), ExecutionError> {
        let inner = &self.inner;
        inner.state.close();
        let mut failures = Vec::new();
        for runtime in inner.live() {
            failures.extend(runtime.cleanup().await.err());
        }
        // Those that were dropped before are cleaned up elsewhere.
        inner.reaper.settle().await;
        // Only now: a close that is dropped before leaves them to the drop of the session.
        inner.runtimes().clear();
        inner.base().captured = None;
        let (workspace, staged) = (inner.take_workspace(), inner.take_staged());
        let is_short = staged.is_none() && workspace.as_ref().is_none_or(|workspace| is_little(workspace, 0));
        if is_short {
            failures.extend(remove_all(workspace, staged).err());
        } else {
            failures.extend(blocking(move || remove_all(workspace, staged)).await.err());
        }
        ExecutionError::first_of(failures).map_or(Ok(()), Err)
    }
}

fn remove_all(workspace: Option<Arc<Workspace>>, staged: Option<Arc<Staged>>) -> Result<(), ExecutionError> {
    let removed = workspace.map_or(Ok(()), |workspace| workspace.close()).map_err(ExecutionError::from).err();
    // A fork may still use the assets: they go with the last session that does.
    let staged = staged.and_then(|staged| Arc::try_unwrap(staged).ok());
    let unstaged = staged.map_or(Ok(()), |Staged { home, .. }| home.close()).map_err(ExecutionError::from).err();
    ExecutionError::first_of([removed, unstaged].into_iter().flatten()).map_or(Ok(()), Err)
}

impl Inner {
    fn take_workspace(&self) -> Option<Arc<Workspace>> {
        self.workspace.lock().unwrap_or_else(PoisonError::into_inner).take()
    }

    fn take_staged(&self) -> Option<Arc<Staged>> {
        self.staged.lock().unwrap_or_else(PoisonError::into_inner).take()
    }
}

impl Drop for Session {
    fn drop(&mut self) {
        self.inner.state.close();
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
        drop((self.inner.take_workspace(), self.inner.take_staged()));
    }
}
