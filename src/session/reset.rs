//! Going back, and going on elsewhere: resets, restored directories, forks.

use std::path::Path;

use super::frozen::Start;
use super::inner::Inner;
use super::state::Resetting;
use super::{Session, SessionError};
use crate::error::{ErrorKind, ExecutionError};
use crate::runtime::{Bar, State};
use crate::spec::Mode;
use crate::workspace::{Bounds, Capture, Snapshot, Workspace};

impl Session {
    /// Makes the workspace what it was at the last snapshot, else after set-up, else at the start. The directory stays,
    /// and so do the runtimes over it.
    ///
    /// # Errors
    /// A session that is not open, a running command or another call in the workspace, and what the host cannot write;
    /// the workspace is then between.
    ///
    /// Cancel safe: it is done to its end.
    pub async fn reset(&self) -> Result<(), ExecutionError> {
        const CALL: &str = "reset";
        self.inner.state.need_open(CALL)?;
        if !self.inner.resettable {
            return Err(SessionError::NothingKept.into());
        }
        self.with_reset(|inner| {
            let _resetting = inner.begin_reset(CALL)?;
            let base = inner.base();
            let captured = base.captured.as_ref().ok_or(SessionError::NothingKept)?;
            let workspace = inner.workspace()?;
            workspace.restore(captured)?;
            Ok(workspace.renew_quota()?)
        })
        .await
    }

    /// Makes the workspace equal to a directory: nothing else stays in it, and links stay links.
    ///
    /// # Errors
    /// A session that is not open, a running command or another call in the workspace, a directory that cannot be
    /// read: then the workspace is what it was. A workspace that cannot be written is then between.
    ///
    /// Cancel safe: it is done to its end.
    pub async fn restore_from_snapshot_dir(&self, dir: &Path) -> Result<(), ExecutionError> {
        const CALL: &str = "restore_from_snapshot_dir";
        let dir = dir.to_owned();
        self.with_reset(move |inner| {
            let _resetting = inner.begin_reset(CALL)?;
            let workspace = inner.workspace()?;
            std::fs::read_dir(&dir).map_err(|source| {
                ExecutionError::new(ErrorKind::Workspace, source)
                    .with_hint(format!("is `{}` a directory?", dir.display()))
            })?;
            workspace.mirror(&dir, Bounds::default())?;
            inner.copy_assets_for_agents(&workspace)?;
            Ok(workspace.renew_quota()?)
        })
        .await
    }

    /// Opens a session that starts from what this workspace holds now, and shares nothing that can be written.
    ///
    /// The spec's set-up does not run in it again: what it made is there. A set-up line of a spawn's own does.
    ///
    /// # Errors
    /// A session that is not open, and what the host cannot copy.
    ///
    /// Cancel safe: what was made is removed.
    pub async fn fork(&self) -> Result<Session, ExecutionError> {
        self.inner.state.need_open("fork")?;
        let seed = self.inner.seed_for_forks().await?;
        self.with_inner("fork", move |inner| {
            let captured = inner.workspace()?.capture(&Capture::All, Bounds::default())?;
            inner.fork(Start::Captured(&captured, seed.as_ref()), None, inner.limits.clone(), inner.unenforced.clone())
        })
        .await
    }

    /// Opens a session like this one that starts from a snapshot, and shares nothing that can be written.
    ///
    /// The spec's set-up runs in it: what a set-up makes is often what snapshots leave out.
    ///
    /// # Errors
    /// A session that is not open, a store that has not what was written, and what the host cannot write.
    ///
    /// Cancel safe: what was made is removed.
    pub async fn fork_from(&self, snapshot: &Snapshot) -> Result<Session, ExecutionError> {
        let snapshot = snapshot.clone();
        self.with_inner("fork_from", move |inner| {
            inner.fork(Start::Snapshot(&snapshot), None, inner.limits.clone(), inner.unenforced.clone())
        })
        .await
    }
}

impl Inner {
    /// Keeps calls and commands out of the workspace until the guards go.
    fn begin_reset(&self, call: &'static str) -> Result<(Resetting<'_>, Bar), SessionError> {
        let resetting = self.state.reset(call)?;
        // A runtime that does not queue its commands here at least tells of its latest.
        let busy = self.live().iter().any(|runtime| runtime.poll() == State::Running);
        let bar = self.admission.bar().filter(|_| !busy).ok_or(SessionError::Busy { call })?;
        Ok((resetting, bar))
    }

    pub(super) fn copy_assets_for_agents(&self, workspace: &Workspace) -> Result<(), ExecutionError> {
        match (self.staged(), self.mode) {
            (Some(staged), Mode::Agent) => Ok(staged.assets.copy_into(workspace.dir())?),
            (_, Mode::Evaluation) | (None, Mode::Agent) => Ok(()),
        }
    }
}
