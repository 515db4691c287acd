//! What the library may know of the machine, as a value: nothing in it is read behind the caller's back.

use std::collections::BTreeMap;
use std::fmt;
use std::path::PathBuf;

use super::HostPolicy;

/// The facts and directories of the host that a registry works with.
///
/// The library has no ambient state; an embedding program builds this by hand, and the command
/// line fills it from the process by [`Host::open_ambient_process`].
#[derive(Clone, Default)]
#[non_exhaustive]
pub struct Host {
    /// Environment variables that specs may ask for (`include_os_env`, `--env NAME`). Default: none.
    pub env: BTreeMap<String, String>,
    /// Where the host's own programs are looked up, as `PATH` writes it. Default: none.
    pub path: Option<String>,
    /// Where bailiwick keeps things. Default: nowhere (no cache, no catalogue, no owner lock).
    pub dirs: HostDirs,
    /// The program that stands for a submission where a test program calls it: it is started as
    /// `PROGRAM suite-shim SOCKET -- ARGUMENTS…`. Default: none, and the adapter `suite` cannot be used.
    pub shim: Option<PathBuf>,
    /// The program that worker processes are started from, as `PROGRAM wasi-worker …`: one whose `main` begins with
    /// `worker_main`. Default: none; this program itself, if its own `main` does.
    pub worker: Option<PathBuf>,
    /// How many commands may run at once. Default: twice the cores.
    pub max_running: Option<usize>,
    /// What the owner of the host allows. Default: everything.
    pub policy: HostPolicy,
    /// How a container engine is reached. Default: its usual socket.
    pub engine: EngineAccess,
    /// The user and group ids that agents have in containers. Default: those of this process.
    pub agent_ids: Option<(u32, u32)>,
}

/// How a container engine is reached, as the `DOCKER_*` variables say it. Nothing is contacted by having it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct EngineAccess {
    /// `unix:///path`, `tcp://host:port` or `https://host:port`. Default: `unix:///var/run/docker.sock`.
    pub endpoint: Option<String>,
    /// Whether a `tcp` endpoint speaks TLS. Default: no.
    pub tls: bool,
    /// The directory with `ca.pem`, `cert.pem` and `key.pem`, where TLS is spoken.
    pub certificates: Option<PathBuf>,
    /// Sockets of other engines that may be there, to be named where none answers.
    pub other_sockets: Vec<PathBuf>,
}

/// The directories of contract "operation"; each may be absent.
#[derive(Clone, Debug, Default)]
#[non_exhaustive]
pub struct HostDirs {
    /// Compiled modules and downloads; may be deleted at any time.
    pub cache: Option<PathBuf>,
    /// Programs and the snapshot store, read and written.
    pub data: Option<PathBuf>,
    /// Program catalogues of the whole machine, only read.
    pub shared_data: Vec<PathBuf>,
    /// Owner locks, by which `gc` knows who is alive.
    pub state: Option<PathBuf>,
    /// Where workspaces live. Absent: chosen by the runtime kind.
    pub base: Option<PathBuf>,
    /// Host files, by which the command line fills [`Host::policy`]; the library itself reads none.
    pub host_files: Vec<PathBuf>,
    /// The host's temp directory, used where `base` is absent. Absent: `/tmp`.
    pub temp: Option<PathBuf>,
}

impl HostDirs {
    /// The folder of the cache directory in which downloaded archives are kept by their digest.
    pub(crate) const DOWNLOADS: &str = "downloads";

    /// Gives the directory in which downloaded archives are kept by their digest.
    pub fn downloads(&self) -> Option<PathBuf> {
        self.cache.as_ref().map(|cache| cache.join(Self::DOWNLOADS))
    }
}

impl fmt::Debug for Host {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { env, path, dirs, shim, worker, max_running, policy, engine, agent_ids } = self;
        // Values of variables may be secrets.
        f.debug_struct("Host")
            .field("env", &format_args!("{} variables", env.len()))
            .field("path", path)
            .field("dirs", dirs)
            .field("shim", shim)
            .field("worker", worker)
            .field("max_running", max_running)
            .field("policy", policy)
            .field("engine", engine)
            .field("agent_ids", agent_ids)
            .finish()
    }
}

