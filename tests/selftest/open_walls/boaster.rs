//! The local runtime, with walls that it does not have.

use std::sync::Arc;

use bailiwick::{
    BaseNeed, Capability, EnforcementTable, ExecutionError, Host, Launch, Level, Local, LocalConfig, LocalOptions,
    RuntimeInfo, RuntimeKind, StaticRoot, Subject, SubmissionRuntime, Trial, TrialGuest,
};

pub(super) struct Boaster(Local);

impl Boaster {
    pub(super) fn new() -> Self {
        Self(Local::new(&Host::default()))
    }
}

#[async_trait::async_trait]
impl RuntimeKind for Boaster {
    const TYPE: &'static str = "boaster";
    type Config = LocalConfig;
    type Options = LocalOptions;

    fn enforcement(&self, config: &LocalConfig) -> EnforcementTable {
        let mut table = self.0.enforcement(config);
        let walls = [Capability::Files, Capability::Network].map(Subject::Capability);
        for row in table.rows.iter_mut().filter(|row| walls.contains(&row.subject)) {
            row.level = Level::Enforced;
        }
        table
    }

    fn isolation(&self, _: &LocalConfig) -> &'static str {
        "strong"
    }

    fn base_need(&self) -> BaseNeed {
        self.0.base_need()
    }

    fn static_root(&self, config: &LocalConfig) -> StaticRoot {
        self.0.static_root(config)
    }

    fn trial(&self, config: &LocalConfig, trial: &Trial) -> Option<TrialGuest> {
        self.0.trial(config, trial)
    }

    async fn probe(&self) -> Result<RuntimeInfo, ExecutionError> {
        self.0.probe().await
    }

    async fn spawn(
        &self,
        launch: Launch,
        config: Arc<LocalConfig>,
        options: LocalOptions,
    ) -> Result<Arc<dyn SubmissionRuntime>, ExecutionError> {
        self.0.spawn(launch, config, options).await
    }
}
