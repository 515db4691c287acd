//! `type: scripted`, as another crate would bring it: section, options, placeholders, walls, probe, built-in spec.

use std::sync::Arc;
use std::sync::atomic::Ordering;

use async_trait::async_trait;
use bailiwick::spec::{LimitName, Problem};
use bailiwick::{
    BaseNeed, BuiltinSpec, Capability, Commands, EnforcementTable, ErrorKind, ExecutionError, Launch, Level, Progress,
    RuntimeInfo, RuntimeKind, StaticRoot, SubmissionRuntime,
};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::gates::Gates;
use super::guest::ScriptedGuest;

/// A runtime whose guests do in process what the words of their command say.
#[derive(Debug)]
pub(crate) struct Scripted {
    pub(crate) gates: Arc<Gates>,
    pub(crate) need: BaseNeed,
}

/// The section of `type: scripted`.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct ScriptedConfig {
    /// Where guests find assets; absent: at their path on the host.
    pub(crate) static_root: Option<String>,
    /// How many commands run at once.
    pub(crate) max_commands: Option<usize>,
    /// Whether lines go to a shell.
    pub(crate) shell: bool,
    /// Whether the guest has something to release, and whether that fails.
    pub(crate) release: Release,
    /// Limits that nothing holds.
    pub(crate) unsupported: Vec<String>,
    /// Limits that are sampled.
    pub(crate) sampled: Vec<String>,
    /// A section within the section.
    pub(crate) extra: Extra,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Release {
    #[default]
    Nothing,
    Something,
    Fails,
}

#[derive(Clone, Debug, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct Extra {
    pub(crate) note: Option<String>,
}

#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct ScriptedOptions {
    /// Printed on standard error before every command.
    pub(crate) banner: Option<String>,
}

impl Default for ScriptedConfig {
    fn default() -> Self {
        Self {
            static_root: Some("/assets".to_owned()),
            max_commands: None,
            shell: false,
            release: Release::Nothing,
            unsupported: vec!["file_size".to_owned()],
            sampled: Vec::new(),
            extra: Extra::default(),
        }
    }
}

const BUILTIN: BuiltinSpec = BuiltinSpec {
    name: "scripted-echo",
    about: "Commands whose words say what they do.",
    text: "type: scripted\nname: echo\ncommands: {command: 'out:hello'}\nscripted: {extra: {note: built in}}\n",
};

#[async_trait]
impl RuntimeKind for Scripted {
    const TYPE: &'static str = "scripted";
    type Config = ScriptedConfig;
    type Options = ScriptedOptions;

    fn check(&self, config: &ScriptedConfig) -> Vec<Problem> {
        let mut problems = Vec::new();
        if config.max_commands == Some(0) {
            problems.push(Problem::new("max_commands", "nothing could ever run").with_hint("ask for at least 1"));
        }
        if config.static_root.as_deref().is_some_and(|root| !root.starts_with('/')) {
            problems.push(Problem::new("static_root", "is not absolute"));
        }
        problems
    }

    fn enforcement(&self, config: &ScriptedConfig) -> EnforcementTable {
        let has = |names: &[String], limit: LimitName| names.iter().any(|name| name == limit.name());
        let limits = LimitName::ALL.into_iter().fold(EnforcementTable::default(), |table, limit| {
            if has(&config.unsupported, limit) {
                table.limit(limit, Level::Unsupported, "the script says so")
            } else if has(&config.sampled, limit) {
                table.limit(limit, Level::BestEffort, "looked at now and then")
            } else {
                table.limit(limit, Level::Enforced, "the words of the script")
            }
        });
        limits.capability(Capability::Ports, Level::Unsupported, "words listen on nothing")
    }

    fn isolation(&self, _: &ScriptedConfig) -> &'static str {
        "script"
    }

    fn needs_consent(&self) -> bool {
        true
    }

    fn base_need(&self) -> BaseNeed {
        self.need
    }

    fn static_root(&self, config: &ScriptedConfig) -> StaticRoot {
        config.static_root.clone().map_or(StaticRoot::Host, StaticRoot::Guest)
    }

    fn builtin_specs(&self) -> Vec<BuiltinSpec> {
        vec![BUILTIN]
    }

    async fn prepare(&self, config: &ScriptedConfig, progress: &dyn Progress) -> Result<(), ExecutionError> {
        progress.step("reading the script");
        match &config.extra.note {
            Some(note) if note == "not to be had" => {
                Err(ExecutionError::new(ErrorKind::Unavailable, "the script is not to be had"))
            }
            _ => Ok(()),
        }
    }

    async fn probe(&self) -> Result<RuntimeInfo, ExecutionError> {
        let mut info = RuntimeInfo::new("scripted 1.0");
        info.facts.push(("runs".to_owned(), self.gates.runs.load(Ordering::SeqCst).to_string()));
        Ok(info)
    }

    async fn spawn(
        &self,
        launch: Launch,
        config: Arc<ScriptedConfig>,
        options: ScriptedOptions,
    ) -> Result<Arc<dyn SubmissionRuntime>, ExecutionError> {
        let guest = ScriptedGuest::new(&launch, Arc::clone(&self.gates), config, options);
        Commands::open(Arc::new(guest), launch).await
    }
}
