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
    /// How many commands may run at once. Default: twice the cores.
    pub max_running: Option<usize>,
    /// What the owner of the host allows. Default: everything.
    pub policy: HostPolicy,
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
    /// Gives the directory in which downloaded archives are kept by their digest.
    pub fn downloads(&self) -> Option<PathBuf> {
        self.cache.as_ref().map(|cache| cache.join("downloads"))
    }
}

impl fmt::Debug for Host {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { env, path, dirs, max_running, policy } = self;
        // Values of variables may be secrets.
        f.debug_struct("Host")
            .field("env", &format_args!("{} variables", env.len()))
            .field("path", path)
            .field("dirs", dirs)
            .field("max_running", max_running)
            .field("policy", policy)
            .finish()
    }
}

impl Host {
    /// Reads the environment of this process: the one door through which ambient state enters.
    ///
    /// Variables read: `BAILIWICK_CACHE_DIR`, `BAILIWICK_DATA_DIR`, `BAILIWICK_STATE_DIR`,
    /// `BAILIWICK_BASE_DIR`, `XDG_CACHE_HOME`, `XDG_CONFIG_HOME`, `XDG_DATA_HOME`, `XDG_STATE_HOME`, `HOME`, `PATH`, `TMPDIR`;
    /// the whole environment is kept in [`Host::env`] for specs that ask for it by name.
    pub fn open_ambient_process() -> Self {
        let env: BTreeMap<String, String> = std::env::vars_os()
            .filter_map(|(name, value)| Some((name.into_string().ok()?, value.into_string().ok()?)))
            .collect();
        Self::from_env(env)
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
        Self { path: env.get("PATH").cloned(), dirs, env, max_running: None, policy: HostPolicy::default() }
    }
}
