//! What the `cache` commands print with `--json`.

use schemars::JsonSchema;
use serde::Serialize;

/// What runtimes, and bailiwick itself, keep to be faster next time, the least recently used first.
#[derive(Clone, Debug, Serialize, JsonSchema)]
#[schemars(title = "cache")]
pub(in crate::cli) struct CacheObject {
    /// The version of this object.
    pub(in crate::cli) version: u32,
    /// What is kept.
    pub(in crate::cli) kept: Vec<CachedObject>,
    /// The bytes that it takes.
    pub(in crate::cli) bytes: u64,
    /// What was removed.
    pub(in crate::cli) removed: Vec<CachedObject>,
    /// The bytes that it took.
    pub(in crate::cli) removed_bytes: u64,
}

/// One thing that is kept.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub(in crate::cli) struct CachedObject {
    /// The runtime that keeps it; absent where no runtime does.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(in crate::cli) runtime: Option<&'static str>,
    /// What sort of thing it is: `module`, `download`, `image`; without a runtime `asset`, `submission`.
    pub(in crate::cli) sort: &'static str,
    /// Its name.
    pub(in crate::cli) name: String,
    /// The bytes that it takes.
    pub(in crate::cli) bytes: u64,
    /// When it was used last, as RFC 3339 writes it.
    pub(in crate::cli) used: String,
}
