//! Compiled code for workers: made by a worker that does nothing else, kept by the parent, mapped by workers only.

use std::collections::HashMap;
use std::fs::File;
use std::io::{Seek as _, SeekFrom, Write as _};
use std::os::fd::AsFd;
use std::sync::{Arc, Mutex, PoisonError};

use bytes::Bytes;
use rustix::fs::MemfdFlags;
use tokio::sync::Semaphore;

use super::channel::{Channel, Kind};
use super::compile::MAX_ARTIFACT;
use super::crew::Crew;
use super::process::{Death, Worker};
use super::wire::{CompileOrder, Report, failure, refusal};
use crate::runtime::wasi::cache::ArtifactCache;
use crate::runtime::wasi::code::Form;
use crate::runtime::wasi::compile::CompileBounds;
use crate::runtime::wasi::engine::{EngineKey, failed};
use crate::runtime::wasi::find::Source;
use crate::runtime::wasi::kept::Kept;
use crate::runtime::wasi::key::ModuleKey;
use crate::runtime::wasi::load_error::LoadError;
use crate::runtime::wasi::modules::off_the_executor;
use crate::runtime::{NotStarted, SolutionRuntimeError};
use crate::spec::ByteSize;

/// How many artifacts are held open; the oldest make room.
const MAX_KEPT: usize = 64;

/// Compiled code that a worker may map.
#[derive(Clone, Debug)]
pub(in crate::runtime::wasi) struct Artifact {
    pub(super) form: Form,
    pub(super) file: Arc<File>,
}

type Slot = (ModuleKey, EngineKey, Option<CompileBounds>);

/// The artifacts of a process.
pub(in crate::runtime::wasi) struct Artifacts {
    cache: Option<Arc<ArtifactCache>>,
    kept: Kept<Slot, Artifact>,
    /// What names artifacts of a kind of engine, which takes an engine to know.
    flags: Mutex<HashMap<EngineKey, String>>,
    compilers: Semaphore,
}

impl Artifacts {
    pub(in crate::runtime::wasi) fn new(cache: Option<Arc<ArtifactCache>>) -> Self {
        let cores = std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
        Self { cache, kept: Kept::new(MAX_KEPT), flags: Mutex::default(), compilers: Semaphore::new(cores) }
    }

    /// Gives the compiled form of a module.
    ///
    /// Cancel safe: the worker that compiles ends, and the next caller compiles again.
    pub(in crate::runtime::wasi) async fn get(
        &self,
        crew: &Crew,
        slot: Slot,
        source: Source,
    ) -> Result<Artifact, LoadError> {
        self.kept.get(slot, self.make(crew, slot, source)).await
    }

    async fn make(&self, crew: &Crew, (key, engine, bounds): Slot, source: Source) -> Result<Artifact, LoadError> {
        let flags = self.flags(engine).map_err(LoadError::Failed)?;
        let (cache, words) = (self.cache.clone(), flags.clone());
        let found = off_the_executor(move || Ok(cache.and_then(|cache| cache.find(&words, &key)))).await?;
        if let Some((form, file)) = found {
            return Ok(Artifact { form, file: Arc::new(file) });
        }
        let place = self.compilers.acquire().await;
        let _place = place.map_err(|_| LoadError::Failed(SolutionRuntimeError::Cancelled))?;
        let bytes = off_the_executor(move || source.read()).await?;
        let worker = crew.take(engine).await.map_err(LoadError::Failed)?;
        let compiling = compile(worker, bounds, bytes);
        let (form, file) = match bounds.and_then(|bounds| bounds.time) {
            None => compiling.await?,
            Some(time) => match tokio::time::timeout(time, compiling).await {
                Ok(compiled) => compiled?,
                Err(_) => return Err(LoadError::TooSlow(time)),
            },
        };
        let Some(cache) = self.cache.clone() else { return Ok(Artifact { form, file: Arc::new(file) }) };
        let keep = move || Ok(cache.keep(&flags, &key, form, &file).unwrap_or(file));
        Ok(Artifact { form, file: Arc::new(off_the_executor(keep).await?) })
    }

