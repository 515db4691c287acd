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
    /// Directories that were removed, or would be.
    pub(in crate::cli) removed: Vec<String>,
    /// Directories whose owner left no lock and that nobody holds open; `--all` removes them.
    pub(in crate::cli) ownerless: Vec<String>,
    /// How many directories belong to owners that are alive.
    pub(in crate::cli) alive: usize,
    /// What could not be removed.
    pub(in crate::cli) failures: Vec<GcFailure>,
}

/// One thing that could not be removed.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub(in crate::cli) struct GcFailure {
    /// The thing.
    pub(in crate::cli) path: String,
    /// Why not.
    pub(in crate::cli) message: String,
}
