//! One spawned runtime: what its commands share, and what outlives them.

use std::collections::BTreeMap;
use std::net::{IpAddr, SocketAddr};
use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};

use async_trait::async_trait;
use tokio::sync::Mutex as AsyncMutex;

use super::bake::{Bake, Found};
use super::cell::{Cell, Held};
use super::client::Client;
use super::facts::Facts;
use super::image::Image;
use super::mounts::{Asked, Mounts, STATIC_ROOT};
use super::network::Network;
use super::plan::{Plan, TEMP};
use super::transfer::{Ferry, Listing};
use super::users::User;
use super::{DockerConfig, DockerError, DockerOptions, labels, run};
use crate::error::{ErrorKind, ExecutionError};
use crate::runtime::{CommandLine, Ending, Guest, Job, Launch, Machine, Seed, SetupOutcome, SolutionRuntimeError};
use crate::spec::{Bound, LimitName, Mode, Provenance};
use crate::workspace::{Owner, Reaper, Workspace};

/// What the commands of one Docker runtime share.
#[derive(Debug)]
pub(super) struct Inner {
    pub(super) client: Arc<Client>,
    pub(super) facts: Facts,
    pub(super) config: Arc<DockerConfig>,
    pub(super) plan: Plan,
    pub(super) user: User,
    /// The user with its numbers, once the image was asked for them.
    pub(super) known_user: OnceLock<User>,
    pub(super) workspace: Arc<Workspace>,
    pub(super) mode: Mode,
    pub(super) reaper: Arc<Reaper>,
    pub(super) owner: Arc<Owner>,
    pub(super) granted: BTreeMap<String, String>,
    /// The search path of commands that set none; absent: the image's.
    search: Option<String>,
    pub(super) held: Arc<AsyncMutex<Held>>,
    /// Whether nothing runs any more that may use what only the set-up may.
    pub(super) setup_over: AtomicBool,
    /// What this session was forked from; held while a container is made of it.
    _seed: Option<Seed>,
    /// What becomes part of an image, or is.
    pub(super) bake: Option<Bake>,
    /// Whether the workspace is carried in and out, and not mounted.
    pub(super) ferried: bool,
    /// Whether it sees more of the host than its workspace and its assets.
    has_mounts: bool,
    address: Mutex<Option<IpAddr>>,
}

/// The guest of a container.
#[derive(Debug)]
pub(super) struct DockerGuest {
    pub(super) inner: Arc<Inner>,
}

/// Makes a guest of a launch: asks the engine for what it is and for the image, and makes no container yet.
///
/// # Errors
/// No engine, no image, a mount, a network or a user that cannot be had, and limits that this engine cannot hold.
///
/// Cancel safe.
pub(super) async fn open(
    mut launch: Launch,
    (config, options): (Arc<DockerConfig>, DockerOptions),
    client: Arc<Client>,
    (image, bake): (Image, Option<Bake>),
) -> Result<(Arc<DockerGuest>, Launch), ExecutionError> {
    let facts = client.facts().await?.clone();
    launch.hold(&super::limits::enforcement(&config, &facts), "docker")?;
    // The default is meant for WebAssembly; a native program has the engine's own.
    if launch.limits.get(LimitName::Stack).from == Provenance::Default {
        launch.limits.set(LimitName::Stack, Bound { value: None, from: Provenance::Default });
    }
    // Before anything is made: whoever finds this owner dead knows where to look.
    launch.owner.note("docker", client.endpoint())?;
    let user = User::choose(options.user.as_deref().or(config.user.as_deref()), &launch)?;
    let found = bake.as_ref().and_then(|bake| bake.found.as_ref());
    let image = found.map_or(image, |found| found.image.clone());
    let baked = found.map(|found| found.workspace.clone());
    let ferried = is_ferried(&launch, (&config, &user), (&client, &image)).await?;
    let has_setup = found.is_none() && !launch.setup_lines().is_empty();
    let plan = plan(&launch, (&config, ferried, has_setup), &facts, (&client, image))?;
    let os = launch.spec.environment.include_os_env.then(|| launch.host.env.get("PATH")).flatten();
    let chosen = [launch.request.env.get("PATH"), launch.spec.environment.env.get("PATH"), os];
    let inner = Inner {
        known_user: OnceLock::new(),
        _seed: launch.seed.clone(),
        workspace: Arc::clone(&launch.workspace),
        mode: launch.mode,
        reaper: Arc::clone(&launch.reaper),
        owner: Arc::clone(&launch.owner),
        granted: granted(&config),
        search: chosen.into_iter().flatten().next().cloned(),
        held: Arc::new(AsyncMutex::new(Held::new(ferry(&launch, (&config, ferried), baked)))),
        setup_over: AtomicBool::new(false),
        ferried: ferried != Ferried::Nothing,
        has_mounts: has_mounts(&launch, &config),
        address: Mutex::default(),
        bake,
        client,
        facts,
        config,
        plan,
        user,
    };
    Ok((Arc::new(DockerGuest { inner: Arc::new(inner) }), launch))
}

