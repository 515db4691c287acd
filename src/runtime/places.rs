//! Where a registry keeps things: workspaces by what their kind needs, and snapshots. Each is chosen at its first use.

use std::sync::OnceLock;

use crate::error::ExecutionError;
use crate::host::Host;
use crate::workspace::{Base, BaseNeed, SnapshotStore};

/// The directory of the snapshot store, below the data directory.
const SNAPSHOTS: &str = "snapshots";

/// The places of one registry: all its workspaces share one budget of memory, all its sessions one snapshot store.
#[derive(Debug, Default)]
pub(super) struct Places {
    detached: OnceLock<Base>,
    directory: OnceLock<Base>,
    snapshots: OnceLock<SnapshotStore>,
}

impl Places {
    pub(super) fn base(&self, host: &Host, need: BaseNeed) -> Result<Base, ExecutionError> {
        let chosen = match need {
            BaseNeed::Detached => &self.detached,
            BaseNeed::Directory => &self.directory,
        };
        if let Some(base) = chosen.get() {
            return Ok(base.clone());
        }
        let base = Base::choose(host, need)?;
        Ok(chosen.get_or_init(|| base).clone())
    }

    pub(super) fn snapshots(&self, host: &Host) -> Result<Option<SnapshotStore>, ExecutionError> {
        let Some(data) = &host.dirs.data else { return Ok(None) };
        if let Some(store) = self.snapshots.get() {
            return Ok(Some(store.clone()));
        }
        let store = SnapshotStore::open_ambient(&data.join(SNAPSHOTS))?;
        Ok(Some(self.snapshots.get_or_init(|| store).clone()))
    }
}
