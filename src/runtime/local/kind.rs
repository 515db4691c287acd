//! What a registry sees of the local runtime.

use std::sync::{Arc, OnceLock};

use async_trait::async_trait;

use super::cgroup::Hierarchies;
use super::config::BUILTIN_SPECS;
use super::{LocalConfig, LocalOptions, limits, spawn};
use crate::error::ExecutionError;
use crate::host::Host;
use crate::runtime::{
    BuiltinSpec, Commands, EnforcementTable, Launch, RuntimeInfo, RuntimeKind, StaticRoot, SubmissionRuntime, Trial,
    TrialGuest, posix_trial,
};
use crate::spec::Problem;
use crate::workspace::BaseNeed;

/// The local runtime: plain processes of the host, without isolation.
#[derive(Debug, Default)]
pub struct Local {
    /// Looked at once, at the first question.
    hierarchies: OnceLock<Arc<Hierarchies>>,
}

impl Local {
    /// Makes the kind. Nothing is started or looked at before it is asked for something.
    pub fn new(_: &Host) -> Self {
        Self::default()
    }

    /// Makes a kind that finds no control groups, as on a host where none can be made.
    #[cfg(test)]
    pub(super) fn without_groups() -> Self {
        Self { hierarchies: OnceLock::from(Arc::default()) }
    }

    fn hierarchies(&self) -> &Arc<Hierarchies> {
        self.hierarchies.get_or_init(|| Arc::new(Hierarchies::open_ambient()))
    }
}

#[async_trait]
impl RuntimeKind for Local {
    const TYPE: &'static str = "local";
    type Config = LocalConfig;
    type Options = LocalOptions;

    fn check(&self, config: &LocalConfig) -> Vec<Problem> {
        config.check()
    }

    fn enforcement(&self, config: &LocalConfig) -> EnforcementTable {
        limits::enforcement(config, self.hierarchies())
    }

    fn isolation(&self, _: &LocalConfig) -> &'static str {
        "none"
    }

    fn needs_consent(&self) -> bool {
        true
    }

    fn base_need(&self) -> BaseNeed {
        BaseNeed::Directory
    }

    fn static_root(&self, _: &LocalConfig) -> StaticRoot {
        StaticRoot::Host
    }

    fn builtin_specs(&self) -> Vec<BuiltinSpec> {
        BUILTIN_SPECS.to_vec()
    }

    fn trial(&self, _: &LocalConfig, trial: &Trial) -> Option<TrialGuest> {
        posix_trial(trial)
    }

    async fn probe(&self) -> Result<RuntimeInfo, ExecutionError> {
        let mut info = RuntimeInfo::new("host processes");
        let kernel = rustix::system::uname();
        info.facts.push(("kernel".to_owned(), kernel.release().to_string_lossy().into_owned()));
        limits::describe(self.hierarchies(), &mut info);
        Ok(info)
    }

    async fn spawn(
        &self,
        launch: Launch,
        config: Arc<LocalConfig>,
        _: LocalOptions,
    ) -> Result<Arc<dyn SubmissionRuntime>, ExecutionError> {
        let (guest, launch) = spawn::open(launch, config, Arc::clone(self.hierarchies()))?;
        Commands::open(guest, launch).await
    }
}
