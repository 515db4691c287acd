//! What a runtime is: the kind, one a process, and what it spawns.

use std::collections::BTreeMap;
use std::fmt::Debug;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::path::PathBuf;
use std::sync::Arc;
use std::time::SystemTime;

use async_trait::async_trait;
use schemars::JsonSchema;
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::{Map, Value};

use super::{
    AdmissionGroup, Command, Connection, EnforcementTable, InForce, Killer, Progress, Running, RuntimeResult,
    SetupOutcome, SolutionRuntimeError, State, Trial, TrialGuest, Unheld,
};
use crate::error::ExecutionError;
use crate::host::Host;
use crate::spec::{EnvironmentSpec, Limits, LimitsConfig, Mode, Problem};
use crate::workspace::{BaseNeed, GcMode, Owner, OwnerId, Reaper, StagedAssets, Workspace};

/// A sort of runtime: one value a process, holding the engine or the client.
///
/// Registering a kind registers its section of the spec, its options, placeholder rule, enforcement table and probe;
/// nothing else of bailiwick changes. `docs/execution/extending.md` walks through one.
#[async_trait]
pub trait RuntimeKind: Send + Sync + 'static {
    /// The value of `type` in specs, and the name of the section.
    const TYPE: &'static str;
    /// The section of the spec. Its schema must refuse unknown keys.
    type Config: DeserializeOwned + Serialize + JsonSchema + Debug + Send + Sync + 'static;
    /// What a spawn may pass beyond the common arguments. Its schema must refuse unknown keys.
    type Options: DeserializeOwned + JsonSchema + Default + Send + 'static;

    /// Finds what the schema cannot say of a section.
    fn check(&self, config: &Self::Config) -> Vec<Problem> {
        let _ = config;
        Vec::new()
    }

    /// Finds what a section says that will not do what its author may think.
    fn warnings(&self, config: &Self::Config) -> Vec<Problem> {
        let _ = config;
        Vec::new()
    }

    /// Finds what a section lacks in a mode, and who works in it may miss.
    fn mode_warnings(&self, config: &Self::Config, mode: Mode) -> Vec<Problem> {
        let _ = (config, mode);
        Vec::new()
    }

    /// Says what is held on this host with this section, and by what.
    fn enforcement(&self, config: &Self::Config) -> EnforcementTable;

    /// Says what stands between guest and host: `wasi`, `container`, `none`.
    fn isolation(&self, config: &Self::Config) -> &'static str;

    /// Says whether the command line must ask for consent because nothing isolates the guest.
    fn needs_consent(&self) -> bool {
        false
    }

    /// Says whether `run` uses this kind when none is named.
    fn is_default_for_run(&self) -> bool {
        false
    }

    /// Says where workspaces of this kind may live.
    fn base_need(&self) -> BaseNeed;

    /// Says where the guest finds the staged assets.
    fn static_root(&self, config: &Self::Config) -> StaticRoot;

    /// Lists the specs that this kind brings along.
    fn builtin_specs(&self) -> Vec<BuiltinSpec> {
        Vec::new()
    }

    /// Does ahead of time what a spawn would have to do: compiles programs, builds or pulls images.
    ///
    /// # Errors
    /// What is not to be had.
    async fn prepare(&self, config: &Self::Config, progress: &dyn Progress) -> Result<(), ExecutionError> {
        let _ = (config, progress);
        Ok(())
    }

    /// Lists what this kind keeps to be faster next time: compiled modules, images.
    ///
    /// # Errors
    /// What cannot be looked at.
    async fn cached(&self) -> Result<Vec<Cached>, ExecutionError> {
        Ok(Vec::new())
    }

    /// Removes something that [`cached`](Self::cached) listed. What is gone already is removed.
    ///
    /// # Errors
    /// What cannot be removed.
    async fn evict(&self, cached: &Cached) -> Result<(), ExecutionError> {
        let _ = cached;
        Ok(())
    }

    /// Removes what a dead owner left at a place that it had [noted](Owner::note), or only looks; gives the names.
    ///
    /// # Errors
    /// What cannot be asked or removed; the owner's lock then stays for the next time.
    async fn release(&self, owner: &OwnerId, place: &str, mode: GcMode) -> Result<Vec<String>, ExecutionError> {
        let _ = (owner, place, mode);
        Ok(Vec::new())
    }

    /// Brings the guest that does this for a self-test, in the language of this kind's machine. Default: none.
    ///
    /// What a table claims and no guest can try counts as not standing. A kind whose guests have a shell of POSIX may
    /// answer with [`posix_trial`](super::posix_trial).
    fn trial(&self, config: &Self::Config, trial: &Trial) -> Option<TrialGuest> {
        let _ = (config, trial);
        None
    }

    /// Looks at what there is on this host.
    ///
    /// # Errors
    /// What is missing for this kind to run at all.
    async fn probe(&self) -> Result<RuntimeInfo, ExecutionError>;

    /// Makes a runtime over a workspace and runs its set-up.
    ///
    /// # Errors
    /// What the host failed at; never what the submission did.
    async fn spawn(
        &self,
        launch: Launch,
        config: Arc<Self::Config>,
        options: Self::Options,
    ) -> Result<Arc<dyn SubmissionRuntime>, ExecutionError>;
}

