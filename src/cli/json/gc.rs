//! What `gc --json` prints.

use schemars::JsonSchema;
use serde::Serialize;

/// What was left behind, and what became of it.
#[derive(Clone, Debug, Serialize, JsonSchema)]
#[schemars(title = "gc")]
pub(in crate::cli) struct GcObject {
    /// The version of this object.
    pub(in crate::cli) version: u32,
    /// Whether nothing was removed.
    pub(in crate::cli) dry_run: bool,
    /// Directories and other things, as containers, that were removed, or would be.
    pub(in crate::cli) removed: Vec<String>,
    /// Directories whose owner left no lock and that nobody holds open; `--all` removes them.
    pub(in crate::cli) ownerless: Vec<String>,
    /// How many directories belong to owners that are alive.
    pub(in crate::cli) alive: usize,
    /// What became of the snapshot store; none where this host has no store.
    pub(in crate::cli) snapshots: Option<GcSnapshots>,
    /// What could not be removed.
    pub(in crate::cli) failures: Vec<GcFailure>,
}

/// The snapshot store, and what nothing reached in it.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub(in crate::cli) struct GcSnapshots {
    /// Snapshots that are kept.
    pub(in crate::cli) kept: u64,
    /// Snapshots that living processes hold.
    pub(in crate::cli) held: u64,
    /// Snapshots that nobody keeps or holds: removed, or would be.
    pub(in crate::cli) removed: u64,
    /// Blobs that only these had.
    pub(in crate::cli) blobs: u64,
    /// The bytes that were given back, or would be.
    pub(in crate::cli) bytes: u64,
}

/// One thing that could not be removed.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub(in crate::cli) struct GcFailure {
    /// The thing.
    pub(in crate::cli) path: String,
    /// Why not.
    pub(in crate::cli) message: String,
}
