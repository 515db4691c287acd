//! A workspace at one moment, from which any number of sessions start.

use std::sync::{Arc, Mutex};

use super::Session;
use super::blocking::{blocking, is_little};
use super::inner::{BasePoint, Inner};
use super::open::{placeholders, quota, resolve, stage};
use super::state::StateCell;
use crate::error::ExecutionError;
use crate::runtime::{InForce, Seed, StaticRoot, Unheld};
use crate::spec::{Limits, LimitsConfig, Provenance};
use crate::workspace::{Bounds, Capture, Captured, EntryKind, Manifest, Scan, Snapshot, StatCache, Workspace};

/// A session that nothing runs in any more, with its workspace as it was then.
///
/// Sessions that start from it share nothing that can be written, and outlive it and each other.
/// Dropping it does what [`close`](Self::close) does, without reporting.
#[derive(Debug)]
pub struct Frozen {
    inner: Arc<Parts>,
}

/// What the workspace of a new session starts from.
#[derive(Clone, Copy, Debug)]
pub(super) enum Start<'a> {
    /// Everything, with what set-up made; what it made elsewhere is beside it.
    Captured(&'a Captured, Option<&'a Seed>),
    /// What the globs of a spec took.
    Snapshot(&'a Snapshot),
}

#[derive(Debug)]
struct Parts {
    // In this order: the copy stands beside the workspace of the session, and goes before it.
    captured: Captured,
    scan: Scan,
    /// What set-up made beside the workspace.
    seed: Option<Seed>,
    is_little: bool,
    session: Session,
}

impl Session {
    /// Ends the session for everybody but sessions that start from its workspace as it is now.
    ///
    /// # Errors
    /// A session that is not open, and what the host cannot copy.
    ///
    /// Cancel safe: the session is closed.
    pub async fn freeze(self) -> Result<Frozen, ExecutionError> {
        let seed = self.inner.seed_for_forks().await?;
        let (captured, scan, is_little) = self
            .with_workspace("freeze", 0, |inner, workspace| {
                let captured = workspace.capture(&Capture::All, Bounds::default())?;
                let scan = workspace.scan(&inner.scope, None, Bounds::default())?;
                Ok((captured, scan, is_little(workspace, 0)))
            })
            .await?;
        Ok(Frozen { inner: Arc::new(Parts { captured, scan, seed, is_little, session: self }) })
    }

    /// Lists every file and link of the workspace, what the spec ignores too, in the order of their bytes.
    ///
    /// # Errors
    /// A session that is not open, and what the host cannot read.
    pub async fn names(&self) -> Result<Vec<String>, ExecutionError> {
        let manifest = self.manifest().await?;
        let files = manifest.iter().filter(|(_, entry)| entry.kind != EntryKind::Directory);
        Ok(files.map(|(path, _)| path.to_string()).collect())
    }

    /// Lists every entry of the workspace, what the spec ignores too, with its kind and its permission bits.
    ///
    /// # Errors
    /// A session that is not open, and what the host cannot read.
    ///
    /// Cancel safe: nothing is changed.
    pub async fn manifest(&self) -> Result<Manifest, ExecutionError> {
        self.with_workspace("manifest", 0, |_, workspace| {
            Ok(workspace.scan(&Capture::All, None, Bounds::default())?.manifest)
        })
        .await
    }
}

impl Frozen {
    /// Opens a session that starts from what was frozen, with limits of a case over those of the spec.
    ///
    /// Runtimes spawned in it run no set-up, and it keeps nothing to [reset](Session::reset) to.
    ///
    /// # Errors
    /// Limits that cannot be held, and what the host cannot copy.
    ///
    /// Cancel safe: what was made is removed.
    pub async fn open(&self, limits: &LimitsConfig) -> Result<Session, ExecutionError> {
        let (limits, unenforced) = self.parent().limits_with(limits)?;
        let parts = Arc::clone(&self.inner);
        let open = move || {
            let start = Start::Captured(&parts.captured, parts.seed.as_ref());
            parts.session.inner.fork(start, Some(&parts.scan), limits, unenforced)
        };
        // Here where there is little to copy: a hand-off to another thread takes longer.
        if self.inner.is_little { open() } else { blocking(open).await }
    }

    /// Removes what was frozen; sessions that started from it live on.
    ///
    /// # Errors
    /// Everything that could not be cleaned up.
    pub async fn close(self) -> Result<(), ExecutionError> {
        match Arc::into_inner(self.inner) {
            Some(Parts { captured, session, .. }) => {
                drop(captured);
                session.close().await
            }
            // Somebody opens a session from it just now; the last one to hold it removes it.
            None => Ok(()),
        }
    }

    /// Gives the registry that its sessions are opened with.
    #[cfg(feature = "evaluate")]
    pub(crate) fn registry(&self) -> &crate::runtime::RuntimeRegistry {
        &self.parent().registry
    }