/// A spawned runtime: runs commands over one workspace until it is cleaned up.
#[async_trait]
pub trait SubmissionRuntime: Send + Sync + Debug {
    /// Starts a command and gives its events as they come.
    ///
    /// # Errors
    /// A command that is written wrongly, or trouble of the host.
    ///
    /// Cancel safe: a command that was started is ended.
    async fn stream(&self, command: Command) -> Result<Running, SolutionRuntimeError>;

    /// Runs a command to its end, on the calling task.
    ///
    /// # Errors
    /// A command that is written wrongly, or trouble of the host.
    ///
    /// Cancel safe: dropping the future ends the command.
    async fn execute(&self, command: Command) -> Result<Arc<RuntimeResult>, SolutionRuntimeError>;

    /// Says where the latest command stands.
    fn poll(&self) -> State;

    /// Gives what the set-up commands did.
    fn setup(&self) -> Arc<[SetupOutcome]>;

    /// Says whether the first word of a command would be found.
    ///
    /// # Errors
    /// The names that are known.
    async fn resolve(&self, word: &str) -> Result<(), Vec<String>>;

    /// Gives a hash that is another one whenever the command might do something else over the same files: its words,
    /// variables and limits, and [what runs it](super::Guest::identity). None: that cannot be told.
    ///
    /// # Errors
    /// A command that is written wrongly, or trouble of the host.
    async fn identity(&self, command: &Command) -> Result<Option<String>, ExecutionError> {
        let _ = command;
        Ok(None)
    }

    /// Gives the address at which a published port can be reached.
    fn address(&self, port: u16) -> Option<SocketAddr>;

    /// Says whether the other end of a connection to [`address`](Self::address) is the guest's, and not that of some
    /// other process which listens there. Default: yes.
    async fn is_peer(&self, connection: Connection) -> bool {
        let _ = connection;
        true
    }

    /// Gives the address on which a server of the guest listens to be reached at [`address`](Self::address).
    fn listens_on(&self) -> IpAddr {
        IpAddr::from(Ipv4Addr::LOCALHOST)
    }

    /// Gives what runtimes of a fork are to start from beside the workspace, where the set-up made something elsewhere.
    ///
    /// # Errors
    /// What could not be kept for them.
    async fn seed(&self) -> Result<Option<Seed>, ExecutionError> {
        Ok(None)
    }

    /// Ends every running command in somebody's name. Nothing of them is alive when it returns. Idempotent.
    ///
    /// # Errors
    /// What could not be ended.
    async fn kill_as(&self, by: Killer) -> Result<(), SolutionRuntimeError>;

    /// Ends every running command for the caller; see [`kill_as`](Self::kill_as).
    ///
    /// # Errors
    /// What could not be ended.
    async fn kill(&self) -> Result<(), SolutionRuntimeError> {
        self.kill_as(Killer::Caller).await
    }

    /// Ends every running command and releases what the runtime holds. Idempotent; dropping does the same in silence.
    ///
    /// # Errors
    /// What could not be ended or released, all of it.
    async fn cleanup(&self) -> Result<(), ExecutionError>;
}

/// What runtimes of a fork start from beside the workspace: opaque to all but the kind that made it, and released when
/// nobody holds it any more.
pub type Seed = Arc<dyn std::any::Any + Send + Sync>;

/// What a runtime is spawned with.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Launch {
    /// The files that the guest works on.
    pub workspace: Arc<Workspace>,
    /// The spec of the session.
    pub spec: Arc<EnvironmentSpec>,
    /// The staged assets; absent when the session has none.
    pub assets: Option<Arc<StagedAssets>>,
    /// Where their tree is on the host, for runtimes whose engine takes paths only.
    pub assets_path: Option<PathBuf>,
    /// Who the session serves.
    pub mode: Mode,
    /// What the caller of the spawn asked for.
    pub request: SpawnRequest,
    /// Every limit in force, after the enforcement table was asked.
    pub limits: Limits,
    /// Limits that are only sampled.
    pub best_effort: Vec<Unheld>,
    /// Limits that nothing holds.
    pub unenforced: Vec<Unheld>,
    /// What the kind says of its walls; what a command asks for is held against it too.
    pub enforcement: Arc<EnforcementTable>,
    /// What the kind says of its isolation.
    pub isolation: &'static str,
    /// The host, as a value.
    pub host: Arc<Host>,
    /// The places of the session.
    pub admission: AdmissionGroup,
    /// Who cleans up off the caller's path.
    pub reaper: Arc<Reaper>,
    /// The engine of the caller, in whose name things are made that outlive a crash.
    pub owner: Arc<Owner>,
    /// What the session that this one was forked from had beside its workspace.
    pub seed: Option<Seed>,
}

