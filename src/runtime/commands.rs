//! The commands of one spawned runtime: who runs and who is killed.

use std::sync::Arc;
use std::sync::atomic::Ordering;

use async_trait::async_trait;

use super::running::{Running, State, state_of};
use super::setup::run_setup;
use super::shared::Shared;
use super::slot::{Outcome, Slot};
use super::{
    Command, Connection, Guest, Killer, Launch, RuntimeResult, SetupOutcome, SolutionRuntimeError, Stop,
    SubmissionRuntime,
};
use crate::error::ExecutionError;

/// A [`Guest`] as a whole [`SubmissionRuntime`].
#[derive(Debug)]
pub struct Commands {
    shared: Arc<Shared>,
}

impl Commands {
    /// Makes a runtime of a guest, and runs the set-up of the launch in it.
    ///
    /// What the set-up commands did stands in every result; their failure is no error.
    ///
    /// # Errors
    /// What the host failed at, and set-up lines that this runtime cannot read.
    pub async fn open(guest: Arc<dyn Guest>, launch: Launch) -> Result<Arc<dyn SubmissionRuntime>, ExecutionError> {
        let runtime = Self { shared: Shared::new(guest, launch) };
        let shared = &runtime.shared;
        let lines = shared.launch.setup_lines();
        let known = shared.guest.known_setup();
        let is_run = known.is_none() && !lines.is_empty();
        let outcomes = match known {
            Some(known) => known,
            None => run_setup(shared, lines).await?.into(),
        };
        // Nobody else has this runtime yet, so the cell is empty.
        let _ = shared.outcomes.set(Arc::clone(&outcomes));
        if outcomes.iter().all(|outcome| outcome.termination.is_success()) {
            shared.guest.keep_setup(&outcomes).await?;
        }
        if is_run {
            shared.guest.after_setup()?;
        }
        Ok(Arc::new(runtime))
    }
}

#[async_trait]
impl SubmissionRuntime for Commands {
    async fn stream(&self, command: Command) -> Result<Running, SolutionRuntimeError> {
        let in_force = self.shared.in_force(&command)?;
        let (slot, live) = self.shared.begin(command, in_force, true)?;
        // An executor that goes away drops the task: the command ends with it, and nobody waits for ever.
        let driven = Abandon(Arc::clone(&slot));
        tokio::spawn(async move { driven.drive().await.is_ok() });
        // A live command was asked for, so its events are there.
        let (events, sinks) = live.ok_or(SolutionRuntimeError::Cancelled)?;
        Ok(Running::new(slot, events, sinks))
    }

    async fn execute(&self, command: Command) -> Result<Arc<RuntimeResult>, SolutionRuntimeError> {
        let in_force = self.shared.in_force(&command)?;
        let (slot, _) = self.shared.begin(command, in_force, false)?;
        Abandon(slot).drive().await
    }

    fn poll(&self) -> State {
        self.shared.slots().latest.as_ref().map_or(State::NotStarted, |slot| state_of(slot))
    }

    fn setup(&self) -> Arc<[SetupOutcome]> {
        self.shared.setup()
    }

    async fn resolve(&self, word: &str) -> Result<(), Vec<String>> {
        self.shared.guest.resolve(word).await
    }

    async fn identity(&self, command: &Command) -> Result<Option<String>, ExecutionError> {
        let (line, own) = (self.shared.line(command.line.clone())?, self.shared.own_env(&command.env));
        let mut env = self.shared.granted.clone();
        env.extend(own.iter().map(|(name, value)| (name.clone(), value.clone())));
        let Some(runs) = self.shared.guest.identity(&line, &env).await? else { return Ok(None) };
        let limits = self.shared.in_force(command)?.limits;
        // Without what is granted: private directories have other names each time.
        let said = format!("{line:?} {own:?} {:?} {:?} {limits:?} {runs}", command.cwd, command.tty);
        Ok(Some(blake3::hash(said.as_bytes()).to_hex().to_string()))
    }

    fn address(&self, port: u16) -> Option<std::net::SocketAddr> {
        self.shared.guest.address(port)
    }

    async fn seed(&self) -> Result<Option<super::Seed>, ExecutionError> {
        if self.shared.setup().is_empty() { Ok(None) } else { self.shared.guest.seed().await }
    }

    async fn is_peer(&self, connection: Connection) -> bool {
        self.shared.guest.is_peer(connection).await
    }

    fn listens_on(&self) -> std::net::IpAddr {
        self.shared.guest.listens_on()
    }

    async fn kill_as(&self, by: Killer) -> Result<(), SolutionRuntimeError> {
        self.shared.kill_all(by).await
    }

    async fn cleanup(&self) -> Result<(), ExecutionError> {
        self.shared.closed.store(true, Ordering::Release);
        let killed = self.shared.kill_all(Killer::Caller).await.map_err(ExecutionError::from);
        let released = self.shared.release().await;
        ExecutionError::first_of([killed, released].into_iter().filter_map(Result::err)).map_or(Ok(()), Err)
    }
}

/// Drives a command, and ends it when the one who waits for it goes away.
struct Abandon(Arc<Slot>);

impl Abandon {
    async fn drive(self) -> Outcome {
        self.0.drive().await
    }
}

impl Drop for Abandon {
    fn drop(&mut self) {
        if self.0.outcome().is_none() {
            self.0.control.stop(Stop::Kill(Killer::Dropped));
            self.0.abandon();
        }
    }
}

impl Drop for Commands {
    fn drop(&mut self) {
        self.shared.closed.store(true, Ordering::Release);
        let live = std::mem::take(&mut self.shared.slots().live);
        for slot in live {
            drop(Abandon(slot));
        }
        let is_released = self.shared.released.try_lock().is_ok_and(|released| *released);
        if !is_released && self.shared.guest.must_release() {
            let shared = Arc::clone(&self.shared);
            self.shared.launch.reaper.enqueue_async(async move { shared.release().await });
        }
    }
}
