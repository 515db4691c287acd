//! The engine: one for each configuration that guests ask for, made when the first one does.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use wasmtime::{Config, Engine};

use super::cache::ArtifactCache;
use super::linker::Linkers;
use super::modules::Modules;
use super::ticker::Ticker;
use super::traps::MAX_FRAMES;
use crate::runtime::SolutionRuntimeError;
use crate::spec::{LimitName, Limits};

/// What distinguishes engines: everything that the compiler or the loader must know.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) struct EngineKey {
    fuel: bool,
    stack: usize,
}

/// The stack of a guest that nobody limits.
const DEFAULT_STACK: usize = 1 << 20;
/// What host calls need below the guest on one stack.
const HOST_STACK: usize = 1 << 20;

impl EngineKey {
    pub(super) fn of(limits: &Limits) -> Self {
        let stack = limits.amount(LimitName::Stack).and_then(|bytes| usize::try_from(bytes).ok());
        Self { fuel: limits.amount(LimitName::Fuel).is_some(), stack: stack.unwrap_or(DEFAULT_STACK) }
    }
}

/// An engine with its linker, its clock and its compiled modules.
pub(super) struct Sandbox {
    pub(super) engine: Engine,
    pub(super) modules: Arc<Modules>,
    pub(super) ticker: Ticker,
}

/// The engines of a process.
pub(super) struct Engines {
    made: Mutex<HashMap<EngineKey, Arc<Sandbox>>>,
    cache: Option<Arc<ArtifactCache>>,
}

impl Engines {
    pub(super) fn new(cache: Option<Arc<ArtifactCache>>) -> Self {
        Self { made: Mutex::default(), cache }
    }

    pub(super) fn has_cache(&self) -> bool {
        self.cache.is_some()
    }

    /// Gives the engine of a configuration, and makes it at the first call.
    pub(super) fn get(&self, key: EngineKey) -> Result<Arc<Sandbox>, SolutionRuntimeError> {
        let mut made = self.made.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(sandbox) = made.get(&key) {
            return Ok(Arc::clone(sandbox));
        }
        let sandbox = Arc::new(self.make(key)?);
        made.insert(key, Arc::clone(&sandbox));
        Ok(sandbox)
    }

    fn make(&self, key: EngineKey) -> Result<Sandbox, SolutionRuntimeError> {
        let engine = Engine::new(&config(key)).map_err(failed("make the WebAssembly engine"))?;
        let linkers = Linkers::new(&engine).map_err(failed("link WASI"))?;
        let ticker = Ticker::start(&engine).map_err(SolutionRuntimeError::host("start the epoch clock"))?;
        let modules = Arc::new(Modules::new(engine.clone(), linkers, self.cache.clone()));
        Ok(Sandbox { engine, modules, ticker })
    }
}

/// Makes an error of the engine, for use in `map_err`.
pub(super) fn failed(action: &'static str) -> impl FnOnce(wasmtime::Error) -> SolutionRuntimeError {
    move |error| SolutionRuntimeError::Engine { action, source: Arc::from(error.into_boxed_dyn_error()) }
}

fn config(key: EngineKey) -> Config {
    let mut config = Config::new();
    config
        .wasm_exceptions(true)
        .epoch_interruption(true)
        .consume_fuel(key.fuel)
        .max_wasm_stack(key.stack)
        .async_stack_size(key.stack.saturating_add(HOST_STACK))
        .wasm_backtrace_max_frames(std::num::NonZero::new(MAX_FRAMES))
        .concurrency_support(false);
    config
}
