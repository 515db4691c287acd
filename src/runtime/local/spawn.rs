//! One spawned runtime: what its commands share, and what outlives them.

use std::collections::BTreeMap;
use std::net::{Ipv4Addr, SocketAddr};
use std::os::fd::AsFd;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use async_trait::async_trait;

use super::LocalConfig;
use super::attend::LeftOver;
use super::cgroup::Hierarchies;
use super::identity::{self, Look};
use super::lookup;
use super::run::run;
use super::sockets;
use crate::error::{ErrorKind, ExecutionError};
use crate::runtime::{CommandLine, Connection, Ending, Guest, Job, Launch, Machine, Mount, SolutionRuntimeError};
use crate::spec::{Bound, LimitName, Mode, Provenance};
use crate::workspace::{PrivateDir, Reaper, Workspace};

/// The search path of every guest that is given no other.
const PATH: &str = "/usr/local/bin:/usr/bin:/bin";

/// What the commands of one local runtime share.
#[derive(Debug)]
pub(super) struct LocalGuest {
    pub(super) config: Arc<LocalConfig>,
    pub(super) hierarchies: Arc<Hierarchies>,
    pub(super) workspace: Arc<Workspace>,
    pub(super) mode: Mode,
    pub(super) host_path: Option<String>,
    pub(super) reaper: Arc<Reaper>,
    granted: BTreeMap<String, String>,
    /// The search path that a command has when it sets none itself.
    search: String,
    temp: Mutex<Option<PrivateDir>>,
    left_overs: Mutex<Vec<LeftOver>>,
    /// The supervisors of the commands that run.
    running: Mutex<Vec<i32>>,
}

/// Makes a guest of a launch.
///
/// # Errors
/// Mounts, which the local runtime has none of; a private temp directory that could not be made.
pub(super) fn open(
    mut launch: Launch,
    config: Arc<LocalConfig>,
    hierarchies: Arc<Hierarchies>,
) -> Result<(Arc<dyn Guest>, Launch), ExecutionError> {
    if let Some(mount) = launch.request.mounts.iter().find(|mount| !is_identity(mount)) {
        let message = format!("the local runtime cannot show a path of the host as `{}`", mount.guest);
        return Err(ExecutionError::new(ErrorKind::Unenforceable, message)
            .with_hint("the guest sees the host's own paths; use the wasi or the docker runtime for mounts"));
    }
    // The default is meant for WebAssembly; a native program has the host's own.
    if launch.limits.get(LimitName::Stack).from == Provenance::Default {
        launch.limits.set(LimitName::Stack, Bound { value: None, from: Provenance::Default });
    }
    let temp = launch.workspace.make_temp()?;
    let granted = granted(&launch, &temp);
    let os = launch.spec.environment.include_os_env.then(|| launch.host.env.get("PATH")).flatten();
    let chosen = [launch.request.env.get("PATH"), launch.spec.environment.env.get("PATH"), os];
    let guest = LocalGuest {
        config,
        hierarchies,
        workspace: Arc::clone(&launch.workspace),
        mode: launch.mode,
        host_path: launch.host.path.clone(),
        reaper: Arc::clone(&launch.reaper),
        search: chosen.into_iter().flatten().next().map_or(PATH, String::as_str).to_owned(),
        granted,
        temp: Mutex::new(Some(temp)),
        left_overs: Mutex::default(),
        running: Mutex::default(),
    };
    Ok((Arc::new(guest), launch))
}

/// A path that the guest sees anyway, as it sees it anyway.
fn is_identity(mount: &Mount) -> bool {
    mount.writable && mount.host.as_os_str() == mount.guest.as_str()
}

fn granted(launch: &Launch, temp: &PrivateDir) -> BTreeMap<String, String> {
    let text = |path: Option<&std::path::Path>| path.and_then(|path| path.to_str()).map(str::to_owned);
    let private = text(temp.open_ambient_path().as_deref());
    let variables = [
        ("PATH", Some(PATH.to_owned())),
        ("HOME", private.clone()),
        ("TMPDIR", private),
        ("PWD", text(launch.workspace.open_ambient_path())),
        ("LANG", Some("C.UTF-8".to_owned())),
    ];
    variables.into_iter().filter_map(|(name, value)| Some((name.to_owned(), value?))).collect()
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// A supervisor that is known to run.
#[derive(Debug)]
pub(super) struct Known<'a> {
    guest: &'a LocalGuest,
    pid: i32,
}

