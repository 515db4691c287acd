//! An agent's checkpoints: snapshots that are kept, written out, gone on from.

use std::path::Path;
use std::sync::Arc;

use super::inner::{BasePoint, Inner};
use super::{Session, SessionError};
use crate::error::{ErrorKind, ExecutionError};
use crate::runtime::{Command, RuntimeResult, SpawnRequest};
use crate::spec::Mode;
use crate::workspace::{
    Bounds, Capture, DiffBounds, Restore, Snapshot, SnapshotDiff, SnapshotId, SnapshotStore, Taken, Tree,
};

impl Session {
    /// Takes a snapshot of what the spec's globs take: later changes are told against it, and a reset goes back to it.
    ///
    /// It is kept in the host's snapshot store until it is removed by its id; a host without one has it in memory,
    /// for as long as somebody holds it.
    ///
    /// # Errors
    /// A session that is not open, what the host cannot read, and a store that cannot be written.
    ///
    /// Cancel safe: it is taken to its end.
    pub async fn update_snapshot(&self) -> Result<Snapshot, ExecutionError> {
        self.with_inner("update_snapshot", |inner| {
            let mut base = inner.base();
            let taken = inner.take(&base)?;
            let snapshot = taken.snapshot.clone();
            *base = inner.base_at(base.start, taken, |_| Ok(()))?;
            Ok(snapshot)
        })
        .await
    }

    /// Takes a snapshot as [`update_snapshot`](Self::update_snapshot) does, makes a directory equal to it, and gives
    /// what changed since the last one. The directory is made if there is none; whatever else was in it goes.
    ///
    /// # Errors
    /// A session that is not open or not an agent's, and what the host cannot write: then the directory is what it
    /// was, and so is the point that changes are told against.
    ///
    /// Cancel safe: it is done to its end.
    pub async fn finish_checkpoint(&self, destination: &Path) -> Result<SnapshotDiff, ExecutionError> {
        const CALL: &str = "finish_checkpoint";
        self.inner.state.need_open(CALL)?;
        self.need_mode(CALL, Mode::Agent)?;
        let destination = destination.to_owned();
        self.with_inner(CALL, move |inner| {
            inner.check_destination(&destination)?;
            let mut base = inner.base();
            let taken = inner.take(&base)?;
            let workspace = inner.workspace()?;
            let now = Tree { manifest: taken.snapshot.manifest(), content: &taken.snapshot };
            let diff = SnapshotDiff::between(base.tree(&workspace), now, DiffBounds::default())?;
            *base = inner.base_at(base.start, taken, |snapshot| {
                Ok(snapshot.restore_ambient(&destination, Restore::Mirror, None).map(drop)?)
            })?;
            Ok(diff)
        })
        .await
    }

    /// Gives the snapshot that changes are told against, with its content: the last one that was taken.
    ///
    /// `None` before the first.
    pub fn last_snapshot(&self) -> Option<Snapshot> {
        self.inner.base().snapshot.clone()
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
    /// Gives the store of this session's snapshots.
    fn store(&self) -> Result<SnapshotStore, ExecutionError> {
        if let Some(store) = self.store.get() {
            return Ok(store.clone());
        }
        let store = self.registry.snapshot_store()?.unwrap_or_else(SnapshotStore::in_memory);
        Ok(self.store.get_or_init(|| store).clone())
    }

    fn take(&self, base: &BasePoint) -> Result<Taken, ExecutionError> {
        let workspace = self.workspace()?;
        Ok(workspace.take_snapshot(&self.store()?, &self.scope, Some(&base.cache), Bounds::default())?)
    }

    /// Keeps a snapshot, does something with it, and gives the point that later states are compared with and a reset
    /// goes back to. When anything fails nothing of it is kept.
    fn base_at(
        &self,
        start: SnapshotId,
        taken: Taken,
        work: impl FnOnce(&Snapshot) -> Result<(), ExecutionError>,
    ) -> Result<BasePoint, ExecutionError> {
        let workspace = self.workspace()?;
        let captured = self.resettable.then(|| workspace.capture(&Capture::All, Bounds::default())).transpose()?;
        let Taken { snapshot, cache, specials, .. } = taken;
        let (store, id) = (snapshot.store().clone(), snapshot.id());
        // In memory a snapshot that nobody has any more is of use to nobody.
        let is_new = store.path().is_some() && !store.is_kept(id)?;
        if is_new {
            store.keep(&snapshot, &format!("session of `{}`", self.spec.name), specials)?;
        }
        if let Err(error) = work(&snapshot).and_then(|()| self.archive(&snapshot)) {
            let removed = if is_new { store.remove(id) } else { Ok(()) };
            return Err(removed.err().into_iter().fold(error, |error, also| error.with_cleanup_failure(also.into())));
        }
        let manifest = Arc::clone(snapshot.manifest());
        Ok(BasePoint { start, manifest, snapshot: Some(snapshot), cache, captured, moved: true })
    }

    /// Saves a snapshot as an archive, where the spec asks for one.
    fn archive(&self, snapshot: &Snapshot) -> Result<(), ExecutionError> {
        let config = &self.spec.snapshot;
        #[cfg(feature = "files")]
        crate::workspace::archive_snapshot(config, snapshot.manifest(), snapshot)?;
        #[cfg(not(feature = "files"))]
        if config.archive_save_dir.is_some() {
            let message = format!("the snapshot {} cannot be archived: this build writes no archives", snapshot.id());
            return Err(
                ExecutionError::new(ErrorKind::Unavailable, message).with_hint("build with the feature `files`")
            );
        }
        Ok(())
    }

    /// Refuses to replace what the session itself needs.
    fn check_destination(&self, destination: &Path) -> Result<(), ExecutionError> {
        // One that is not there yet holds nothing.
        let Ok(real) = destination.canonicalize() else { return Ok(()) };
        let (store, workspace) = (self.store()?, self.workspace()?);
        let needed = [store.path(), workspace.open_ambient_path()];
        if needed.into_iter().flatten().any(|needed| needed.starts_with(&real)) {
            let message = format!("the directory {} holds what the session works with", destination.display());
            return Err(ExecutionError::new(ErrorKind::Workspace, message).with_hint("name a directory of its own"));
        }
        Ok(())
    }
}

impl Session {
    pub(super) fn need_mode(&self, call: &'static str, needs: Mode) -> Result<(), SessionError> {
        if self.inner.mode == needs { Ok(()) } else { Err(SessionError::Mode { call, needs }) }
    }
}
