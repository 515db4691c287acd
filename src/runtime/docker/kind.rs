//! What a registry sees of the Docker runtime.

use std::sync::Arc;

use async_trait::async_trait;

use super::client::{ANSWER, Clients, within};
use super::config::BUILTIN_SPECS;
use super::{DockerConfig, DockerOptions};
use crate::error::{ErrorKind, ExecutionError};
use crate::host::Host;
use crate::runtime::{BuiltinSpec, EnforcementTable, Launch, RuntimeInfo, RuntimeKind, StaticRoot, SubmissionRuntime};
use crate::spec::Problem;
use crate::workspace::BaseNeed;

/// Where a guest finds the staged assets.
const STATIC_ROOT: &str = "/static";

/// The Docker runtime: commands as execs in a container.
#[derive(Debug)]
pub struct Docker {
    clients: Clients,
}

impl Docker {
    /// Makes the kind. No engine is contacted before it is asked for something.
    pub fn new(host: &Host) -> Self {
        Self { clients: Clients::new(host.engine.clone()) }
    }
}

#[async_trait]
impl RuntimeKind for Docker {
    const TYPE: &'static str = "docker";
    type Config = DockerConfig;
    type Options = DockerOptions;

    fn check(&self, config: &DockerConfig) -> Vec<Problem> {
        config.check()
    }

    fn enforcement(&self, _: &DockerConfig) -> EnforcementTable {
        EnforcementTable::default()
    }

    fn isolation(&self, _: &DockerConfig) -> &'static str {
        "container"
    }

    fn base_need(&self) -> BaseNeed {
        BaseNeed::Directory
    }

    fn static_root(&self, _: &DockerConfig) -> StaticRoot {
        StaticRoot::Guest(STATIC_ROOT.to_owned())
    }

    fn builtin_specs(&self) -> Vec<BuiltinSpec> {
        BUILTIN_SPECS.to_vec()
    }

    async fn probe(&self) -> Result<RuntimeInfo, ExecutionError> {
        let client = self.clients.client(None);
        let api = client.api().await?;
        let version = within(ANSWER, "say its version", api.version()).await?;
        let mut info = RuntimeInfo::new(format!("docker {}", version.version.unwrap_or_default()));
        info.facts.push(("endpoint".to_owned(), client.endpoint().to_owned()));
        Ok(info)
    }

    async fn spawn(
        &self,
        _: Launch,
        _: Arc<DockerConfig>,
        _: DockerOptions,
    ) -> Result<Arc<dyn SubmissionRuntime>, ExecutionError> {
        Err(ExecutionError::new(ErrorKind::Unavailable, "the Docker runtime cannot run commands yet"))
    }
}
