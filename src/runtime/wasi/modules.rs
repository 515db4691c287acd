//! Modules and components: compiled once, linked once, kept in memory and on disk.

use std::collections::{HashMap, VecDeque};
use std::sync::{Arc, Mutex, PoisonError};

use bytes::Bytes;
use tokio::sync::OnceCell;
use wasmtime::Engine;

use super::cache::ArtifactCache;
use super::code::Code;
use super::key::ModuleKey;
use super::linker::{Linked, Linkers};
use super::load_error::LoadError;
use super::program::UnknownImports;
use crate::runtime::{NotStarted, SolutionRuntimeError};

/// How many modules stay in memory; the oldest make room.
const MAX_KEPT: usize = 256;

/// The modules of one engine.
pub(super) struct Modules {
    engine: Engine,
    linkers: Linkers,
    cache: Option<Arc<ArtifactCache>>,
    kept: Mutex<Kept>,
}

/// What a linked module is kept under: the same module links differently where other imports are stubbed.
type Slot = (ModuleKey, UnknownImports);

/// What came of a module. A refusal is kept like a success: the same bytes are refused again, at no cost.
type Cell = OnceCell<Result<Arc<Linked>, (NotStarted, String)>>;

#[derive(Default)]
struct Kept {
    linked: HashMap<Slot, Arc<Cell>>,
    order: VecDeque<Slot>,
}

impl Modules {
    pub(super) fn new(engine: Engine, linkers: Linkers, cache: Option<Arc<ArtifactCache>>) -> Self {
        Self { engine, linkers, cache, kept: Mutex::default() }
    }

    /// Gives a module ready to instantiate. `bytes` are asked for only when nothing is kept.
    ///
    /// Cancel safe: a cancelled compilation ends by itself, and the next caller compiles again.
    pub(super) async fn get(
        self: &Arc<Self>,
        key: ModuleKey,
        unknown: &UnknownImports,
        bytes: impl FnOnce() -> Result<Bytes, LoadError> + Send + 'static,
    ) -> Result<Arc<Linked>, LoadError> {
        let cell = self.cell((key, unknown.clone()));
        let made = cell.get_or_try_init(|| async {
            let (this, unknown) = (Arc::clone(self), unknown.clone());
            let work = move || this.make(key, &unknown, bytes);
            match tokio::task::spawn_blocking(work).await {
                Ok(Ok(linked)) => Ok(Ok(linked)),
                Ok(Err(LoadError::Refused(reason, message))) => Ok(Err((reason, message))),
                Ok(Err(LoadError::Failed(error))) => Err(error),
                Err(_) => Err(SolutionRuntimeError::Cancelled),
            }
        });
        match made.await.map_err(LoadError::Failed)? {
            Ok(linked) => Ok(Arc::clone(linked)),
            Err((reason, message)) => Err(LoadError::Refused(*reason, message.clone())),
        }
    }

    fn cell(&self, key: Slot) -> Arc<Cell> {
        let mut kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(cell) = kept.linked.get(&key) {
            return Arc::clone(cell);
        }
        while kept.order.len() >= MAX_KEPT {
            let Some(oldest) = kept.order.pop_front() else { break };
            kept.linked.remove(&oldest);
        }
        kept.order.push_back(key.clone());
        Arc::clone(kept.linked.entry(key).or_default())
    }

    fn make(
        &self,
        key: ModuleKey,
        unknown: &UnknownImports,
        bytes: impl FnOnce() -> Result<Bytes, LoadError>,
    ) -> Result<Arc<Linked>, LoadError> {
        let kept = self.cache.as_ref().and_then(|cache| cache.load(&self.engine, &key));
        let code = match kept {
            Some(code) => code,
            None => self.compile(key, &bytes()?)?,
        };
        self.linkers.link(&code, unknown).map(Arc::new)
    }

    fn compile(&self, key: ModuleKey, bytes: &[u8]) -> Result<Code, LoadError> {
        let code = Code::compile(&self.engine, bytes)?;
        if let Some(cache) = &self.cache {
            cache.store(&self.engine, &key, &code);
        }
        Ok(code)
    }
}
