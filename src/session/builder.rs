//! How a session is opened: everything that is granted to it, closed by default.

use std::path::PathBuf;
use std::time::Duration;

use super::Session;
use super::open::open;
use crate::error::ExecutionError;
use crate::runtime::RuntimeRegistry;
use crate::spec::{EnvironmentSpec, LimitsConfig, Mode, Provenance};
use crate::workspace::{Bounds, ResolvedStaticAsset, Snapshot, SnapshotStore};

/// A session in the making.
///
/// Defaults: evaluation mode, no assets, an empty workspace, the spec's limits, no queue timeout, resettable.
#[derive(Debug)]
pub struct SessionBuilder {
    pub(super) registry: RuntimeRegistry,
    pub(super) spec: EnvironmentSpec,
    pub(super) mode: Mode,
    pub(super) assets: Vec<ResolvedStaticAsset>,
    pub(super) snapshot: Option<Snapshot>,
    pub(super) store: Option<SnapshotStore>,
    pub(super) submission: Option<PathBuf>,
    pub(super) bounds: Bounds,
    pub(super) is_filtered: bool,
    pub(super) limits: Vec<(Provenance, LimitsConfig)>,
    pub(super) queue_timeout: Option<Duration>,
    pub(super) resettable: bool,
}

impl SessionBuilder {
    pub(super) fn new(registry: RuntimeRegistry, spec: EnvironmentSpec) -> Self {
        Self {
            registry,
            spec,
            mode: Mode::Evaluation,
            assets: Vec::new(),
            snapshot: None,
            store: None,
            submission: None,
            bounds: Bounds::default(),
            is_filtered: true,
            limits: Vec::new(),
            queue_timeout: None,
            resettable: true,
        }
    }

    /// Sets who the session serves. Default: evaluation.
    #[must_use]
    pub fn mode(mut self, mode: Mode) -> Self {
        self.mode = mode;
        self
    }

    /// Grants assets: read-only copies, in every mode. Default: none.
    #[must_use]
    pub fn grant_assets(mut self, assets: Vec<ResolvedStaticAsset>) -> Self {
        self.assets = assets;
        self
    }

    /// Starts from a snapshot: the workspace is equal to it before a submission is copied in. Default: it is empty.
    ///
    /// One that is kept is opened by its id with [`SnapshotStore::open`].
    #[must_use]
    pub fn snapshot(mut self, snapshot: Snapshot) -> Self {
        self.snapshot = Some(snapshot);
        self
    }

    /// Keeps the session's snapshots in this store. Default: that of the host's data directory; without one, memory,
    /// for as long as somebody has them.
    #[must_use]
    pub fn snapshot_store(mut self, store: SnapshotStore) -> Self {
        self.store = Some(store);
        self
    }

    /// Copies a submission in, a directory's content, what an archive holds, or a single file, without what the spec
    /// ignores. Default: nothing.
    ///
    /// An archive is a file that is named like one: `.tar`, `.tar.gz`, `.tar.bz2`, `.tar.xz`, `.tar.zst`, `.zip`. One that
    /// cannot be unpacked harmlessly is an error of opening that holds a [`WorkspaceError`](crate::WorkspaceError) whose
    /// [`ArchiveError`](crate::ArchiveError) [says whose fault it is](crate::ArchiveError::is_fault_of_archive).
    #[must_use]
    pub fn submission(mut self, path: impl Into<PathBuf>) -> Self {
        self.submission = Some(path.into());
        self
    }

    /// Copies the whole submission in, with what the spec ignores: for files that were filtered and built already.
    #[must_use]
    pub fn unfiltered(mut self) -> Self {
        self.is_filtered = false;
        self
    }

    /// Bounds what is copied in. Default: [`Bounds::default`].
    #[must_use]
    pub fn submission_bounds(mut self, bounds: Bounds) -> Self {
        self.bounds = bounds;
        self
    }

    /// Puts limits of spec level over the spec's own: a flag's, a case's. The later in order win. Default: none.
    #[must_use]
    pub fn limits(mut self, from: Provenance, limits: LimitsConfig) -> Self {
        self.limits.push((from, limits));
        self
    }

    /// Bounds how long a command waits for a place to run. Default: it waits.
    #[must_use]
    pub fn queue_timeout(mut self, timeout: Duration) -> Self {
        self.queue_timeout = Some(timeout);
        self
    }

    /// Keeps no copy of the workspace to go back to: cheaper, and [`Session::reset`] is an error.
    #[must_use]
    pub fn without_reset(mut self) -> Self {
        self.resettable = false;
        self
    }

    /// Opens the session: makes the workspace, copies the submission in, stages the assets.
    ///
    /// # Errors
    /// A type that is not registered, limits that contradict each other or cannot be held, assets that cannot be
    /// staged, a workspace that cannot be made.
    ///
    /// Cancel safe: what was made is removed.
    pub async fn open(self) -> Result<Session, ExecutionError> {
        open(self).await
    }
}

impl Session {
    /// Says how a session over a spec is opened.
    pub fn builder(registry: &RuntimeRegistry, spec: EnvironmentSpec) -> SessionBuilder {
        SessionBuilder::new(registry.clone(), spec)
    }
}
