//! What `doctor --json` prints.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::Serialize;

use super::ErrorBody;

/// What this host can do.
#[derive(Clone, Debug, Serialize, JsonSchema)]
#[schemars(title = "doctor")]
pub(in crate::cli) struct DoctorObject {
    /// The version of this object.
    pub(in crate::cli) version: u32,
    /// The version of bailiwick.
    pub(in crate::cli) bailiwick: &'static str,
    /// Where bailiwick keeps things, by name; null where it keeps nothing.
    pub(in crate::cli) directories: BTreeMap<&'static str, Option<String>>,
    /// The runtimes that are registered, by name.
    pub(in crate::cli) runtimes: Vec<DoctorRuntime>,
    /// The required runtimes that cannot run.
    pub(in crate::cli) missing: Vec<String>,
}

/// What one runtime can do here.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub(in crate::cli) struct DoctorRuntime {
    /// Its `type`.
    #[serde(rename = "type")]
    pub(in crate::cli) ty: &'static str,
    /// Whether it can run.
    pub(in crate::cli) available: bool,
    /// Why it cannot run.
    pub(in crate::cli) error: Option<ErrorBody>,
    /// The engine and its version.
    pub(in crate::cli) engine: Option<String>,
    /// What stands between guest and host.
    pub(in crate::cli) isolation: Option<&'static str>,
    /// Whether `run` uses it when no runtime is named.
    pub(in crate::cli) default_for_run: bool,
    /// Whether `run` asks for `--allow-unsandboxed`.
    pub(in crate::cli) needs_consent: bool,
    /// Where its workspaces live.
    pub(in crate::cli) base: Option<String>,
    /// Facts about it, by name.
    pub(in crate::cli) facts: BTreeMap<String, String>,
    /// What costs walls here, each with what would mend it.
    pub(in crate::cli) weaker: Vec<String>,
    /// What costs speed here, each with what would mend it.
    pub(in crate::cli) slower: Vec<String>,
    /// What it holds with its default section, and by what.
    pub(in crate::cli) enforcement: Vec<EnforcementObject>,
}

/// One row of an enforcement table.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub(in crate::cli) struct EnforcementObject {
    /// A limit or a capability.
    pub(in crate::cli) subject: &'static str,
    /// How well it is held: `enforced`, `by construction`, `best effort`, `unsupported`.
    pub(in crate::cli) level: &'static str,
    /// By what means, or why not.
    pub(in crate::cli) by: String,
}
