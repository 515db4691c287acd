//! A program: a module that a command name stands for, with what it needs around it.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// A program as a spec writes it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ProgramConfig {
    /// The module: a path on the host. Either this or `use`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub module: Option<String>,
    /// A program of the catalogue, as `name@version`, or as `name` for the one that was installed last.
    #[serde(rename = "use", default, skip_serializing_if = "Option::is_none")]
    pub installed: Option<String>,
    /// Everything else about it.
    #[serde(flatten)]
    pub program: Program,
}

/// What a program is beyond its module.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Program {
    /// Its version, for people and for the result.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub version: Option<String>,
    /// The export that is called. Default: `_start`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub entry: Option<String>,
    /// Words between the program's name and the command's own. Default: none.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub args: Vec<String>,
    /// Variables that the program always has, below those of the spec. Default: none.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub env: BTreeMap<String, String>,
    /// Directories of the host that it reads. Default: none.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub mounts: Vec<ProgramMount>,
    /// What becomes of imports that nothing provides. Default: the program is refused.
    #[serde(default)]
    pub unknown_imports: UnknownImports,
    /// Where the exit code comes from. Default: `proc_exit`, or 0 when the entry returns.
    #[serde(default)]
    pub exit_code: ExitCode,
}

impl Program {
    /// Gives the name of the export that is called.
    pub fn entry(&self) -> &str {
        self.entry.as_deref().unwrap_or("_start")
    }
}

/// A directory that a program reads, always read-only.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ProgramMount {
    /// The directory on the host.
    pub host: String,
    /// The absolute path that the guest sees.
    pub guest: String,
}

/// Where a program's exit code comes from.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum ExitCode {
    /// From `proc_exit`, or 0 when the entry returns.
    #[default]
    ProcExit,
    /// From the number that the entry returns.
    FromEntry,
}

/// What becomes of imports that nothing provides: one policy for all, or one by name (`module.name`).
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(untagged)]
pub enum UnknownImports {
    /// One policy for all.
    All(UnknownPolicy),
    /// A policy by name; what is not named is refused.
    Named(BTreeMap<String, UnknownPolicy>),
}

/// What becomes of one import that nothing provides.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum UnknownPolicy {
    /// The module is not started.
    #[default]
    Refuse,
    /// Calling it is a trap.
    Trap,
    /// Calling it gives zeros.
    Default,
}

impl Default for UnknownImports {
    fn default() -> Self {
        Self::All(UnknownPolicy::Refuse)
    }
}

impl UnknownImports {
    /// Gives the policy for one import.
    pub fn policy(&self, module: &str, name: &str) -> UnknownPolicy {
        match self {
            Self::All(policy) => *policy,
            Self::Named(names) => names.get(&format!("{module}.{name}")).copied().unwrap_or_default(),
        }
    }
}
