//! One container: made, started, killed, started again, removed.

use std::net::IpAddr;
use std::pin::Pin;
use std::time::{Duration, Instant};

use bollard::errors::Error as ApiError;
use bollard::models::EventMessage;
use bollard::query_parameters::{
    CreateContainerOptionsBuilder, EventsOptionsBuilder, KillContainerOptionsBuilder, RemoveContainerOptionsBuilder,
};
use futures_util::Stream;

use super::cgroups::Groups;
use super::client::{ANSWER, within};
use super::facts::Facts;
use super::init::Init;
use super::plan::Plan;
use super::usage::Counters;
use super::{DockerConfig, DockerError, network};
use crate::workspace::Workspace;

/// How long an engine may take to make or start a container.
const WORK: Duration = Duration::from_secs(60);
/// How long an engine may take to kill a container.
const KILL: Duration = Duration::from_secs(15);
/// How long what was killed by its first process is waited for before the engine is asked: a container that is paused
/// ends only by the engine.
const AT_ONCE: Duration = Duration::from_secs(1);
/// How often an engine counts.
const SECOND: Duration = Duration::from_secs(1);
/// How often a dying container is looked at.
const LOOK: Duration = Duration::from_millis(5);

/// What the engine tells of a container while it lives.
pub(super) type Events = Pin<Box<dyn Stream<Item = Result<EventMessage, ApiError>> + Send>>;

/// A container of ours.
pub(super) struct Container {
    pub(super) id: String,
    running: bool,
    /// Whether it is on a bridge that only the set-up may use.
    bridged: bool,
    /// Its address on the internal network.
    pub(super) address: Option<IpAddr>,
    /// Its counters when the last command had ended.
    pub(super) counters: Option<Counters>,
    /// Its groups, where they are this host's.
    groups: Option<Groups>,
    /// Its first process, where that is one of this host.
    init: Option<Init>,
    /// When the engine was asked for counters last.
    asked: Option<Instant>,
    /// What its own files take, where that was looked at since the last command.
    pub(super) layer: Option<u64>,
    pub(super) events: Option<Events>,
}

impl std::fmt::Debug for Container {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Container").field("id", &self.id).field("running", &self.running).finish_non_exhaustive()
    }
}

impl Container {
    /// Makes a container, not running yet.
    ///
    /// Not cancel safe: the engine may have made it all the same, under the name of the plan.
    pub(super) async fn make(
        api: &bollard::Docker,
        plan: &Plan,
        config: &DockerConfig,
        (facts, workspace): (&Facts, &Workspace),
    ) -> Result<Self, DockerError> {
        if plan.network.is_internal() {
            network::make_internal(api).await?;
        }
        let mut body = plan.body(config, facts, plan.mounts.for_engine(workspace)?);
        let options = || Some(CreateContainerOptionsBuilder::new().name(&plan.name).build());
        let mut made = within(WORK, "make a container", api.create_container(options(), body.clone())).await;
        // What a driver can size depends on how its file system was made, which no engine says.
        let is_unsized = |error: &DockerError| error.refusal().is_some_and(|(_, why)| why.contains("storage-opt"));
        if made.as_ref().is_err_and(is_unsized) {
            body.host_config = body.host_config.map(|host| bollard::models::HostConfig { storage_opt: None, ..host });
            made = within(WORK, "make a container", api.create_container(options(), body)).await;
        }
        let made = made.map_err(|error| refused(error, &plan.image.name))?;
        let bridged = plan.network.leaves_bridge();
        Ok(Self {
            id: made.id,
            running: false,
            bridged,
            address: None,
            counters: None,
            groups: None,
            init: None,
            asked: None,
            layer: Some(0),
            events: None,
        })
    }

    pub(super) fn is_running(&self) -> bool {
        self.running
    }

    /// Starts it, or starts it again: its own files are as they were, `/tmp` is empty.
    ///
    /// Not cancel safe: whether it runs is unknown then.
    pub(super) async fn start(
        &mut self,
        api: &bollard::Docker,
        plan: &Plan,
        workspace: &Workspace,
    ) -> Result<(), DockerError> {
        // A guest may have put a link where a mount of the workspace leads to.
        plan.mounts.for_engine(workspace)?;
        within(WORK, "start a container", api.start_container(&self.id, None))
            .await
            .map_err(|error| refused(error, &plan.image.name))?;
        (self.running, self.counters, self.asked) = (true, None, None);
        self.events = Some(self.listen(api));
        if plan.network.is_internal() && self.bridged {
            network::join_internal(api, &self.id).await?;
        }
        let found = within(ANSWER, "describe a container", api.inspect_container(&self.id, None)).await?;
        self.address = network::own_address(found.network_settings.as_ref());
        let pid = found.state.and_then(|state| state.pid).filter(|pid| *pid > 0);
        self.groups = pid.and_then(|pid| Groups::open_ambient(pid, &self.id));
        self.init = pid.and_then(|pid| Init::open_ambient(pid, &self.id));
        Ok(())
    }

    /// Looks at its counters: in the host's own files, else the engine is asked, which answers once a second.
    ///
    /// Where the engine would have to wait, nothing is known but what it says of processes.
    ///
    /// Cancel safe.
    pub(super) async fn count(&mut self, api: &bollard::Docker) -> Result<Counters, DockerError> {
        if let Some(groups) = &self.groups {
            return Ok(groups.read().unwrap_or_default());
        }
        if self.asked.is_none_or(|asked| asked.elapsed() >= SECOND) {
            let counters = Counters::ask(api, &self.id).await?;
            self.asked = Some(Instant::now());
            return Ok(counters);
        }
        let listed = within(ANSWER, "list processes", api.top_processes(&self.id, None)).await;
        let tasks = match listed {
            Ok(listed) => u64::try_from(listed.processes.unwrap_or_default().len()).ok(),
            // Not running.
            Err(error) if matches!(error.status(), Some(404 | 409 | 500)) => None,
            Err(error) => return Err(error),
        };
        Ok(Counters { tasks, ..Counters::default() })
    }

