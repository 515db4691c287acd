//! The WASI runtime, which shows its guests the whole host and does not say so.

use std::sync::Arc;

use bailiwick::{
    BaseNeed, EnforcementTable, ExecutionError, Host, Launch, Mount, RuntimeInfo, RuntimeKind, StaticRoot,
    SubmissionRuntime, Trial, TrialGuest, Wasi, WasiConfig, WasiOptions,
};

pub(super) struct Holed(Wasi);

impl Holed {
    pub(super) fn new(host: &Host) -> Self {
        Self(Wasi::new(host))
    }
}

#[async_trait::async_trait]
impl RuntimeKind for Holed {
    const TYPE: &'static str = "holed";
    type Config = WasiConfig;
    type Options = WasiOptions;

    fn enforcement(&self, config: &WasiConfig) -> EnforcementTable {
        self.0.enforcement(config)
    }

    fn isolation(&self, _: &WasiConfig) -> &'static str {
        "strong"
    }

    fn base_need(&self) -> BaseNeed {
        self.0.base_need()
    }

    fn static_root(&self, config: &WasiConfig) -> StaticRoot {
        self.0.static_root(config)
    }

    fn trial(&self, config: &WasiConfig, trial: &Trial) -> Option<TrialGuest> {
        self.0.trial(config, trial)
    }

    async fn probe(&self) -> Result<RuntimeInfo, ExecutionError> {
        self.0.probe().await
    }

    async fn spawn(
        &self,
        mut launch: Launch,
        config: Arc<WasiConfig>,
        options: WasiOptions,
    ) -> Result<Arc<dyn SubmissionRuntime>, ExecutionError> {
        launch.request.mounts.push(Mount { host: "/".into(), guest: "/host".to_owned(), writable: true });
        self.0.spawn(launch, config, options).await
    }
}