    fn flags(&self, engine: EngineKey) -> Result<String, SolutionRuntimeError> {
        let mut known = self.flags.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(flags) = known.get(&engine) {
            return Ok(flags.clone());
        }
        let made = engine.on_demand().compiler().map_err(failed("make the compiler"))?;
        let flags = format!("{}.worker", ArtifactCache::flags(&made));
        known.insert(engine, flags.clone());
        Ok(flags)
    }
}

/// Has a worker compile a module; the worker is gone afterwards, whatever came of it.
async fn compile(mut worker: Worker, bounds: Option<CompileBounds>, bytes: Bytes) -> Result<(Form, File), LoadError> {
    let host = |action| move |error| LoadError::Failed(SolutionRuntimeError::host(action)(error));
    let order = serde_json::to_vec(&CompileOrder { bounds }).map_err(|error| host("order a module")(error.into()))?;
    let module = memory_file(&bytes).map_err(host("hand a module to its compiler"))?;
    let artifact = memory_file(&[]).map_err(host("hand a module to its compiler"))?;
    let channel = worker.socket.take().ok_or_else(|| std::io::Error::other("it has no socket"));
    let channel = channel.and_then(Channel::new).map_err(host("reach a worker process"))?;
    let sent = channel.send(Kind::Compile, &order, &[module.as_fd(), artifact.as_fd()]).await;
    let report = loop {
        match channel.receive().await {
            Ok(Some(frame)) if frame.kind == Kind::Report => break serde_json::from_slice(&frame.bytes).ok(),
            Ok(Some(_)) => {}
            Ok(None) | Err(_) => break None,
        }
    };
    let compiled = match report {
        Some(Report::Compiled(form)) => Ok(form),
        Some(Report::Refused(kind, message)) => Err(refusal(kind, &message)),
        Some(Report::Failed(message)) => Err(failure(&message)),
        Some(Report::Ran(..)) => Err(failure("it ran a module that was to be compiled")),
        None => Err(match sent {
            Err(error) => host("reach a worker process")(error),
            Ok(()) => died(worker.ended().await.map_err(host("wait for a worker process"))?, bounds),
        }),
    };
    // Before what it wrote is looked at: a worker that a module has taken over writes no more.
    worker.finish().await.map_err(host("end a worker process"))?;
    let form = compiled?;
    let size = artifact.metadata().map_err(host("read a compiled module"))?.len();
    if size > MAX_ARTIFACT {
        let most = ByteSize(MAX_ARTIFACT);
        return Err(LoadError::Refused(NotStarted::CompileLimit, format!("it compiles to more than {most}")));
    }
    Ok((form, artifact))
}

/// Says what a compiler died of: it is the module's doing, since nothing else was there.
fn died(death: Death, bounds: Option<CompileBounds>) -> LoadError {
    let memory = bounds.and_then(|bounds| bounds.memory).map(ByteSize);
    let message = match (death, memory) {
        (Death::Signal(libc::SIGABRT), Some(memory)) => format!("compiling its module took more memory than {memory}"),
        (Death::Signal(signal), _) => format!("compiling its module ended the compiler by signal {signal}"),
        (Death::Code(code), _) => return failure(&format!("the compiler ended with code {code}")),
    };
    LoadError::Refused(NotStarted::CompileLimit, message)
}

/// Makes a file in memory, with its beginning next.
fn memory_file(bytes: &[u8]) -> std::io::Result<File> {
    let mut file = File::from(rustix::fs::memfd_create("bailiwick-module", MemfdFlags::CLOEXEC)?);
    file.write_all(bytes)?;
    file.seek(SeekFrom::Start(0))?;
    Ok(file)
}