fn plan(
    launch: &Launch,
    (config, ferried, has_setup): (&DockerConfig, Ferried, bool),
    facts: &Facts,
    (client, image): (&Client, Image),
) -> Result<Plan, DockerError> {
    let number = launch.owner.number();
    let closed = [Some(PathBuf::from(&facts.root)), client.socket()].into_iter().flatten();
    let asked = Asked {
        config,
        mount_workspace: ferried == Ferried::Nothing,
        spawn: &launch.request.mounts,
        assets: launch.assets_path.clone().filter(|_| launch.assets.is_some() && ferried != Ferried::Everything),
        closed: closed.filter(|path| path.is_absolute()).collect(),
    };
    Ok(Plan {
        name: labels::name(launch.owner.id(), number),
        image,
        labels: labels::of_container(launch, number),
        limits: launch.limits.clone(),
        mounts: Mounts::of(&asked)?,
        network: Network::choose(config, &launch.request.ports, has_setup, facts)?,
    })
}

/// What goes into the container through the engine's API, and is not mounted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Ferried {
    Nothing,
    /// The workspace, because the spec wants it so.
    Workspace,
    /// The assets too: the engine does not see our files.
    Everything,
}

fn has_mounts(launch: &Launch, config: &DockerConfig) -> bool {
    !config.extra_mounts.is_empty() || !launch.request.mounts.is_empty()
}

/// Decides by a look at what the engine sees.
async fn is_ferried(
    launch: &Launch,
    (config, user): (&DockerConfig, &User),
    (client, image): (&Client, &Image),
) -> Result<Ferried, DockerError> {
    let own = rustix::process::geteuid();
    // What another user makes in a mounted workspace only root could remove again.
    let is_ours = own.is_root() || user.ids.is_some_and(|ids| ids.0 == own.as_raw());
    let has_mounts = has_mounts(launch, config);
    let labels = labels::of_owner(launch.owner.id());
    let sees = client.sees(&launch.workspace, (&image.id, &labels)).await?;
    let ferried = match (sees, config.mount_workspace && is_ours) {
        (true, true) => return Ok(Ferried::Nothing),
        (true, false) => Ferried::Workspace,
        (false, _) if has_mounts => return Err(DockerError::Blind),
        (false, _) => Ferried::Everything,
    };
    if config.read_only_root {
        return Err(DockerError::Mount {
            path: config.workdir.clone(),
            why: "nothing can be copied into a container whose files are read-only",
        });
    }
    Ok(ferried)
}

fn ferry(launch: &Launch, (config, ferried): (&DockerConfig, Ferried), baked: Option<Listing>) -> Option<Ferry> {
    let assets = launch.assets.clone().map(|assets| (assets, STATIC_ROOT.to_owned()));
    let workspace = Arc::clone(&launch.workspace);
    match ferried {
        Ferried::Nothing => None,
        Ferried::Workspace => Some(Ferry::new(workspace, &config.workdir, None).with_baked(baked)),
        Ferried::Everything => Some(Ferry::new(workspace, &config.workdir, assets).with_baked(baked)),
    }
}

/// Lists the variables that every command starts with; what the image sets wins over them.
fn granted(config: &DockerConfig) -> BTreeMap<String, String> {
    let variables = [("HOME", TEMP), ("TMPDIR", TEMP), ("PWD", config.workdir.as_str()), ("LANG", "C.UTF-8")];
    variables.into_iter().map(|(name, value)| (name.to_owned(), value.to_owned())).collect()
}

impl Inner {
    /// Gives the baked image that its containers are made of, where there was one.
    pub(super) fn found(&self) -> Option<&Found> {
        self.bake.as_ref()?.found.as_ref()
    }

    pub(super) fn set_address(&self, address: Option<IpAddr>) {
        *self.address() = address;
    }