impl Launch {
    /// Holds the limits against a table that knows more than the kind did: what its rows no longer hold is refused, or
    /// dropped and listed.
    ///
    /// # Errors
    /// A written limit that nothing holds.
    pub fn hold(&mut self, table: &EnforcementTable, runtime: &str) -> Result<(), ExecutionError> {
        let in_force = table.admit(self.limits.clone(), runtime)?.with_dropped(&self.unenforced);
        InForce { limits: self.limits, best_effort: self.best_effort, unenforced: self.unenforced } = in_force;
        self.enforcement = Arc::new(table.clone());
        Ok(())
    }

    /// Gives the limits in force with the lists of those that are not held.
    pub(super) fn in_force(&self) -> InForce {
        let (best_effort, unenforced) = (self.best_effort.clone(), self.unenforced.clone());
        InForce { limits: self.limits.clone(), best_effort, unenforced }
    }

    /// Lists the set-up lines of this launch, in order; none where set-up is disabled.
    pub fn setup_lines(&self) -> Vec<String> {
        if self.request.disable_setup {
            return Vec::new();
        }
        self.spec.setup_commands(self.mode, self.request.setup_command.as_deref())
    }
}

/// What the caller of a spawn may ask for beyond the spec. Starts with nothing granted.
#[derive(Clone, Debug, Default, PartialEq)]
#[non_exhaustive]
pub struct SpawnRequest {
    /// Published ports, host to guest. Default: none.
    pub ports: BTreeMap<u16, u16>,
    /// Directories and files of the host. Default: none.
    pub mounts: Vec<Mount>,
    /// Variables; they win over the spec's. Default: none.
    pub env: BTreeMap<String, String>,
    /// A set-up line after those of the spec; in a fork, where those do not run again, it runs alone. Default: none.
    pub setup_command: Option<String>,
    /// Whether no set-up runs at all. Default: no.
    pub disable_setup: bool,
    /// Limits that tighten those of the spec. Default: none.
    pub limits: LimitsConfig,
    /// What the kind's own options ask for. Default: nothing.
    pub options: Map<String, Value>,
}

/// A directory or file of the host that the guest may see.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mount {
    /// The path on the host.
    pub host: PathBuf,
    /// The absolute path that the guest sees.
    pub guest: String,
    /// Whether the guest may write there.
    pub writable: bool,
}

/// Where a guest finds the staged assets.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum StaticRoot {
    /// At this absolute path of the guest.
    Guest(String),
    /// At the path of the staged tree on the host.
    Host,
}

/// A spec that a kind brings along.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BuiltinSpec {
    /// Its name: `wasm`, `local-python`.
    pub name: &'static str,
    /// One sentence about it.
    pub about: &'static str,
    /// Its text, as a file would hold it.
    pub text: &'static str,
}

/// What a probe found.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct RuntimeInfo {
    /// The engine and its version: `wasmtime 48.0.8`.
    pub engine: String,
    /// Facts about it on this host: name and value.
    pub facts: Vec<(String, String)>,
    /// What costs walls here, each with what would mend it.
    pub weaker: Vec<String>,
    /// What costs speed here, each with what would mend it.
    pub slower: Vec<String>,
}

impl RuntimeInfo {
    /// Names the engine.
    pub fn new(engine: impl Into<String>) -> Self {
        Self { engine: engine.into(), ..Self::default() }
    }
}

/// Something that a kind keeps to be faster next time; without it everything still works.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Cached {
    /// What sort of thing it is: `module`, `download`, `image`.
    pub sort: &'static str,
    /// Its name, unique among those of its sort.
    pub name: String,
    /// The bytes that it takes.
    pub bytes: u64,
    /// When it was used last.
    pub used: SystemTime,
}

impl Cached {
    /// Describes something that is kept.
    pub fn new(sort: &'static str, name: impl Into<String>, bytes: u64, used: SystemTime) -> Self {
        Self { sort, name: name.into(), bytes, used }
    }
}
