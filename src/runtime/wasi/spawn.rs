//! Making a runtime over a workspace: what its guests see, and which engine runs them.

use std::os::fd::OwnedFd;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, PoisonError, RwLock};

use cap_std::fs::Dir;

use super::catalogue::Catalogue;
use super::config::{TEMP, WasiConfig, WasiOptions, is_guest_dir};
use super::digests::Digests;
use super::engine::Engines;
use super::program::Program;
use super::view::{Preopen, View, hidden, open_ambient_mount};
use super::worker::{Artifacts, Bound, Crew};
use crate::error::{ErrorKind, ExecutionError};
use crate::runtime::{Launch, Mount, SolutionRuntimeError};
use crate::spec::{LimitName, OnUnsupported};
use crate::workspace::{PrivateDir, Workspace};

/// What all runtimes of a process share.
#[derive(Clone)]
pub(super) struct Shared {
    pub(super) engines: Arc<Engines>,
    pub(super) catalogue: Catalogue,
    pub(super) digests: Arc<Digests>,
    pub(super) artifacts: Arc<Artifacts>,
    pub(super) crew: Arc<Crew>,
}

/// One spawned runtime: the workspace as its guests see it, and the engine.
pub(super) struct WasiGuest {
    pub(super) engines: Arc<Engines>,
    pub(super) config: Arc<WasiConfig>,
    pub(super) options: WasiOptions,
    pub(super) catalogue: Catalogue,
    pub(super) digests: Arc<Digests>,
    pub(super) artifacts: Arc<Artifacts>,
    pub(super) crew: Arc<Crew>,
    /// The workers that have run a guest of this runtime.
    pub(super) bound: Bound,
    pub(super) workspace: Arc<Workspace>,
    launch: Launch,
    temp: PrivateDir,
    seen: RwLock<Arc<Seen>>,
    looks: AtomicU64,
}

struct Seen {
    view: View,
    shadowed: Vec<String>,
}

impl WasiGuest {
    pub(super) fn open(
        Shared { engines, catalogue, digests, artifacts, crew }: Shared,
        config: Arc<WasiConfig>,
        options: WasiOptions,
        launch: &Launch,
    ) -> Result<Self, ExecutionError> {
        let temp = launch.workspace.make_temp()?;
        let seen = look(launch, &config, &temp)?;
        let (workspace, launch) = (Arc::clone(&launch.workspace), launch.clone());
        let seen = RwLock::new(Arc::new(seen));
        let (bound, looks) = (Bound::default(), AtomicU64::new(0));
        Ok(Self {
            engines,
            config,
            options,
            catalogue,
            digests,
            artifacts,
            crew,
            bound,
            workspace,
            launch,
            temp,
            seen,
            looks,
        })
    }

    /// Looks at the workspace again: set-up may have made what a preopen hides.
    pub(super) fn look_again(&self) -> Result<(), ExecutionError> {
        let seen = look(&self.launch, &self.config, &self.temp)?;
        *self.seen.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(seen);
        self.looks.fetch_add(1, Ordering::Relaxed);
        Ok(())
    }

    /// Counts how often the workspace was looked at: what was opened before may not be what is seen now.
    pub(super) fn look(&self) -> u64 {
        self.looks.load(Ordering::Relaxed)
    }

    /// Gives the most of something that a command of this runtime may have.
    pub(super) fn ceiling(&self, name: LimitName) -> Option<u64> {
        self.launch.limits.amount(name)
    }

    /// Says whether guests see more of the host than the workspace and the assets.
    pub(super) fn has_mounts(&self) -> bool {
        !self.launch.request.mounts.is_empty()
    }

    pub(super) fn view(&self) -> impl std::ops::Deref<Target = View> + use<> {
        struct Held(Arc<Seen>);
        impl std::ops::Deref for Held {
            type Target = View;
            fn deref(&self) -> &View {
                &self.0.view
            }
        }
        Held(Arc::clone(&self.seen.read().unwrap_or_else(PoisonError::into_inner)))
    }

    /// Gives the facts about the view that a result carries: what preopens hide, those of the program too.
    pub(super) fn notes(&self, program: &Program) -> Vec<String> {
        let own = hidden(self.workspace.dir(), program.mounts.iter().map(|mount| mount.guest.as_str()));
        let seen = self.seen.read().unwrap_or_else(PoisonError::into_inner);
        seen.shadowed.iter().chain(&own).map(|name| format!("shadowed: {name}")).collect()
    }
}

fn look(launch: &Launch, config: &WasiConfig, temp: &PrivateDir) -> Result<Seen, ExecutionError> {
    let workspace = launch.workspace.dir();
    let mut others = Vec::new();
    if let Some(assets) = &launch.assets {
        let dir = assets.root().try_clone().map_err(SolutionRuntimeError::host("open the assets"))?;
        others.push(Preopen { guest: config.static_root.clone(), dir, writable: false });
    }
    for mount in &launch.request.mounts {
        check_mount(mount, config, &others)?;
        others.push(open_mount(mount)?);
    }
    let roots = std::iter::once(config.workdir.as_str()).chain(others.iter().map(|preopen| preopen.guest.as_str()));
    let shadowed = hidden(workspace, roots);
    if !shadowed.is_empty() && launch.limits.on_unsupported == OnUnsupported::Refuse {
        return Err(clash(&shadowed));
    }
    // A `tmp` of the workspace's own is `/tmp`: hiding it would lose files, and it is as private.
    if hidden(workspace, [TEMP]).is_empty() {
        let dir = temp.dir().try_clone().map_err(SolutionRuntimeError::host("open the temp directory"))?;
        others.push(Preopen { guest: TEMP.to_owned(), dir, writable: true });
    }
    Ok(Seen { view: View::open(workspace, &config.workdir, others)?, shadowed })
}

/// Refuses a mount that the guest could not tell from something else.
fn check_mount(mount: &Mount, config: &WasiConfig, others: &[Preopen]) -> Result<(), ExecutionError> {
    let guest = mount.guest.as_str();
    let taken = others.iter().map(|preopen| preopen.guest.as_str()).chain([config.workdir.as_str(), TEMP]);
    let message = if !is_guest_dir(guest) {
        format!("`{guest}` is no place for a mount")
    } else if taken.into_iter().any(|taken| taken == guest) {
        format!("`{guest}` is taken already")
    } else {
        return Ok(());
    };
    Err(ExecutionError::new(ErrorKind::Spec, message)
        .with_hint("mount it at an absolute path of its own, without `.`, `..` or `//`"))
}

fn open_mount(mount: &Mount) -> Result<Preopen, ExecutionError> {
    let host = mount.host.to_string_lossy();
    let descriptor: OwnedFd = open_ambient_mount(&host).map_err(|error| {
        ExecutionError::from(error).with_hint(format!("on WASI a mount is a directory; is `{host}` one?"))
    })?;
    let dir = Dir::from_std_file(descriptor.into());
    Ok(Preopen { guest: mount.guest.clone(), dir, writable: mount.writable })
}

fn clash(shadowed: &[String]) -> ExecutionError {
    let names = shadowed.join("`, `");
    let message =
        format!("a guest could not reach `{names}` of the workspace: a directory of the sandbox has that name");
    ExecutionError::new(ErrorKind::Workspace, message)
        .with_hint("set `wasi.static_root` or `wasi.workdir` to a name that the workspace does not use, mount elsewhere, or set `limits.on_unsupported: best_effort`")
}
