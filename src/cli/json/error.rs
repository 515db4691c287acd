//! What `--json` prints instead of anything else when the command failed.

use schemars::JsonSchema;
use serde::Serialize;

/// A failure of the host, or a request that cannot be met.
#[derive(Clone, Debug, Serialize, JsonSchema)]
#[schemars(title = "error")]
pub(in crate::cli) struct ErrorObject {
    /// The version of this object.
    pub(in crate::cli) version: u32,
    /// What went wrong.
    pub(in crate::cli) error: ErrorBody,
}

/// What went wrong.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub(in crate::cli) struct ErrorBody {
    /// The sort of trouble: `usage`, `spec`, `unavailable`, `workspace` and the other kinds of the library.
    pub(in crate::cli) kind: String,
    /// What went wrong, in one fragment.
    pub(in crate::cli) message: String,
    /// What caused it, outermost first.
    pub(in crate::cli) causes: Vec<String>,
    /// What to do about it.
    pub(in crate::cli) hint: Option<String>,
}
