//! The engine: one for each configuration that guests ask for, made when the first one does.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use serde::{Deserialize, Serialize};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use wasmtime::{Config, Engine};

use super::cache::ArtifactCache;
use super::linker::Linkers;
use super::modules::Modules;
use super::pool;
use super::ticker::Ticker;
use super::traps::MAX_FRAMES;
use crate::runtime::SolutionRuntimeError;
use crate::spec::{LimitName, Limits};

/// What distinguishes engines: everything that the compiler, the loader or the allocator must know.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub(super) struct EngineKey {
    fuel: bool,
    stack: usize,
    pooled: bool,
    pub(super) deterministic: bool,
    charged: bool,
    /// Whether guests look up at every tick of the epoch clock; they pay for it all the time.
    epochs: bool,
}

/// What a guest asks of its engine, whichever has room for it.
#[derive(Clone, Copy, Debug)]
pub(super) struct Asked<'a> {
    pub(super) limits: &'a Limits,
    pub(super) deterministic: bool,
    /// Whether its writes are charged, because no file system holds its quota.
    pub(super) charged: bool,
}

/// The stack of a guest that nobody limits.
const DEFAULT_STACK: usize = 1 << 20;
/// What host calls need below the guest on one stack.
const HOST_STACK: usize = 1 << 20;

impl EngineKey {
    fn of(Asked { limits, deterministic, charged }: Asked<'_>, pooled: bool) -> Self {
        let stack = limits.amount(LimitName::Stack).and_then(|bytes| usize::try_from(bytes).ok());
        let fuel = limits.amount(LimitName::Fuel).is_some();
        Self { fuel, stack: stack.unwrap_or(DEFAULT_STACK), pooled, deterministic, charged, epochs: true }
    }

    /// Gives what a guest in a worker process needs: it is ended from outside, so only who counts its calls must look up.
    pub(super) fn in_worker(asked: Asked<'_>, counts_calls: bool) -> Self {
        Self { epochs: counts_calls, ..Self::of(asked, true) }
    }

    /// Gives the same without a pool, for modules that no slot would take.
    pub(super) fn on_demand(self) -> Self {
        Self { pooled: false, ..self }
    }

    /// Makes an engine with at most so many slots.
    pub(super) fn engine(self, slots: u32) -> wasmtime::Result<(Engine, Option<u32>)> {
        if self.pooled { pool::engine(slots, || config(self)) } else { Ok((Engine::new(&config(self))?, None)) }
    }

    /// Makes an engine that compiles, with no thread of its own.
    pub(super) fn compiler(self) -> wasmtime::Result<Engine> {
        let mut config = config(self);
        config.parallel_compilation(false);
        Engine::new(&config)
    }

    /// Makes the linkers for such an engine.
    pub(super) fn linkers(self, engine: &Engine) -> wasmtime::Result<Linkers> {
        Linkers::new(engine, self.deterministic, self.charged)
    }

    /// Says whether guests look up at every tick.
    pub(super) fn has_epochs(self) -> bool {
        self.epochs
    }
}

/// An engine with its linkers, its clock and its compiled modules.
pub(super) struct Sandbox {
    pub(super) engine: Engine,
    pub(super) modules: Arc<Modules>,
    pub(super) ticker: Ticker,
    /// The slots of its pool; absent where instances get memory on demand.
    slots: Option<Arc<Semaphore>>,
    pool: Option<usize>,
}

/// An engine for one command, with a slot of its pool if there is one free.
pub(super) struct Lease {
    pub(super) sandbox: Arc<Sandbox>,
    slot: Option<OwnedSemaphorePermit>,
}

impl Lease {
    /// Says whether the pool's own bounds apply to the module.
    pub(super) fn is_pooled(&self) -> bool {
        self.slot.is_some()
    }
}

/// The engines of a process.
pub(super) struct Engines {
    made: Mutex<HashMap<EngineKey, Arc<Sandbox>>>,
    cache: Option<Arc<ArtifactCache>>,
    compilers: Arc<Semaphore>,
}

