//! What `prepare --json` prints.

use schemars::JsonSchema;
use serde::Serialize;

/// A spec whose runtime has what it needs.
#[derive(Clone, Debug, Serialize, JsonSchema)]
#[schemars(title = "prepare")]
pub(in crate::cli) struct PrepareObject {
    /// The version of this object.
    pub(in crate::cli) version: u32,
    /// The runtime.
    pub(in crate::cli) runtime: String,
    /// The name of the environment.
    pub(in crate::cli) name: String,
    /// A hash of the spec with every default written out.
    pub(in crate::cli) spec_id: String,
}
