//! Going back and going on: snapshots, resets, forks, an agent's checkpoints.

use std::path::Path;
use std::sync::{Arc, Mutex};

use super::inner::{BasePoint, Inner};
use super::open::{placeholders, quota, stage};
use super::state::{Resetting, StateCell};
use super::{Session, SessionError};
use crate::error::ExecutionError;
use crate::runtime::{Bar, Command, RuntimeResult, SpawnRequest, State, StaticRoot};
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
        self.with_inner(Inner::fork).await
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

    fn fork(&self) -> Result<Session, ExecutionError> {
        let kind = self.registry.kind_of(&self.spec)?;
        let base = self.registry.base(kind.base_need())?;
        let workspace = Workspace::open(&base, &self.registry.owner()?, quota(&self.limits), self.registry.reaper())?;
        let captured = self.workspace()?.capture(&Capture::All, Bounds::default())?;
        workspace.restore(&captured)?;
        drop(captured);
        workspace.renew_quota()?;
        // Where guests get a path of the host, a staged tree can be written: each session has its own.
        let staged = match kind.static_root(&self.spec.section)? {
            StaticRoot::Guest(_) => self.staged(),
            StaticRoot::Host => stage(&self.registry, &base, &self.assets)?,
        };
        let scan = workspace.scan(&self.scope, None, Bounds::default())?;
        let captured = self.resettable.then(|| workspace.capture(&Capture::All, Bounds::default())).transpose()?;
        let inner = Self {
            registry: self.registry.clone(),
            spec: Arc::clone(&self.spec),
            mode: self.mode,
            limits: self.limits.clone(),
            enforcement: Arc::clone(&self.enforcement),
            unenforced: self.unenforced.clone(),
            isolation: self.isolation,
            admission: self.registry.admission().group(self.queue_timeout),
            queue_timeout: self.queue_timeout,
            scope: self.scope.clone(),
            assets: Arc::clone(&self.assets),
            placeholders: placeholders(&**kind, &self.spec, staged.as_deref())?,
            staged: Mutex::new(staged),
            state: StateCell::open(),
            resettable: self.resettable,
            forked: true,
            runtimes: Mutex::default(),
            base: Mutex::new(BasePoint::at(scan, captured)),
            workspace: Mutex::new(Some(Arc::new(workspace))),
        };
        Ok(Session { inner: Arc::new(inner) })
    }
}
