//! The environment file as serde sees it, without the section of its type.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{CommandConfig, CompileConfig, EnvironmentConfig, LimitsConfig, SetupConfig, SnapshotConfig};

/// How submissions of one kind are run: set up, started, bounded and snapshotted.
#[derive(Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(title = "bailiwick environment spec")]
pub(super) struct Wire {
    /// The runtime that runs them; a section of the same name configures it.
    #[serde(rename = "type")]
    #[schemars(length(min = 1))]
    pub(super) ty: String,
    /// The name of the environment, for people.
    #[schemars(length(min = 1))]
    pub(super) name: String,
    /// The variables of the guest.
    #[serde(default)]
    pub(super) environment: EnvironmentConfig,
    /// What runs before the first command.
    #[serde(default)]
    pub(super) setup: SetupConfig,
    /// How sources become something that runs. Default: not at all.
    #[serde(default)]
    pub(super) compile: Option<CompileConfig>,
    /// How an entry file becomes a command line.
    #[serde(default)]
    pub(super) commands: CommandConfig,
    /// What snapshots keep.
    #[serde(default)]
    pub(super) snapshot: SnapshotConfig,
    /// What a guest may use.
    #[serde(default)]
    pub(super) limits: LimitsConfig,
}