impl Host {
    /// Reads the environment of this process: the one door through which ambient state enters.
    ///
    /// Variables read: `BAILIWICK_CACHE_DIR`, `BAILIWICK_DATA_DIR`, `BAILIWICK_STATE_DIR`,
    /// `BAILIWICK_BASE_DIR`, `XDG_CACHE_HOME`, `XDG_CONFIG_HOME`, `XDG_DATA_HOME`, `XDG_STATE_HOME`, `HOME`, `PATH`, `TMPDIR`,
    /// `DOCKER_HOST`, `DOCKER_TLS_VERIFY`, `DOCKER_CERT_PATH`, `XDG_RUNTIME_DIR`, `HUID`, `HGID`; the whole
    /// environment is kept in [`Host::env`] for specs that ask for it by name.
    pub fn open_ambient_process() -> Self {
        let env: BTreeMap<String, String> = std::env::vars_os()
            .filter_map(|(name, value)| Some((name.into_string().ok()?, value.into_string().ok()?)))
            .collect();
        Self { shim: std::env::current_exe().ok(), ..Self::from_env(env) }
    }

    /// Derives the directories from a given environment, without touching this process.
    pub fn from_env(env: BTreeMap<String, String>) -> Self {
        let set = |name: &str| env.get(name).filter(|value| !value.is_empty()).map(PathBuf::from);
        let home = |rest: &str| set("HOME").map(|home| home.join(rest));
        let place = |own: &str, xdg: &str, fallback: &str| {
            set(own).or_else(|| set(xdg).or_else(|| home(fallback)).map(|dir| dir.join("bailiwick")))
        };
        let config = set("XDG_CONFIG_HOME").or_else(|| home(".config"));
        let host_files = [Some(PathBuf::from("/etc")), config].into_iter().flatten();
        let host_files = host_files.map(|dir| dir.join("bailiwick/host.yaml"));
        let dirs = HostDirs {
            cache: place("BAILIWICK_CACHE_DIR", "XDG_CACHE_HOME", ".cache"),
            data: place("BAILIWICK_DATA_DIR", "XDG_DATA_HOME", ".local/share"),
            shared_data: vec!["/usr/local/share/bailiwick".into(), "/usr/share/bailiwick".into()],
            state: place("BAILIWICK_STATE_DIR", "XDG_STATE_HOME", ".local/state"),
            base: set("BAILIWICK_BASE_DIR"),
            host_files: host_files.collect(),
            temp: set("TMPDIR"),
        };
        let (engine, agent_ids) = (EngineAccess::from_env(&env), agent_ids(&env));
        Self { path: env.get("PATH").cloned(), dirs, env, engine, agent_ids, ..Self::default() }
    }
}

impl EngineAccess {
    fn from_env(env: &BTreeMap<String, String>) -> Self {
        let set = |name: &str| env.get(name).filter(|value| !value.is_empty());
        let below = |name: &str, socket: &str| set(name).map(|dir| PathBuf::from(dir).join(socket));
        let others = [
            below("XDG_RUNTIME_DIR", "docker.sock"),
            below("XDG_RUNTIME_DIR", "podman/podman.sock"),
            below("HOME", ".docker/run/docker.sock"),
            Some(PathBuf::from("/run/podman/podman.sock")),
        ];
        Self {
            endpoint: set("DOCKER_HOST").cloned(),
            tls: set("DOCKER_TLS_VERIFY").is_some(),
            certificates: set("DOCKER_CERT_PATH").map(PathBuf::from).or_else(|| below("HOME", ".docker")),
            other_sockets: others.into_iter().flatten().collect(),
        }
    }
}

/// Reads the ids that whoever wraps this process in a container of its own passes in.
fn agent_ids(env: &BTreeMap<String, String>) -> Option<(u32, u32)> {
    let id = |name: &str| env.get(name)?.parse().ok();
    Some((id("HUID")?, id("HGID")?))
}