impl Engines {
    pub(super) fn new(cache: Option<Arc<ArtifactCache>>) -> Self {
        let cores = std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
        Self { made: Mutex::default(), cache, compilers: Arc::new(Semaphore::new(cores)) }
    }

    pub(super) fn cache(&self) -> Option<&Arc<ArtifactCache>> {
        self.cache.as_ref()
    }

    /// Gives an engine for a command: from the pool while it has slots, so that nobody ever waits for one.
    pub(super) fn lease(&self, asked: Asked<'_>) -> Result<Lease, SolutionRuntimeError> {
        let sandbox = self.get(EngineKey::of(asked, true))?;
        let Some(slots) = &sandbox.slots else { return Ok(Lease { sandbox, slot: None }) };
        match Arc::clone(slots).try_acquire_owned() {
            Ok(slot) => Ok(Lease { sandbox, slot: Some(slot) }),
            Err(_) => self.lease_on_demand(asked),
        }
    }

    /// Gives an engine without a pool, for modules that no slot would take.
    pub(super) fn lease_on_demand(&self, asked: Asked<'_>) -> Result<Lease, SolutionRuntimeError> {
        Ok(Lease { sandbox: self.get(EngineKey::of(asked, false))?, slot: None })
    }

    /// Gives the engine of a configuration, and makes it at the first call.
    fn get(&self, key: EngineKey) -> Result<Arc<Sandbox>, SolutionRuntimeError> {
        let mut made = self.made.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(sandbox) = made.get(&key) {
            return Ok(Arc::clone(sandbox));
        }
        let sandbox = Arc::new(self.make(key)?);
        made.insert(key, Arc::clone(&sandbox));
        Ok(sandbox)
    }

    fn make(&self, key: EngineKey) -> Result<Sandbox, SolutionRuntimeError> {
        let (engine, slots) = key.engine(pool::SLOTS).map_err(failed("make the WebAssembly engine"))?;
        let linkers = key.linkers(&engine).map_err(failed("link WASI"))?;
        let ticker = Ticker::start(&engine).map_err(SolutionRuntimeError::host("start the epoch clock"))?;
        let modules = Arc::new(Modules::new(engine.clone(), linkers, self.cache.clone(), Arc::clone(&self.compilers)));
        let pool = slots.map(|slots| slots as usize);
        let slots = slots.map(|slots| Arc::new(Semaphore::new(slots as usize)));
        Ok(Sandbox { engine, modules, ticker, slots, pool })
    }
}

impl Sandbox {
    /// Says how many guests may run from the pool at once.
    pub(super) fn pool(&self) -> Option<usize> {
        self.pool
    }
}

/// Makes an error of the engine, for use in `map_err`.
pub(super) fn failed(action: &'static str) -> impl FnOnce(wasmtime::Error) -> SolutionRuntimeError {
    move |error| SolutionRuntimeError::Engine { action, source: Arc::from(error.into_boxed_dyn_error()) }
}

/// Makes an error of words that came from elsewhere.
pub(super) fn failed_with(action: &'static str, words: String) -> SolutionRuntimeError {
    SolutionRuntimeError::Engine { action, source: Arc::from(Box::<dyn std::error::Error + Send + Sync>::from(words)) }
}

fn config(key: EngineKey) -> Config {
    let mut config = Config::new();
    config
        .wasm_exceptions(true)
        .epoch_interruption(key.epochs)
        .consume_fuel(key.fuel)
        .max_wasm_stack(key.stack)
        .async_stack_size(key.stack.saturating_add(HOST_STACK))
        .wasm_backtrace_max_frames(std::num::NonZero::new(MAX_FRAMES))
        // Both cost speed, and shape the code; the name of an artifact follows from them.
        .cranelift_nan_canonicalization(key.deterministic)
        .relaxed_simd_deterministic(key.deterministic)
        .concurrency_support(false);
    config
}
