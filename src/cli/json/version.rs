//! What `version --json` prints.

use schemars::JsonSchema;
use serde::Serialize;

/// Which bailiwick this is.
#[derive(Clone, Debug, Serialize, JsonSchema)]
#[schemars(title = "version")]
pub(in crate::cli) struct VersionObject {
    /// The version of this object.
    pub(in crate::cli) version: u32,
    /// The version of bailiwick.
    pub(in crate::cli) bailiwick: &'static str,
    /// The runtimes that are registered, by name.
    pub(in crate::cli) runtimes: Vec<&'static str>,
}