    fn address(&self) -> MutexGuard<'_, Option<IpAddr>> {
        self.address.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl DockerGuest {
    /// Makes the container before the first command: where its address is to be known, or a port to be had.
    ///
    /// # Errors
    /// A container that cannot be made or started.
    ///
    /// Cancel safe: what was begun is removed with the runtime.
    pub(super) async fn make_ready(&self) -> Result<(), ExecutionError> {
        let mut cell = Cell::enter(&self.inner).await;
        let api = self.inner.client.api().await?;
        cell.ensure(api).await?;
        cell.leave();
        Ok(())
    }
}

#[async_trait]
impl Guest for DockerGuest {
    async fn run(&self, job: Job) -> Ending {
        run::run(&self.inner, job).await
    }

    fn granted_env(&self) -> BTreeMap<String, String> {
        self.inner.granted.clone()
    }

    fn has_shell(&self) -> bool {
        true
    }

    fn max_commands(&self) -> Option<usize> {
        Some(1)
    }

    fn machine(&self) -> Machine {
        let arch = self.inner.facts.arch;
        Machine { arch, pointer_bits: if arch == "arm" { 32 } else { 64 } }
    }

    async fn resolve(&self, word: &str) -> Result<(), Vec<String>> {
        match run::resolve(&self.inner, word, self.inner.search.as_deref()).await {
            Ok(true) => Ok(()),
            Ok(false) => Err(Vec::new()),
            Err(error) => {
                // The command itself will meet the same, and can say it.
                tracing::warn!(target: "bailiwick::docker", %error, "a word could not be looked up");
                Ok(())
            }
        }
    }

    async fn identity(&self, _: &CommandLine, _: &BTreeMap<String, String>) -> Result<Option<String>, ExecutionError> {
        // What is mounted, or stood in a container before, changes without the image.
        if self.inner.has_mounts || self.inner._seed.is_some() {
            return Ok(None);
        }
        let Inner { plan, facts, config, .. } = &*self.inner;
        Ok(Some(format!("{} {} {} {config:?}", plan.image.id, facts.arch, facts.version)))
    }

    fn address(&self, port: u16) -> Option<SocketAddr> {
        let own = *self.inner.address();
        self.inner.plan.network.address(port, own).map(SocketAddr::from)
    }

    fn listens_on(&self) -> IpAddr {
        self.inner.plan.network.listens_on()
    }

    async fn end_left_overs(&self) -> Result<(), SolutionRuntimeError> {
        // Only agents leave something running; a container that idles is left alone.
        match self.inner.mode {
            Mode::Evaluation => return Ok(()),
            Mode::Agent => {}
        }
        let mut cell = Cell::enter(&self.inner).await;
        let ended = cell.kill().await;
        cell.leave();
        Ok(ended?)
    }

    async fn seed(&self) -> Result<Option<Seed>, ExecutionError> {
        let mut cell = Cell::enter(&self.inner).await;
        let seed = cell.seed().await;
        cell.leave();
        Ok(seed?.map(|committed| -> Seed { committed }))
    }

    fn known_setup(&self) -> Option<Arc<[SetupOutcome]>> {
        Some(Arc::clone(&self.inner.found()?.setup))
    }

    async fn keep_setup(&self, setup: &[SetupOutcome]) -> Result<(), ExecutionError> {
        let mut cell = Cell::enter(&self.inner).await;
        let kept = cell.bake(setup).await;
        cell.leave();
        Ok(kept?)
    }

    fn after_setup(&self) -> Result<(), ExecutionError> {
        // The next command may have its turn before the job below has.
        self.inner.setup_over.store(true, Ordering::Release);
        let inner = Arc::clone(&self.inner);
        // At once, though nobody may run a command for long.
        self.inner.reaper.enqueue_async(async move {
            let mut cell = Cell::enter(&inner).await;
            let ended = cell.end_setup().await;
            cell.leave();
            ended.map_err(ExecutionError::from)
        });
        Ok(())
    }

    fn must_release(&self) -> bool {
        true
    }

    async fn release(&self) -> Result<(), ExecutionError> {
        let mut cell = Cell::enter(&self.inner).await;
        let removed = cell.release().await;
        cell.leave();
        removed.map_err(|error| {
            self.inner.owner.leave_lock();
            let message = format!("the container {} could not be removed", self.inner.plan.name);
            let hint = "`bailiwick gc` removes it once the engine answers";
            ExecutionError::new(ErrorKind::Runtime, message).with_hint(hint).with_cleanup_failure(error.into())
        })
    }
}
