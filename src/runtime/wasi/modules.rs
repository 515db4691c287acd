//! Modules and components: compiled once, linked once, kept in memory and on disk.

use std::collections::HashSet;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use bytes::Bytes;
use tokio::sync::Semaphore;
use wasmtime::Engine;

use super::cache::ArtifactCache;
use super::code::Code;
use super::compile::CompileBounds;
use super::kept::Kept;
use super::key::ModuleKey;
use super::linker::{Linked, Linkers};
use super::load_error::LoadError;
use super::program::UnknownImports;
use crate::runtime::SolutionRuntimeError;

/// How many modules stay in memory; the oldest make room.
const MAX_KEPT: usize = 256;

/// The modules of one engine.
pub(super) struct Modules {
    engine: Engine,
    linkers: Linkers,
    cache: Option<Arc<ArtifactCache>>,
    kept: Kept<Slot, Arc<Linked>>,
    /// The places to compile what a submission brings along.
    compilers: Arc<Semaphore>,
    /// Modules that are still being compiled although nobody waits any more.
    given_up: Mutex<HashSet<ModuleKey>>,
}

/// What a linked module is kept under: the same module links differently where other imports are stubbed, and is
/// refused or not where other bounds hold.
type Slot = (ModuleKey, UnknownImports, Option<CompileBounds>);

impl Modules {
    pub(super) fn new(
        engine: Engine,
        linkers: Linkers,
        cache: Option<Arc<ArtifactCache>>,
        compilers: Arc<Semaphore>,
    ) -> Self {
        Self { engine, linkers, cache, kept: Kept::new(MAX_KEPT), compilers, given_up: Mutex::default() }
    }

    /// Gives a module ready to instantiate. `bytes` are asked for only when nothing is kept.
    ///
    /// Cancel safe: a cancelled compilation ends by itself, and the next caller compiles again.
    pub(super) async fn get(
        self: &Arc<Self>,
        key: ModuleKey,
        unknown: &UnknownImports,
        bounds: Option<CompileBounds>,
        bytes: impl FnOnce() -> Result<Bytes, LoadError> + Send + 'static,
    ) -> Result<Arc<Linked>, LoadError> {
        self.kept.get((key, unknown.clone(), bounds), self.make(key, unknown, bounds, bytes)).await
    }

    /// Loads or compiles a module, and links it.
    async fn make(
        self: &Arc<Self>,
        key: ModuleKey,
        unknown: &UnknownImports,
        bounds: Option<CompileBounds>,
        bytes: impl FnOnce() -> Result<Bytes, LoadError> + Send + 'static,
    ) -> Result<Arc<Linked>, LoadError> {
        let kept = match self.cache.clone() {
            Some(cache) => {
                let engine = self.engine.clone();
                off_the_executor(move || Ok(cache.load(&engine, &key))).await?
            }
            None => None,
        };
        let code = match (kept, bounds) {
            (Some(code), _) => code,
            (None, None) => {
                let this = Arc::clone(self);
                off_the_executor(move || this.compile(key, &bytes()?, None, || true)).await?
            }
            (None, Some(bounds)) => self.compile_bounded(key, bounds, bytes).await?,
        };
        let (this, unknown) = (Arc::clone(self), unknown.clone());
        off_the_executor(move || this.linkers.link(&code, &unknown).map(Arc::new)).await
    }

    /// Compiles what a submission brought along: few at once, and not for ever.
    ///
    /// Nothing can interrupt the compiler. When its time is over the command ends, and the thread goes on for nobody.
    async fn compile_bounded(
        self: &Arc<Self>,
        key: ModuleKey,
        bounds: CompileBounds,
        bytes: impl FnOnce() -> Result<Bytes, LoadError> + Send + 'static,
    ) -> Result<Code, LoadError> {
        let slow = || LoadError::TooSlow(bounds.time.unwrap_or_default());
        if self.given_up().contains(&key) {
            return Err(slow());
        }
        let compilers = Arc::clone(&self.compilers);
        let place = compilers.acquire_owned().await.map_err(|_| LoadError::Failed(SolutionRuntimeError::Cancelled))?;
        let (this, done) = (Arc::clone(self), Arc::new(AtomicBool::new(false)));
        let is_done = Arc::clone(&done);
        let compiled = off_the_executor(move || {
            let is_awaited = || !this.given_up().contains(&key);
            let compiled = bytes().and_then(|bytes| this.compile(key, &bytes, Some(&bounds), is_awaited));
            let mut given_up = this.given_up();
            done.store(true, Ordering::Relaxed);
            given_up.remove(&key);
            drop(place);
            compiled
        });
        let Some(time) = bounds.time else { return compiled.await };
        let mut compiled = std::pin::pin!(compiled);
        tokio::select! {
            biased;
            code = &mut compiled => code,
            () = tokio::time::sleep(time) => {
                let mut given_up = self.given_up();
                // Asked under the lock: what has just ended takes nothing out of the set any more.
                if !is_done.load(Ordering::Relaxed) {
                    given_up.insert(key);
                }
                Err(slow())
            }
        }
    }

    fn compile(
        &self,
        key: ModuleKey,
        bytes: &[u8],
        bounds: Option<&CompileBounds>,
        is_awaited: impl Fn() -> bool,
    ) -> Result<Code, LoadError> {
        let code = Code::compile(&self.engine, bytes, bounds)?;
        if let Some(cache) = self.cache.as_ref().filter(|_| is_awaited()) {
            cache.store(&self.engine, &key, &code);
        }
        Ok(code)
    }

    fn given_up(&self) -> MutexGuard<'_, HashSet<ModuleKey>> {
        self.given_up.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Does work that takes long on a thread of its own.
pub(super) async fn off_the_executor<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, LoadError> + Send + 'static,
) -> Result<T, LoadError> {
    let done = tokio::task::spawn_blocking(work).await;
    done.unwrap_or(Err(LoadError::Failed(SolutionRuntimeError::Cancelled)))
}