    /// Gives the spec of its sessions.
    #[cfg(feature = "evaluate")]
    pub(crate) fn spec(&self) -> &crate::spec::EnvironmentSpec {
        &self.parent().spec
    }

    fn parent(&self) -> &Inner {
        &self.inner.session.inner
    }

    /// Gives what a session with limits of a case has in force, without opening it.
    ///
    /// # Errors
    /// Limits that contradict each other, that the host forbids, or that cannot be held.
    pub fn limits(&self, limits: &LimitsConfig) -> Result<Limits, ExecutionError> {
        Ok(self.parent().limits_with(limits)?.0)
    }
}

impl Inner {
    /// Gives the limits of the session with those of a case over them.
    fn limits_with(&self, case: &LimitsConfig) -> Result<(Limits, Vec<Unheld>), ExecutionError> {
        if *case == LimitsConfig::default() {
            return Ok((self.limits.clone(), self.unenforced.clone()));
        }
        let mut levels = self.levels.clone();
        levels.push((Provenance::Case, case.clone()));
        let limits = self.registry.host().policy.bound(resolve(&self.spec, self.mode, &levels)?)?;
        let InForce { limits, unenforced, .. } = self.enforcement.admit(limits, &self.spec.ty)?;
        Ok((limits, unenforced))
    }

    /// Gives what the set-up of this session made beside the workspace: the latest runtime that had one knows.
    pub(super) async fn seed_for_forks(&self) -> Result<Option<Seed>, ExecutionError> {
        for runtime in self.live().into_iter().rev() {
            if let Some(seed) = runtime.seed().await? {
                return Ok(Some(seed));
            }
        }
        Ok(self.seed.clone())
    }

    /// Makes a session over a new workspace with what it starts from, and the scan of it where that is known.
    pub(super) fn fork(
        &self,
        start: Start<'_>,
        known: Option<&Scan>,
        limits: Limits,
        unenforced: Vec<Unheld>,
    ) -> Result<Session, ExecutionError> {
        let kind = self.registry.kind_of(&self.spec)?;
        let base = self.registry.base(kind.base_need())?;
        let workspace = Workspace::open(&base, &self.registry.owner()?, quota(&limits), self.registry.reaper())?;
        self.fill(&workspace, start)?;
        // Where guests get a path of the host, a staged tree can be written: each session has its own.
        let staged = match kind.static_root(&self.spec.section)? {
            StaticRoot::Guest(_) => self.staged(),
            StaticRoot::Host => stage(&self.registry, &base, &self.assets)?,
        };
        let (base_point, resettable) = self.base_of_fork(&workspace, known)?;
        let inner = Self {
            reaper: self.registry.reaper().scope(),
            registry: self.registry.clone(),
            spec: Arc::clone(&self.spec),
            mode: self.mode,
            levels: self.levels.clone(),
            limits,
            enforcement: Arc::clone(&self.enforcement),
            unenforced,
            isolation: self.isolation,
            admission: self.registry.admission().group(self.queue_timeout),
            queue_timeout: self.queue_timeout,
            scope: self.scope.clone(),
            assets: Arc::clone(&self.assets),
            placeholders: placeholders(&**kind, &self.spec, staged.as_deref())?,
            staged: Mutex::new(staged),
            state: StateCell::open(),
            resettable,
            // What a set-up made is there only where everything was taken.
            forked: matches!(start, Start::Captured(..)),
            seed: match start {
                Start::Captured(_, seed) => seed.cloned(),
                Start::Snapshot(_) => None,
            },
            store: self.store.clone(),
            runtimes: Mutex::default(),
            base: Mutex::new(base_point),
            workspace: Mutex::new(Some(Arc::new(workspace))),
        };
        Ok(Session { inner: Arc::new(inner) })
    }

    /// Puts into a new workspace what it starts from.
    fn fill(&self, workspace: &Workspace, start: Start<'_>) -> Result<(), ExecutionError> {
        match start {
            Start::Captured(captured, _) => Ok(workspace.restore(captured)?),
            Start::Snapshot(snapshot) => {
                workspace.restore_snapshot(snapshot)?;
                self.copy_assets_for_agents(workspace)?;
                Ok(workspace.renew_quota()?)
            }
        }
    }

    /// Gives the point that a fork's changes are told against, and whether it can be reset.
    fn base_of_fork(&self, workspace: &Workspace, known: Option<&Scan>) -> Result<(BasePoint, bool), ExecutionError> {
        // The files are other ones, of the same content: nothing that was remembered of them holds.
        if let Some(scan) = known {
            let scan = Scan { cache: StatCache::default(), ..scan.clone() };
            return Ok((BasePoint::at(scan, None), false));
        }
        let scan = workspace.scan(&self.scope, None, Bounds::default())?;
        let kept = self.resettable.then(|| workspace.capture(&Capture::All, Bounds::default())).transpose()?;
        Ok((BasePoint::at(scan, kept), self.resettable))
    }
}
