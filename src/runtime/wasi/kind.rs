//! The kind: engines, catalogue and cache of a process, and what the registry asks of them.

use std::sync::Arc;

use async_trait::async_trait;

use super::cache::ArtifactCache;
use super::cache_room::{DEFAULT_ROOM, SORT};
use super::catalogue::{Catalogue, ProgramEntry};
use super::code::Code;
use super::config::{Containment, WasiConfig, WasiOptions};
use super::engine::{Asked, Engines};
use super::installed::require;
use super::limits::enforcement;
use super::load_error::LoadError;
use super::pool;
use super::prepare::prepare;
use super::spawn::{Shared, WasiGuest};
use super::trials;
use super::worker::{Artifacts, Crew};
use crate::error::{ErrorKind, ExecutionError};
use crate::host::Host;
use crate::runtime::{
    BuiltinSpec, Cached, Commands, EnforcementTable, Launch, Progress, RuntimeInfo, RuntimeKind, SolutionRuntimeError,
    StaticRoot, SubmissionRuntime, Trial, TrialGuest,
};
use crate::spec::{Limits, Mode, Problem};
use crate::workspace::BaseNeed;

/// The wasmtime that this was built against.
const ENGINE: &str = "wasmtime 48.0.8";

/// A module with one function that does nothing: what shows whether this host lets code be compiled and mapped.
const LEAST_MODULE: &[u8] = b"\0asm\x01\0\0\0\x01\x04\x01\x60\0\0\x03\x02\x01\0\x0a\x04\x01\x02\0\x0b";

/// The WASI runtime of a process.
pub struct Wasi {
    shared: Shared,
}

impl Wasi {
    /// Makes the kind for a host. No engine and no thread is made before the first spawn.
    pub fn new(host: &Host) -> Self {
        let room = host.policy.cache_size.as_ref().map_or(DEFAULT_ROOM, |ruled| ruled.value);
        let cache = host.dirs.cache.as_deref().and_then(|dir| ArtifactCache::open(dir, room)).map(Arc::new);
        let (artifacts, crew) = (Arc::new(Artifacts::new(cache.clone())), Arc::new(Crew::new(host.worker.clone())));
        let (engines, catalogue) = (Arc::new(Engines::new(cache)), Catalogue::open(host));
        Self { shared: Shared { engines, catalogue, digests: Arc::default(), artifacts, crew } }
    }
}

#[async_trait]
impl RuntimeKind for Wasi {
    const TYPE: &'static str = "wasi";
    type Config = WasiConfig;
    type Options = WasiOptions;

    fn check(&self, config: &WasiConfig) -> Vec<Problem> {
        config.problems()
    }

    fn enforcement(&self, config: &WasiConfig) -> EnforcementTable {
        // What holds the quota shows when the workspace is there; `spawn` asks again.
        enforcement(Some("a size-limited memory file system"), config.containment)
    }

    fn isolation(&self, config: &WasiConfig) -> &'static str {
        match config.containment {
            Containment::InProcess => "wasi",
            Containment::Worker => "wasi-worker",
        }
    }

    fn is_default_for_run(&self) -> bool {
        true
    }

    fn base_need(&self) -> BaseNeed {
        BaseNeed::Detached
    }

    fn static_root(&self, config: &WasiConfig) -> StaticRoot {
        StaticRoot::Guest(config.static_root.clone())
    }

    fn builtin_specs(&self) -> Vec<BuiltinSpec> {
        vec![
            BuiltinSpec {
                name: "wasm",
                about: "modules of WASI preview 1 and components of WASI 0.2, started by their path",
                text: include_str!("specs/wasm.yaml"),
            },
            BuiltinSpec {
                name: "python",
                about: "Python files under the program `python` of the catalogue",
                text: include_str!("specs/python.yaml"),
            },
            BuiltinSpec {
                name: "js",
                about: "JavaScript files under the program `js` of the catalogue",
                text: include_str!("specs/js.yaml"),
            },
            BuiltinSpec {
                name: "c",
                about: "`main.c`, compiled in the sandbox by the program `cc` of the catalogue and run as `./main.wasm`",
                text: include_str!("specs/c.yaml"),
            },
        ]
    }

    async fn prepare(&self, config: &WasiConfig, progress: &dyn Progress) -> Result<(), ExecutionError> {
        require(config, &self.shared.catalogue)?;
        prepare(&self.shared, config, progress).await
    }

    async fn cached(&self) -> Result<Vec<Cached>, ExecutionError> {
        let listed = self.shared.engines.cache().map(|cache| cache.list()).transpose();
        Ok(listed.map_err(SolutionRuntimeError::host("list the compiled modules"))?.unwrap_or_default())
    }

    async fn evict(&self, cached: &Cached) -> Result<(), ExecutionError> {
        let Some(cache) = self.shared.engines.cache().filter(|_| cached.sort == SORT) else { return Ok(()) };
        Ok(cache.remove(&cached.name).map_err(SolutionRuntimeError::host("remove a compiled module"))?)
    }

    fn trial(&self, _: &WasiConfig, trial: &Trial) -> Option<TrialGuest> {
        trials::trial(trial)
    }

    async fn probe(&self) -> Result<RuntimeInfo, ExecutionError> {
        let sandbox = self
            .shared
            .engines
            .lease(Asked { limits: &Limits::defaults(Mode::Evaluation), deterministic: false, charged: false })?
            .sandbox;
        Code::compile(&sandbox.engine, LEAST_MODULE, None).map_err(|error| match error {
            LoadError::Failed(error) => ExecutionError::from(error),
            LoadError::Refused(_, message) => ExecutionError::new(ErrorKind::Bug, message),
            LoadError::TooSlow(_) => ExecutionError::new(ErrorKind::Bug, "the least module took too long"),
        })?;
        let mut info = RuntimeInfo::new(ENGINE);
        let code = if sandbox.engine.is_pulley() { "interpreted (Pulley)" } else { "native (Cranelift)" };
        info.facts.push(("code".to_owned(), code.to_owned()));
        let slots = sandbox.pool();
        if let Some(slots) = slots {
            info.facts.push(("pool".to_owned(), format!("{slots} slots")));
        }
        info.slower.extend(pool::slower(slots));
        let names: Vec<String> = self.shared.catalogue.list().iter().map(ProgramEntry::id).collect();
        let names = if names.is_empty() { "none".to_owned() } else { names.join(", ") };
        info.facts.push(("programs".to_owned(), names));
        let cache = if self.shared.engines.cache().is_some() { "kept on disk" } else { "kept in memory only" };
        info.facts.push(("compiled modules".to_owned(), cache.to_owned()));
        info.facts.push(("worker processes".to_owned(), self.shared.crew.describe().await));
        if self.shared.engines.cache().is_none() {
            info.slower.push("no private cache directory: every process compiles again; set one".to_owned());
        }
        Ok(info)
    }

    async fn spawn(
        &self,
        mut launch: Launch,
        config: Arc<WasiConfig>,
        options: WasiOptions,
    ) -> Result<Arc<dyn SubmissionRuntime>, ExecutionError> {
        require(&config, &self.shared.catalogue)?;
        let table = enforcement(launch.workspace.quota_held_by(), config.containment);
        launch.hold(&table, Self::TYPE)?;
        if config.containment == Containment::Worker {
            self.shared.crew.program()?;
        }
        let guest = WasiGuest::open(self.shared.clone(), config, options, &launch)?;
        Commands::open(Arc::new(guest), launch).await
    }
}

impl std::fmt::Debug for Wasi {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Wasi").field("catalogue", &self.shared.catalogue).finish_non_exhaustive()
    }
}
