//! What a registry sees of the Docker runtime.

use std::sync::Arc;

use async_trait::async_trait;

use super::client::Clients;
use super::commit::Committed;
use super::config::BUILTIN_SPECS;
use super::facts::Facts;
use super::image::Image;
use super::mounts::STATIC_ROOT;
use super::{DockerConfig, DockerOptions, bake, gc, images, limits, spawn};
use crate::error::ExecutionError;
use crate::host::Host;
use crate::runtime::{
    BuiltinSpec, Cached, Commands, EnforcementTable, Guest, Launch, NoProgress, Progress, RuntimeInfo, RuntimeKind,
    StaticRoot, SubmissionRuntime, Trial, TrialGuest, posix_trial,
};
use crate::spec::{Mode, Problem};
use crate::workspace::{BaseNeed, GcMode, OwnerId};

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

    fn enforcement(&self, config: &DockerConfig) -> EnforcementTable {
        // An engine that was asked is known; a spawn holds the limits against what its own says in any case.
        let client = self.clients.client(config.host.as_deref());
        limits::enforcement(config, client.known_facts().unwrap_or(&Facts::default()))
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

    fn warnings(&self, config: &DockerConfig) -> Vec<Problem> {
        config.warnings()
    }

    fn mode_warnings(&self, config: &DockerConfig, mode: Mode) -> Vec<Problem> {
        config.mode_warnings(mode)
    }

    async fn release(&self, owner: &OwnerId, place: &str, mode: GcMode) -> Result<Vec<String>, ExecutionError> {
        Ok(gc::release(&self.clients.client(Some(place)), owner, mode).await?)
    }

    async fn prepare(&self, config: &DockerConfig, progress: &dyn Progress) -> Result<(), ExecutionError> {
        let client = self.clients.client(config.host.as_deref());
        images::ensure(&client, config, None, progress).await?;
        Ok(())
    }

    async fn cached(&self) -> Result<Vec<Cached>, ExecutionError> {
        Ok(images::list(&self.clients.client(None)).await?)
    }

    async fn evict(&self, cached: &Cached) -> Result<(), ExecutionError> {
        if cached.sort != images::SORT {
            return Ok(());
        }
        Ok(images::evict(&self.clients.client(None), &cached.name).await?)
    }

    fn trial(&self, _: &DockerConfig, trial: &Trial) -> Option<TrialGuest> {
        posix_trial(trial)
    }

    async fn probe(&self) -> Result<RuntimeInfo, ExecutionError> {
        let client = self.clients.client(None);
        Ok(limits::describe(client.endpoint(), client.facts().await?))
    }

    async fn spawn(
        &self,
        launch: Launch,
        config: Arc<DockerConfig>,
        options: DockerOptions,
    ) -> Result<Arc<dyn SubmissionRuntime>, ExecutionError> {
        let client = self.clients.client(config.host.as_deref());
        let seed = launch.seed.clone().and_then(|seed| seed.downcast::<Committed>().ok());
        let image = match &seed {
            // What the set-up made counts more than the image that it began from.
            Some(committed) if options.image.is_none() => Image::find(client.api().await?, &committed.image).await?,
            Some(_) | None => images::ensure(&client, &config, options.image.as_deref(), &NoProgress).await?,
        };
        let has_ports = !launch.request.ports.is_empty();
        let bake = match &seed {
            // What a fork starts from has it already.
            Some(_) => None,
            None => bake::begin(&client, &launch, (&config, &options), &image).await?,
        };
        let (guest, launch) = spawn::open(launch, (config, options), client, (image, bake)).await?;
        let shared: Arc<dyn Guest> = Arc::<spawn::DockerGuest>::clone(&guest);
        let runtime = Commands::open(shared, launch).await?;
        if has_ports {
            guest.make_ready().await?;
        }
        Ok(runtime)
    }
}