    /// Looks at its counters where that costs nothing.
    pub(super) fn count_at_once(&self) -> Option<Counters> {
        self.groups.as_ref().and_then(Groups::read)
    }

    /// Takes it off what only the set-up may use. Idempotent.
    ///
    /// Cancel safe.
    pub(super) async fn end_setup(&mut self, api: &bollard::Docker) -> Result<(), DockerError> {
        if self.bridged {
            network::leave_bridge(api, &self.id).await?;
            self.bridged = false;
        }
        Ok(())
    }

    fn listen(&self, api: &bollard::Docker) -> Events {
        let values = |values: &[&str]| values.iter().map(|value| (*value).to_owned()).collect::<Vec<_>>();
        let filters = [("container".to_owned(), vec![self.id.clone()]), ("event".to_owned(), values(&["oom", "die"]))];
        let options = EventsOptionsBuilder::new().filters(&filters.into_iter().collect()).build();
        Box::pin(api.events(Some(options)))
    }

    /// Kills everything in it, and waits until nothing is alive. Idempotent.
    ///
    /// Cancel safe: it may be called again.
    pub(super) async fn kill(&mut self, api: &bollard::Docker) -> Result<(), DockerError> {
        self.strike_at_once().await;
        self.strike(api).await?;
        self.await_end(api).await
    }

    /// Kills everything in it without the engine; says whether nothing is alive. The engine has still to be asked:
    /// what it holds for the container ends with that.
    ///
    /// Cancel safe: it may be called again.
    pub(super) async fn strike_at_once(&mut self) -> bool {
        let Some(init) = self.init.as_ref().filter(|init| init.kill()) else { return false };
        tokio::time::timeout(AT_ONCE, init.ended()).await.unwrap_or(false)
    }

    /// Kills everything in it; an engine answers when it has ended. Idempotent.
    ///
    /// Cancel safe: it may be called again.
    pub(super) async fn strike(&mut self, api: &bollard::Docker) -> Result<(), DockerError> {
        let options = KillContainerOptionsBuilder::new().signal("KILL").build();
        match within(KILL, "kill the container", api.kill_container(&self.id, Some(options))).await {
            // Not running, or not there.
            Err(error) if !matches!(error.status(), Some(404 | 409)) => Err(error),
            Ok(()) | Err(_) => Ok(()),
        }
    }

    /// Waits until it has ended, whatever the engine has said.
    ///
    /// Cancel safe: it may be called again.
    pub(super) async fn await_end(&mut self, api: &bollard::Docker) -> Result<(), DockerError> {
        let dead = async {
            while is_alive(api, &self.id).await? {
                tokio::time::sleep(LOOK).await;
            }
            Ok::<(), DockerError>(())
        };
        let too_long = DockerError::TimedOut { action: "kill the container", within: KILL };
        tokio::time::timeout(KILL, dead).await.map_err(|_| too_long)??;
        (self.running, self.counters, self.events, self.groups, self.init) = (false, None, None, None, None);
        Ok(())
    }

    /// Looks whether it still runs, and remembers it.
    ///
    /// # Errors
    /// [`DockerError::Gone`] where it was removed.
    ///
    /// Cancel safe.
    pub(super) async fn look(&mut self, api: &bollard::Docker) -> Result<bool, DockerError> {
        let found = within(ANSWER, "describe a container", api.inspect_container(&self.id, None)).await;
        match found {
            Ok(found) => {
                self.running = found.state.and_then(|state| state.running).unwrap_or(false);
                Ok(self.running)
            }
            Err(error) if error.status() == Some(404) => Err(DockerError::Gone),
            Err(error) => Err(error),
        }
    }
}

async fn is_alive(api: &bollard::Docker, id: &str) -> Result<bool, DockerError> {
    match within(ANSWER, "describe a container", api.inspect_container(id, None)).await {
        Ok(found) => Ok(found.state.and_then(|state| state.running).unwrap_or(false)),
        Err(error) if error.status() == Some(404) => Ok(false),
        Err(error) => Err(error),
    }
}

/// Removes a container by id or name, dead or alive, with its volumes. Idempotent.
///
/// Cancel safe: it may be called again.
pub(super) async fn remove(api: &bollard::Docker, container: &str) -> Result<(), DockerError> {
    let options = RemoveContainerOptionsBuilder::new().force(true).v(true).build();
    match within(KILL, "remove a container", api.remove_container(container, Some(options))).await {
        // Not there, or its removal is under way.
        Err(error) if matches!(error.status(), Some(404 | 409)) => Ok(()),
        done => done,
    }
}

/// Tells apart why a container could not be made or started.
fn refused(error: DockerError, image: &str) -> DockerError {
    let Some((status, why)) = error.refusal() else { return error };
    let why = why.to_owned();
    let has = |part: &str| why.contains(part);
    if status == 404 && has("No such image") {
        return DockerError::NoImage { image: image.to_owned() };
    }
    if has("bind source path does not exist") {
        return DockerError::Blind;
    }
    if has("port is already allocated") || has("address already in use") {
        if let DockerError::Api { source, .. } = error {
            return DockerError::PortTaken { source };
        }
        return error;
    }
    if has("network") && (has("not found") || has("No such network")) {
        return DockerError::NoNetwork { why: "there is no network of that name" };
    }
    if has("executable file not found") || has("no such file or directory") && has("sleep") {
        return DockerError::Keeper { image: image.to_owned(), why: "it has no `sleep`".to_owned() };
    }
    error
}
