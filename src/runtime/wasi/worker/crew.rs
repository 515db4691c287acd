//! The workers that stand ready, and the one thread that starts them.

use std::collections::HashMap;
use std::io;
use std::path::{Path, PathBuf};
use std::process::Child;
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};

use tokio::sync::oneshot;

use super::process::Worker;
use super::serve::is_offered;
use crate::runtime::SolutionRuntimeError;
use crate::runtime::wasi::engine::{Asked, EngineKey};
use crate::spec::{Limits, Mode};

/// How many workers of a kind stand ready.
const READY: usize = 2;
/// How many kinds have workers that stand ready; the kinds of a process are few.
const KINDS: usize = 8;

/// Workers for every kind of engine that was asked for.
#[derive(Debug)]
pub(in crate::runtime::wasi) struct Crew {
    named: Option<PathBuf>,
    ready: Arc<Ready>,
    starter: OnceLock<Sender<Wish>>,
}

/// What the thread is asked for.
pub(super) enum Wish {
    /// One that is waited for.
    Now(EngineKey, oneshot::Sender<io::Result<Worker>>),
    /// As many that stand ready as there should be.
    Spare(EngineKey),
    /// That one that was killed is reaped.
    Bury(Child),
    /// That it ends: nobody can ask any more.
    End,
}

type Ready = Mutex<HashMap<EngineKey, Vec<Worker>>>;

impl Crew {
    /// Makes a crew of nobody yet, of the named program or of this one.
    pub(in crate::runtime::wasi) fn new(named: Option<PathBuf>) -> Self {
        Self { named, ready: Arc::default(), starter: OnceLock::new() }
    }

    /// Gives the program that workers are started from.
    ///
    /// # Errors
    /// There is none: nothing was named, and this program has not said that it can be one.
    pub(in crate::runtime::wasi) fn program(&self) -> Result<PathBuf, SolutionRuntimeError> {
        match &self.named {
            Some(named) => Ok(named.clone()),
            None if is_offered() => Ok(PathBuf::from("/proc/self/exe")),
            None => Err(SolutionRuntimeError::Unavailable {
                message: "there is no program to start worker processes from".to_owned(),
                hint: "call `bailiwick::worker_main()` first in `main`, name one in `Host::worker`, or set \
                       `wasi.containment: in_process`"
                    .to_owned(),
            }),
        }
    }

    /// Gives a worker that has met no guest; it may still be starting.
    ///
    /// Cancel safe: one that nobody takes any more is ended.
    pub(super) async fn take(&self, key: EngineKey) -> Result<Worker, SolutionRuntimeError> {
        let starter = self.starter()?;
        let (is_usual, ready) = self.ready(key);
        let failed = SolutionRuntimeError::host("start a worker process");
        let worker = match ready {
            Some(worker) => worker,
            None => {
                let (reply, started) = oneshot::channel();
                let gone = |_| io::Error::other("the thread that starts them is gone");
                let asked = starter.send(Wish::Now(key, reply)).map_err(|_| io::Error::other("it is gone"));
                match asked {
                    Ok(()) => started.await.map_err(gone).and_then(|started| started).map_err(failed)?,
                    Err(error) => return Err(failed(error)),
                }
            }
        };
        if is_usual {
            let _ = starter.send(Wish::Spare(key));
        }
        Ok(worker)
    }

    /// Gives one that stands ready, and says whether its kind was asked for before: a command alone needs no spare ones.
    fn ready(&self, key: EngineKey) -> (bool, Option<Worker>) {
        let mut kinds = self.lock();
        let is_usual = kinds.contains_key(&key);
        let ready = kinds.entry(key).or_default();
        ready.retain(|worker| !worker.is_dead());
        (is_usual, ready.pop())
    }

    /// Says whether workers can be had here, and what they cannot give up.
    pub(in crate::runtime::wasi) async fn describe(&self) -> String {
        if let Err(error) = self.program() {
            return format!("none: {error}");
        }
        let limits = Limits::defaults(Mode::Evaluation);
        let key = EngineKey::in_worker(Asked { limits: &limits, deterministic: false, charged: false }, false);
        let lacks = async {
            let mut worker = self.take(key).await?;
            worker.seal().await.map_err(SolutionRuntimeError::host("start a worker process"))
        };
        match lacks.await {
            Ok(lacks) if lacks.is_empty() => "sealed".to_owned(),
            Ok(lacks) => format!("sealed in part: {}", lacks.join("; ")),
            Err(error) => format!("none: {error}"),
        }
    }

    fn starter(&self) -> Result<&Sender<Wish>, SolutionRuntimeError> {
        if let Some(starter) = self.starter.get() {
            return Ok(starter);
        }
        let program = self.program()?;
        let (sender, wishes) = channel();
        let (ready, own) = (Arc::clone(&self.ready), sender.clone());
        std::thread::Builder::new()
            .name("bailiwick-workers".to_owned())
            .spawn(move || start((&program, &own), &ready, &wishes))
            .map_err(SolutionRuntimeError::host("start the thread of the workers"))?;
        Ok(self.starter.get_or_init(|| sender))
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<EngineKey, Vec<Worker>>> {
        self.ready.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Crew {
    fn drop(&mut self) {
        if let Some(starter) = self.starter.get() {
            let _ = starter.send(Wish::End);
        }
    }
}

/// Starts workers until it is told to end. They die with this thread, and so with this process.
fn start((program, own): (&Path, &Sender<Wish>), ready: &Ready, wishes: &Receiver<Wish>) {
    let lock = || ready.lock().unwrap_or_else(PoisonError::into_inner);
    while let Ok(wish) = wishes.recv() {
        match wish {
            Wish::Now(key, reply) => {
                // Who no longer waits gives it back, and it ends.
                let _ = reply.send(Worker::start(program, key, own.clone()));
            }
            Wish::Spare(key) => {
                while lock().get(&key).map_or(0, Vec::len) < READY && lock().len() <= KINDS {
                    match Worker::start(program, key, own.clone()) {
                        Ok(worker) => lock().entry(key).or_default().push(worker),
                        // Whoever needs one asks for it, and is told.
                        Err(_) => break,
                    }
                }
            }
            Wish::Bury(mut child) => {
                let _ = child.wait();
            }
            Wish::End => break,
        }
    }
    // Those that nobody took.
    lock().clear();
    while let Ok(Wish::Bury(mut child)) = wishes.try_recv() {
        let _ = child.wait();
    }
}
