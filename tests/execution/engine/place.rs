//! A session on Docker for a test, and what it made at the engine.

use std::collections::BTreeMap;
use std::sync::Arc;

use bailiwick::spec::{self, EnvironmentSpec, Mode};
use bailiwick::{Command, Host, RuntimeRegistry, RuntimeResult, Session, SpawnRequest, SubmissionRuntime};
use serde_json::{Value, json};

use super::{Raw, SMALL};

/// A session with a runtime.
pub(crate) struct Place {
    pub(crate) registry: RuntimeRegistry,
    pub(crate) session: Session,
    pub(crate) runtime: Arc<dyn SubmissionRuntime>,
    /// The label that all containers of this place bear.
    pub(crate) label: String,
}

/// What a place is made of.
#[derive(Clone, Debug)]
pub(crate) struct Wish {
    pub(crate) spec: Value,
    pub(crate) mode: Mode,
    pub(crate) request: SpawnRequest,
    pub(crate) host: Host,
}

impl Wish {
    /// Wishes for a spec with these keys of the section, and nothing else.
    pub(crate) fn new(section: Value) -> Self {
        let mut docker = json!({"image": SMALL, "pull": "never"});
        for (key, value) in section.as_object().into_iter().flatten() {
            docker[key] = value.clone();
        }
        let spec = json!({"type": "docker", "name": "test", "docker": docker});
        let mut host = Host::from_env(BTreeMap::new());
        host.dirs.shared_data.clear();
        Self { spec, mode: Mode::Evaluation, request: SpawnRequest::default(), host }
    }

    pub(crate) fn with(mut self, key: &str, value: Value) -> Self {
        self.spec[key] = value;
        self
    }

    pub(crate) fn agent(mut self) -> Self {
        self.mode = Mode::Agent;
        self
    }

    pub(crate) fn request(mut self, request: SpawnRequest) -> Self {
        self.request = request;
        self
    }

    pub(crate) fn registry(&self) -> RuntimeRegistry {
        RuntimeRegistry::builder(self.host.clone()).with_builtins().build().unwrap()
    }

    pub(crate) fn spec(&self, registry: &RuntimeRegistry) -> EnvironmentSpec {
        spec::from_value(self.spec.clone(), "test", registry, &[]).unwrap().spec
    }

    pub(crate) async fn open(self) -> Place {
        self.try_open().await.unwrap_or_else(|error| panic!("{error:?}"))
    }

    pub(crate) async fn try_open(self) -> Result<Place, bailiwick::ExecutionError> {
        let registry = self.registry();
        let spec = self.spec(&registry);
        let session = Session::builder(&registry, spec).mode(self.mode).open().await?;
        let runtime = match session.spawn(self.request).await {
            Ok(runtime) => runtime,
            Err(error) => {
                session.close().await?;
                return Err(error);
            }
        };
        let label = format!("bailiwick.owner={}", registry.owner()?.id());
        Ok(Place { registry, session, runtime, label })
    }
}

impl Place {
    pub(crate) async fn run(&self, command: Command) -> Arc<RuntimeResult> {
        self.runtime.execute(command).await.unwrap_or_else(|error| panic!("{error:?}"))
    }

    /// Runs a line of the shell.
    pub(crate) async fn sh(&self, line: &str) -> Arc<RuntimeResult> {
        self.run(Command::line(line)).await
    }

    /// Runs a line that must exit with 0, and gives what it printed.
    pub(crate) async fn text(&self, line: &str) -> String {
        let result = self.sh(line).await;
        assert!(result.termination.is_success(), "{line}: {result}\n{}", show(&result));
        result.stdout.text().unwrap()
    }

    /// Gives the ids of the containers of this place.
    pub(crate) fn containers(&self) -> Vec<String> {
        Raw::containers(&self.label).iter().map(|one| one["Id"].as_str().unwrap().to_owned()).collect()
    }

    /// Describes the one container of this place.
    pub(crate) fn inspect(&self) -> Value {
        let ids = self.containers();
        assert_eq!(ids.len(), 1, "{ids:?}");
        Raw::inspect(&ids[0])
    }

    /// Lists what lives in the container beside its own two processes, as the engine's host sees it.
    pub(crate) fn guests(&self) -> Vec<String> {
        let top = Raw::get(&format!("/containers/{}/top", self.containers()[0])).unwrap();
        let rows = top["Processes"].as_array().cloned().unwrap_or_default();
        let commands = rows.iter().map(|row| row.as_array().unwrap().last().unwrap().as_str().unwrap().to_owned());
        commands.filter(|command| !command.contains("docker-init") && command != "sleep 2147483647").collect()
    }

    /// Ends everything, and asserts that nothing is left at the engine.
    pub(crate) async fn close(self) {
        let label = self.label.clone();
        self.session.close().await.unwrap();
        drop(self.runtime);
        let left: Vec<_> = Raw::containers(&label).iter().map(|one| one["Names"].clone()).collect();
        assert!(left.is_empty(), "{left:?}");
    }
}

/// Shows what a command printed.
pub(crate) fn show(result: &RuntimeResult) -> String {
    let text = |bytes: &[u8]| String::from_utf8_lossy(&bytes[..bytes.len().min(2000)]).into_owned();
    format!("stdout: {}\nstderr: {}", text(&result.stdout.kept), text(&result.stderr.kept))
}

impl Place {
    /// Says whether the workspace has a file, by its descriptor of the host.
    pub(crate) fn has(&self, name: &str) -> bool {
        let found = self.inspect_quietly().and_then(|container| {
            let mounts = container["Mounts"].as_array()?.clone();
            let work = mounts.iter().find(|mount| mount["Destination"] == "/workspace")?;
            Some(std::path::Path::new(work["Source"].as_str()?).join(name).exists())
        });
        found.unwrap_or(false)
    }

    fn inspect_quietly(&self) -> Option<Value> {
        self.containers().first().map(|id| Raw::inspect(id))
    }
}
