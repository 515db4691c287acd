//! The session: what belongs to it, and what it tells of itself.

use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError, Weak};
use std::time::Duration;

use super::state::StateCell;
use super::{SessionError, SessionState};
use crate::runtime::{AdmissionGroup, EnforcementTable, RuntimeRegistry, Seed, SubmissionRuntime, Unheld};
use crate::spec::{EnvironmentSpec, Limits, LimitsConfig, Mode, Provenance};
use crate::workspace::{
    Capture, Captured, ContentSource, Manifest, Placeholders, Reaper, ResolvedStaticAsset, Scan, Snapshot, SnapshotId,
    SnapshotStore, StagedAssets, StatCache, Tree, Workspace,
};

/// A spec opened over a workspace. Dropping it does what [`close`](Self::close) does, without reporting.
///
/// | call | evaluation | agent |
/// | --- | --- | --- |
/// | [`spawn`](Self::spawn) | `setup.commands`, then `eval_commands` | `setup.commands` |
/// | [`materialize_input_files`](Self::materialize_input_files), [`get_file_contents`](Self::get_file_contents) | yes | yes |
/// | [`update_snapshot`](Self::update_snapshot), [`reset`](Self::reset), [`fork`](Self::fork) | yes | yes |
/// | [`fork_from`](Self::fork_from), [`restore_from_snapshot_dir`](Self::restore_from_snapshot_dir) | yes | yes |
/// | [`finish_checkpoint`](Self::finish_checkpoint), [`resume`](Self::resume) | an error | yes |
/// | assets | read-only | read-only, and writable copies in the workspace |
#[derive(Debug)]
pub struct Session {
    pub(super) inner: Arc<Inner>,
}

#[derive(Debug)]
pub(super) struct Inner {
    pub(super) registry: RuntimeRegistry,
    /// Does what is left of runtimes that were dropped; `close` waits for it.
    pub(super) reaper: Arc<Reaper>,
    pub(super) spec: Arc<EnvironmentSpec>,
    pub(super) mode: Mode,
    /// Limits of spec level over the spec's own.
    pub(super) levels: Vec<(Provenance, LimitsConfig)>,
    pub(super) limits: Limits,
    pub(super) enforcement: Arc<EnforcementTable>,
    /// Limits that the spec asks for and nothing holds: dropped from `limits`.
    pub(super) unenforced: Vec<Unheld>,
    pub(super) isolation: &'static str,
    pub(super) admission: AdmissionGroup,
    pub(super) queue_timeout: Option<Duration>,
    pub(super) scope: Capture,
    pub(super) assets: Arc<[ResolvedStaticAsset]>,
    pub(super) staged: Mutex<Option<Arc<Staged>>>,
    pub(super) placeholders: Placeholders,
    pub(super) state: StateCell,
    pub(super) resettable: bool,
    pub(super) forked: bool,
    /// What its runtimes start from beside the workspace, in a fork.
    pub(super) seed: Option<Seed>,
    /// Where snapshots go; chosen at the first one.
    pub(super) store: OnceLock<SnapshotStore>,
    pub(super) runtimes: Mutex<Vec<Weak<dyn SubmissionRuntime>>>,
    pub(super) base: Mutex<BasePoint>,
    pub(super) workspace: Mutex<Option<Arc<Workspace>>>,
}

/// The staged tree of assets, in a place of its own: it counts to no guest's disk limit, and forks share it.
#[derive(Debug)]
pub(super) struct Staged {
    pub(super) assets: Arc<StagedAssets>,
    pub(super) home: Workspace,
}

/// What later states of the workspace are compared with, and what a reset goes back to.
#[derive(Debug)]
pub(super) struct BasePoint {
    pub(super) start: SnapshotId,
    pub(super) manifest: Arc<Manifest>,
    /// The same with its content, where that is in a store.
    pub(super) snapshot: Option<Snapshot>,
    pub(super) cache: StatCache,
    pub(super) captured: Option<Captured>,
    /// Whether this point is behind the start: a set-up ran, or the caller took a snapshot.
    pub(super) moved: bool,
}

impl BasePoint {
    pub(super) fn at(scan: Scan, captured: Option<Captured>) -> Self {
        let (start, manifest) = (scan.manifest.id(), Arc::new(scan.manifest));
        Self { start, manifest, snapshot: None, cache: scan.cache, captured, moved: false }
    }
}

impl BasePoint {
    /// Gives the tree, to be compared with a later one. Where its content is in no store it is read from the copy for
    /// resets, else from the workspace itself, which has what has not changed since.
    pub(super) fn tree<'a>(&'a self, workspace: &'a Workspace) -> Tree<'a> {
        let content: &dyn ContentSource = match (&self.snapshot, &self.captured) {
            (Some(snapshot), _) => snapshot,
            (None, Some(captured)) => captured.content(),
            (None, None) => workspace.dir(),
        };
        Tree { manifest: &self.manifest, content }
    }
}

impl Session {
    /// Gives the spec.
    pub fn spec(&self) -> &EnvironmentSpec {
        &self.inner.spec
    }

    /// Says who the session serves.
    pub fn mode(&self) -> Mode {
        self.inner.mode
    }

    /// Gives the limits that a spawn without its own would have in force.
    pub fn limits(&self) -> &Limits {
        &self.inner.limits
    }

    /// Says whether nothing stands between its guests and the host.
    pub fn is_bare(&self) -> bool {
        self.inner.isolation == "none"
    }

    /// Says where the session stands.
    pub fn state(&self) -> SessionState {
        self.inner.state.get()
    }

    /// Gives the id of the workspace as the session began, within the spec's globs.
    pub fn start(&self) -> SnapshotId {
        self.inner.base().start
    }
}

impl Inner {
    pub(super) fn base(&self) -> MutexGuard<'_, BasePoint> {
        self.base.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Gives the workspace, while the session has one.
    pub(super) fn workspace(&self) -> Result<Arc<Workspace>, SessionError> {
        let held = self.workspace.lock().unwrap_or_else(PoisonError::into_inner);
        held.clone().ok_or(SessionError::State { call: "workspace", state: SessionState::Closed })
    }

    /// Gives the staged assets, if the session has some and is not closed.
    pub(super) fn staged(&self) -> Option<Arc<Staged>> {
        self.staged.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    pub(super) fn runtimes(&self) -> MutexGuard<'_, Vec<Weak<dyn SubmissionRuntime>>> {
        self.runtimes.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Takes a spawned runtime in, unless the session was closed meanwhile.
    pub(super) fn remember(&self, runtime: &Arc<dyn SubmissionRuntime>) -> Result<(), SessionError> {
        let mut runtimes = self.runtimes();
        // Asked under the lock: a close that comes now finds the runtime.
        match self.state.get() {
            SessionState::Open | SessionState::Resetting => {}
            state @ SessionState::Closed => return Err(SessionError::State { call: "spawn", state }),
        }
        runtimes.retain(|runtime| runtime.strong_count() > 0);
        runtimes.push(Arc::downgrade(runtime));
        Ok(())
    }

    /// Gives the runtimes that are still in somebody's hands.
    pub(super) fn live(&self) -> Vec<Arc<dyn SubmissionRuntime>> {
        self.runtimes().iter().filter_map(Weak::upgrade).collect()
    }
}