impl Drop for Known<'_> {
    fn drop(&mut self) {
        lock(&self.guest.running).retain(|pid| *pid != self.pid);
    }
}

impl LocalGuest {
    /// Says that a supervisor runs, until this is dropped, which must be before it is reaped.
    pub(super) fn know(&self, pid: i32) -> Known<'_> {
        lock(&self.running).push(pid);
        Known { guest: self, pid }
    }

    /// Keeps what an agent's command left running.
    pub(super) fn keep(&self, left_over: LeftOver) {
        lock(&self.left_overs).push(left_over);
    }

    /// Lets go of left-overs that have ended by themselves.
    pub(super) async fn sweep(&self) {
        let ended: Vec<LeftOver> = lock(&self.left_overs).extract_if(.., |one| one.is_over()).collect();
        for one in ended {
            one.end().await;
        }
    }
}

#[async_trait]
impl Guest for LocalGuest {
    async fn run(&self, job: Job) -> Ending {
        self.sweep().await;
        run(self, job).await
    }

    fn granted_env(&self) -> BTreeMap<String, String> {
        self.granted.clone()
    }

    fn has_shell(&self) -> bool {
        self.config.shell.is_some()
    }

    fn has_tty(&self) -> bool {
        true
    }

    fn machine(&self) -> Machine {
        Machine { arch: std::env::consts::ARCH, pointer_bits: usize::BITS }
    }

    async fn resolve(&self, word: &str) -> Result<(), Vec<String>> {
        let search: Vec<&str> = [Some(self.search.as_str()), self.host_path.as_deref()].into_iter().flatten().collect();
        let candidates = lookup::candidates(word, &search);
        if lookup::is_found(&candidates, self.workspace.dir().as_fd()) { Ok(()) } else { Err(Vec::new()) }
    }

    async fn identity(
        &self,
        line: &CommandLine,
        env: &BTreeMap<String, String>,
    ) -> Result<Option<String>, ExecutionError> {
        let (line, env, config) = (line.clone(), env.clone(), format!("{:?}", self.config));
        let (workspace, host_path) = (Arc::clone(&self.workspace), self.host_path.clone());
        let shell = self.config.shell.clone().unwrap_or_default();
        let look = tokio::task::spawn_blocking(move || {
            let search: Vec<&str> =
                [env.get("PATH"), host_path.as_ref()].into_iter().flatten().map(String::as_str).collect();
            let line = match line {
                CommandLine::Line(line) => CommandLine::Argv(vec![shell, line]),
                words @ CommandLine::Argv(_) => words,
            };
            identity::of(&line, &env, &Look { search: &search, workspace: &workspace })
        });
        let failed = SolutionRuntimeError::host("look at the programs of a command");
        let programs = look.await.map_err(std::io::Error::other).flatten().map_err(failed)?;
        Ok(programs.map(|programs| format!("{} {config}\n{programs}", std::env::consts::ARCH)))
    }

    fn address(&self, port: u16) -> Option<SocketAddr> {
        Some(SocketAddr::from((Ipv4Addr::LOCALHOST, port)))
    }

    async fn is_peer(&self, connection: Connection) -> bool {
        let mut roots = lock(&self.running).clone();
        roots.extend(lock(&self.left_overs).iter().map(LeftOver::pid));
        tokio::task::spawn_blocking(move || sockets::is_held_below(connection, &roots)).await.unwrap_or(false)
    }

    async fn end_left_overs(&self) -> Result<(), SolutionRuntimeError> {
        let left_overs = std::mem::take(&mut *lock(&self.left_overs));
        left_overs.iter().for_each(LeftOver::ask);
        let ended = futures_util::future::join_all(left_overs.into_iter().map(LeftOver::end)).await;
        if ended.into_iter().all(|ended| ended) {
            return Ok(());
        }
        Err(SolutionRuntimeError::Lost { engine: "supervisor", source: None })
    }

    async fn release(&self) -> Result<(), ExecutionError> {
        let ended = self.end_left_overs().await.map_err(ExecutionError::from);
        drop(lock(&self.temp).take());
        ended
    }
}
