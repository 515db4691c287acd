//! The environment spec: how submissions of one kind are set up, started and bounded.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{LimitsConfig, Section, Span};

/// What snapshots leave out unless a spec replaces it: byte code, virtual environments, hidden tests.
pub const DEFAULT_IGNORE_GLOBS: [&str; 4] = ["*.pyc", "venv/*", ".venv/*", ".evaluation_tests/*"];

/// Who the session serves.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Mode {
    /// A submission is judged: tight limits, assets only read.
    #[default]
    Evaluation,
    /// An agent works: wide limits, writable copies of the assets, checkpoints.
    Agent,
}

impl Mode {
    /// Gives the word that the command line and results use.
    pub fn name(self) -> &'static str {
        match self {
            Self::Evaluation => "evaluation",
            Self::Agent => "agent",
        }
    }
}

/// How submissions of one kind are run: the whole of an environment file.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct EnvironmentSpec {
    /// The runtime that runs them, by the name it is registered under.
    pub ty: String,
    /// The name of the environment, for people.
    pub name: String,
    /// The variables of the guest.
    pub environment: EnvironmentConfig,
    /// What runs before the first command.
    pub setup: SetupConfig,
    /// How sources become something that runs. Default: not at all.
    pub compile: Option<CompileConfig>,
    /// How an entry file becomes a command line.
    pub commands: CommandConfig,
    /// What snapshots keep.
    pub snapshot: SnapshotConfig,
    /// What a guest may use, as the file says it.
    pub limits: LimitsConfig,
    /// What flags of the command line say over `limits`. Default: nothing.
    pub flag_limits: LimitsConfig,
    /// The runtime's own section, parsed by it.
    pub section: Arc<dyn Section>,
}

/// The variables that a guest sees.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
#[schemars(inline)]
#[non_exhaustive]
pub struct EnvironmentConfig {
    /// Variables by name. Default: none.
    pub env: BTreeMap<String, String>,
    /// Whether the host's own variables come first. Default: no.
    pub include_os_env: bool,
}

/// What runs before the first command of a runtime.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
#[schemars(inline)]
#[non_exhaustive]
pub struct SetupConfig {
    /// Command lines for every session. Default: none.
    pub commands: Vec<String>,
    /// Command lines added when evaluating, unseen by agents. Default: none.
    pub eval_commands: Vec<String>,
    /// Command lines after an agent's workspace was restored. Default: none.
    pub resume_commands: Vec<String>,
    /// What a failed set-up command means. Default: `continue`.
    pub on_failure: OnFailure,
    /// How long all of them may take together. Default: 10 minutes.
    pub wall_time: Span,
}

/// What a failed set-up command means for the commands after it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
#[schemars(inline)]
pub enum OnFailure {
    /// Commands do not start.
    Fail,
    /// Commands run, and the result's notes say what failed.
    #[default]
    Continue,
}

/// How sources become something that runs.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(inline)]
#[non_exhaustive]
pub struct CompileConfig {
    /// The command line.
    #[schemars(length(min = 1))]
    pub command: String,
    /// Globs of the files that it reads. Default: every file.
    #[serde(default)]
    pub sources: Vec<String>,
    /// Globs of the files that it makes. Default: whatever appears.
    #[serde(default)]
    pub outputs: Vec<String>,
    /// The runtime that runs it. Default: the spec's own.
    #[serde(default)]
    pub runtime: Option<String>,
    /// Limits of the compiler. Default: those of the spec.
    #[serde(default)]
    pub limits: LimitsConfig,
}

/// How an entry file becomes a command line.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
#[schemars(inline)]
#[non_exhaustive]
pub struct CommandConfig {
    /// The file that is started, with `{entry_file}` for the entry's name. Default: `{entry_file}`.
    pub entry_file: String,
    /// The words before it. Default: `python`.
    pub command: String,
    /// The words before it for agents. Default: as `command`.
    pub agent_command: Option<String>,
}

/// What snapshots keep.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
#[schemars(inline)]
#[non_exhaustive]
pub struct SnapshotConfig {
    /// Globs of what is kept. Default: everything.
    pub keep_globs: Option<Vec<String>>,
    /// Globs of what is left out, beside [`DEFAULT_IGNORE_GLOBS`]; they beat `keep_globs`.
    pub ignore_globs: Vec<String>,
    /// Whether `ignore_globs` stand instead of the defaults, not beside them. Default: no.
    pub replace_defaults: bool,
    /// How archives are compressed. Default: `gz`.
    pub compression: Compression,
    /// Where archives are saved. Default: they are not.
    pub archive_save_dir: Option<PathBuf>,
}

/// How an archive is compressed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
#[schemars(inline)]
pub enum Compression {
    /// Not at all.
    None,
    /// gzip.
    #[default]
    Gz,
    /// bzip2.
    Bz2,
    /// xz.
    Xz,
    /// Zstandard.
    Zst,
}

impl Default for SetupConfig {
    fn default() -> Self {
        Self {
            commands: Vec::new(),
            eval_commands: Vec::new(),
            resume_commands: Vec::new(),
            on_failure: OnFailure::default(),
            wall_time: Span(Duration::from_secs(600)),
        }
    }
}

impl Default for CommandConfig {
    fn default() -> Self {
        Self { entry_file: "{entry_file}".to_owned(), command: "python".to_owned(), agent_command: None }
    }
}

impl Default for SnapshotConfig {
    fn default() -> Self {
        Self {
            keep_globs: None,
            ignore_globs: DEFAULT_IGNORE_GLOBS.map(str::to_owned).to_vec(),
            replace_defaults: false,
            compression: Compression::default(),
            archive_save_dir: None,
        }
    }
}
