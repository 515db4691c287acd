//! Going back and going on: snapshots, resets, forks, an agent's checkpoints.

use std::path::Path;
use std::sync::Arc;

use super::inner::{BasePoint, Inner};
use super::state::Resetting;
use super::{Session, SessionError};
use crate::error::ExecutionError;
use crate::runtime::{Bar, Command, RuntimeResult, SpawnRequest, State};
use crate::spec::Mode;
use crate::workspace::{Bounds, Capture, Changes, CopyIn, SnapshotId, Workspace};

/// How many changes a checkpoint lists.
const MOST_CHANGES: usize = 10_000;

impl Session {
    /// Takes a snapshot: later changes are told against it, and a reset goes back to it. Gives its id.
    ///
    /// # Errors
    /// A session that is not open, and what the host cannot read.
    pub async fn update_snapshot(&self) -> Result<SnapshotId, ExecutionError> {
        self.inner.state.need_open("update_snapshot")?;
        self.with_inner(|inner| inner.move_base().map(|(id, _)| id)).await
    }

    /// Makes the workspace what it was at the last snapshot, else after set-up, else at the start. The directory stays.
    ///
    /// # Errors
    /// A session that is not open, a running command, and what the host cannot write; the workspace is then between.
    pub async fn reset(&self) -> Result<(), ExecutionError> {
        const CALL: &str = "reset";
        self.inner.state.need_open(CALL)?;
        if !self.inner.resettable {
            return Err(SessionError::NothingKept.into());
        }
        self.with_inner(|inner| {
            let _resetting = inner.begin_reset(CALL)?;
            let base = inner.base();
            let captured = base.captured.as_ref().ok_or(SessionError::NothingKept)?;
            let workspace = inner.workspace()?;
            workspace.restore(captured)?;
            Ok(workspace.renew_quota()?)
        })
        .await
    }

    /// Makes the workspace what a directory holds; links stay links.
    ///
    /// # Errors
    /// A session that is not open, a running command, a directory that cannot be read, a workspace that cannot be written.
    pub async fn restore_from_snapshot_dir(&self, dir: &Path) -> Result<(), ExecutionError> {
        const CALL: &str = "restore_from_snapshot_dir";
        let dir = dir.to_owned();
        self.with_inner(move |inner| {
            let _resetting = inner.begin_reset(CALL)?;
            let workspace = inner.workspace()?;
            // Nothing is thrown away for a directory that is not there.
            std::fs::read_dir(&dir).map_err(|source| {
                ExecutionError::new(crate::error::ErrorKind::Workspace, source)
                    .with_hint(format!("is `{}` a directory?", dir.display()))
            })?;
            workspace.clear()?;
            workspace.copy_in(&dir, CopyIn::default())?;
            inner.copy_assets_for_agents(&workspace)?;
            Ok(workspace.renew_quota()?)
        })
        .await
    }

    /// Opens a session that starts from what this workspace holds now, and shares nothing that can be written.
    ///
    /// Runtimes spawned in it run no set-up: what set-up made is there.
    ///
    /// # Errors
    /// A session that is not open, and what the host cannot copy.
    pub async fn fork(&self) -> Result<Session, ExecutionError> {
        self.inner.state.need_open("fork")?;
        self.with_inner(|inner| {
            let captured = inner.workspace()?.capture(&Capture::All, Bounds::default())?;
            inner.fork(&captured, None, inner.limits.clone(), inner.unenforced.clone())
        })
        .await
    }

    /// Writes the workspace to a directory that is new or empty, takes a snapshot, and gives what changed since the last.
    ///
    /// # Errors
    /// A session that is not open or not an agent's, and what the host cannot write.
    pub async fn finish_checkpoint(&self, destination: &Path) -> Result<Changes, ExecutionError> {
        const CALL: &str = "finish_checkpoint";
        self.inner.state.need_open(CALL)?;
        self.need_mode(CALL, Mode::Agent)?;
        let destination = destination.to_owned();
        self.with_inner(move |inner| {
            inner.workspace()?.keep(&destination)?;
            inner.move_base().map(|(_, changes)| changes)
        })
        .await
    }

    /// Runs the spec's `resume_commands`, as after a restored workspace; each gives its result.
    ///
    /// # Errors
    /// A session that is not open or not an agent's, and what the host failed at.
    pub async fn resume(&self) -> Result<Vec<Arc<RuntimeResult>>, ExecutionError> {
        self.inner.state.need_open("resume")?;
        self.need_mode("resume", Mode::Agent)?;
        let runtime = self.spawn(SpawnRequest { disable_setup: true, ..SpawnRequest::default() }).await?;
        let mut results = Vec::new();
        for line in self.inner.spec.resume_commands() {
            results.push(runtime.execute(Command::line(line.clone())).await?);
        }
        runtime.cleanup().await?;
        Ok(results)
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

    fn move_base(&self) -> Result<(SnapshotId, Changes), ExecutionError> {
        let workspace = self.workspace()?;
        let mut base = self.base();
        let scan = workspace.scan(&self.scope, Some(&base.cache), Bounds::default())?;
        let changes = Changes::between(&base.manifest, &scan.manifest, MOST_CHANGES);
        let captured = self.resettable.then(|| workspace.capture(&Capture::All, Bounds::default())).transpose()?;
        let (id, start) = (scan.manifest.id(), base.start);
        *base = BasePoint { start, moved: true, ..BasePoint::at(scan, captured) };
        Ok((id, changes))
    }

    fn copy_assets_for_agents(&self, workspace: &Workspace) -> Result<(), ExecutionError> {
        match (self.staged(), self.mode) {
            (Some(staged), Mode::Agent) => Ok(staged.assets.copy_into(workspace.dir())?),
            (_, Mode::Evaluation) | (None, Mode::Agent) => Ok(()),
        }
    }
}
