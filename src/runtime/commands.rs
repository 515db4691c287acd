//! The commands of one spawned runtime: who runs, who is killed, what each is given.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};

use async_trait::async_trait;
use tokio::sync::{Mutex as AsyncMutex, Semaphore, mpsc};

use super::admission::Turn;
use super::capture::Stream;
use super::conduct::conduct;
use super::running::{Running, State, kill, state_of};
use super::setup::run_setup;
use super::slot::{Outcome, Slot};
use super::{
    Command, CommandLine, Control, Ending, Guest, InForce, Job, Killer, Launch, NotStarted, RuntimeEvent,
    RuntimeResult, SetupOutcome, Sink, SolutionRuntimeError, Stop, SubmissionRuntime,
};
use crate::error::ExecutionError;
use crate::spec::{LimitName, Limits, LimitsConfig, OnFailure, Problem, Provenance, SpecError, split_line};

/// How many chunks of output a live command may be ahead of its reader.
const EVENTS_AHEAD: usize = 64;

/// The events of a live command, and where the last of them may wait.
type Live = (mpsc::Receiver<RuntimeEvent>, [Arc<Sink>; 2]);

/// A [`Guest`] as a whole [`SubmissionRuntime`].
#[derive(Debug)]
pub struct Commands {
    shared: Arc<Shared>,
}

/// What every command of one runtime shares.
pub(super) struct Shared {
    pub(super) guest: Arc<dyn Guest>,
    pub(super) launch: Launch,
    turns: Option<Arc<Semaphore>>,
    granted: BTreeMap<String, String>,
    outcomes: OnceLock<Arc<[SetupOutcome]>>,
    slots: Mutex<Slots>,
    closed: AtomicBool,
    /// Whether the guest has released what it holds; held locked while it does.
    released: AsyncMutex<bool>,
}

#[derive(Debug, Default)]
struct Slots {
    live: Vec<Arc<Slot>>,
    latest: Option<Arc<Slot>>,
}

impl Commands {
    /// Makes a runtime of a guest, and runs the set-up of the launch in it.
    ///
    /// What the set-up commands did stands in every result; their failure is no error.
    ///
    /// # Errors
    /// What the host failed at, and set-up lines that this runtime cannot read.
    pub async fn open(guest: Arc<dyn Guest>, launch: Launch) -> Result<Arc<dyn SubmissionRuntime>, ExecutionError> {
        let turns = guest.max_commands().map(|most| Arc::new(Semaphore::new(most.max(1))));
        let granted = guest.granted_env();
        let (outcomes, slots) = (OnceLock::new(), Mutex::default());
        let (closed, released) = (AtomicBool::new(false), AsyncMutex::new(false));
        let shared = Shared { guest, launch, turns, granted, outcomes, slots, closed, released };
        let runtime = Self { shared: Arc::new(shared) };
        let shared = &runtime.shared;
        let lines = shared.launch.setup_lines();
        if !lines.is_empty() {
            let outcomes = run_setup(shared, lines).await?;
            // Nobody else has this runtime yet, so the cell is empty.
            let _ = shared.outcomes.set(outcomes.into());
            shared.guest.after_setup()?;
        }
        Ok(Arc::new(runtime))
    }
}

impl Shared {
    pub(super) fn setup(&self) -> Arc<[SetupOutcome]> {
        self.outcomes.get().cloned().unwrap_or_else(|| Arc::new([]))
    }

    fn failed_setup(&self) -> impl Iterator<Item = &SetupOutcome> {
        self.outcomes.get().into_iter().flat_map(|all| all.iter()).filter(|one| !one.termination.is_success())
    }

    /// Gives the ending of every command of a runtime whose set-up failed where failures count.
    pub(super) fn setup_failure(&self) -> Option<Ending> {
        if self.launch.spec.setup.on_failure == OnFailure::Continue {
            return None;
        }
        let failed = self.failed_setup().next()?;
        let message = format!("the set-up command `{}` failed: {}", failed.command, failed.termination);
        Some(Ending::not_started(NotStarted::SetupFailed, message))
    }

    pub(super) fn notes(&self) -> Vec<String> {
        let failed = self.failed_setup();
        failed.map(|one| format!("the set-up command `{}` failed: {}", one.command, one.termination)).collect()
    }

    /// Runs a set-up line, under the set-up's own time and no other ceiling.
    pub(super) async fn execute_setup(
        self: Arc<Self>,
        command: Command,
    ) -> Result<Arc<RuntimeResult>, SolutionRuntimeError> {
        let mut limits = Limits::defaults(self.launch.mode);
        for (name, bound) in self.launch.limits.iter().filter(|(name, _)| !name.is_per_command()) {
            limits.set(name, bound);
        }
        let limits = tighten(&limits, &command.limits)?;
        let in_force = InForce { limits, ..self.launch.in_force() };
        let (slot, _) = self.begin(command, in_force, false)?;
        slot.drive().await
    }

    /// Gives what a command has in force: what it tightens must be held, as what the spec asks for.
    fn in_force(&self, command: &Command) -> Result<InForce, SolutionRuntimeError> {
        if command.limits == LimitsConfig::default() {
            return Ok(self.launch.in_force());
        }
        let limits = tighten(&self.launch.limits, &command.limits)?;
        let admitted = self.launch.enforcement.admit(limits, &self.launch.spec.ty).map_err(|refused| {
            let hint = refused.hint().unwrap_or_default().to_owned();
            SolutionRuntimeError::Unsupported { message: refused.to_string(), hint }
        })?;
        Ok(admitted.with_dropped(&self.launch.unenforced))
    }

    fn begin(
        self: &Arc<Self>,
        command: Command,
        in_force: InForce,
        live: bool,
    ) -> Result<(Arc<Slot>, Option<Live>), SolutionRuntimeError> {
        let (sender, receiver) = live.then(|| mpsc::channel(EVENTS_AHEAD)).unzip();
        let job = self.job(command, in_force.limits.clone(), sender)?;
        let sinks = [Arc::clone(&job.stdout), Arc::clone(&job.stderr)];
        let turn = self.turns.as_ref().map(Turn::ask);
        let slot = Slot::new(Arc::clone(&job.control), conduct(Arc::clone(self), job, in_force, turn));
        let mut slots = self.slots();
        // Asked under the lock: a cleanup that comes now finds the command among the live ones.
        if self.closed.load(Ordering::Acquire) {
            return Err(SolutionRuntimeError::Closed);
        }
        slots.live.retain(|slot| slot.outcome().is_none());
        slots.live.push(Arc::clone(&slot));
        slots.latest = Some(Arc::clone(&slot));
        Ok((slot, receiver.map(|events| (events, sinks))))
    }

    fn job(
        &self,
        command: Command,
        limits: Limits,
        events: Option<mpsc::Sender<RuntimeEvent>>,
    ) -> Result<Job, SolutionRuntimeError> {
        if command.tty && !self.guest.has_tty() {
            return Err(SolutionRuntimeError::Unsupported {
                message: "this runtime has no pseudo-terminal".to_owned(),
                hint: "run without a terminal, or on the local runtime".to_owned(),
            });
        }
        let for_a_shell = self.guest.has_shell() && matches!(command.line, CommandLine::Line(_));
        let line = if for_a_shell { command.line } else { CommandLine::Argv(words(command.line)?) };
        let spec = &self.launch.spec;
        let mut env = self.granted.clone();
        env.extend(spec.full_env(&self.launch.host.env, &self.launch.request.env, &command.env));
        check(&line, &env, command.cwd.as_deref())?;
        let control = Arc::new(Control::new());
        let bound = (limits.amount(LimitName::Output), limits.output_overflow);
        let stdout = Sink::new(Stream::Stdout, bound, &control, events.clone());
        let stderr = Sink::new(Stream::Stderr, bound, &control, events);
        let (cwd, tty, stdin) = (command.cwd, command.tty, command.stdin.into_reader());
        Ok(Job { line, env, cwd, tty, stdin, stdout, stderr, control, limits })
    }

    fn slots(&self) -> MutexGuard<'_, Slots> {
        self.slots.lock().unwrap_or_else(PoisonError::into_inner)
    }

    async fn kill_all(&self, by: Killer) -> Result<(), SolutionRuntimeError> {
        let mut live = self.slots().live.clone();
        // What failed long ago is no failure of this kill.
        live.retain(|slot| slot.outcome().is_none());
        // All are told before any is waited for.
        live.iter().for_each(|slot| {
            slot.control.stop(Stop::Kill(by));
        });
        let mut outcome = Ok(());
        for slot in live {
            outcome = outcome.and(kill(&slot, by).await);
        }
        outcome.and(self.guest.end_left_overs().await)
    }

    /// Lets the guest release what it holds, once; a call that was dropped halfway is made again by the next.
    async fn release(&self) -> Result<(), ExecutionError> {
        let mut released = self.released.lock().await;
        if *released {
            return Ok(());
        }
        let outcome = self.guest.release().await;
        *released = true;
        outcome
    }
}

fn tighten(limits: &Limits, by: &LimitsConfig) -> Result<Limits, SolutionRuntimeError> {
    limits.tighten(Provenance::Command, by).map_err(invalid)
}

fn invalid(problems: Vec<Problem>) -> SolutionRuntimeError {
    SolutionRuntimeError::Invalid { source: SpecError::Invalid { origin: "command".to_owned(), problems } }
}

fn words(line: CommandLine) -> Result<Vec<String>, SolutionRuntimeError> {
    let words = match line {
        CommandLine::Argv(words) => words,
        CommandLine::Line(line) => split_line(&line).map_err(|error| invalid(vec![error.into()]))?,
    };
    match words.first() {
        Some(first) if !first.is_empty() => Ok(words),
        _ => Err(invalid(vec![Problem::new("", "a command needs at least one word")])),
    }
}

/// Refuses what no machine can pass to a program: each runtime would else fail in a way of its own.
fn check(line: &CommandLine, env: &BTreeMap<String, String>, cwd: Option<&str>) -> Result<(), SolutionRuntimeError> {
    const NUL: &str = "holds a NUL character";
    let words = match line {
        CommandLine::Argv(words) => words.as_slice(),
        CommandLine::Line(line) => std::slice::from_ref(line),
    };
    let mut problems = Vec::new();
    if words.iter().any(|word| word.contains('\0')) {
        problems.push(Problem::new("command", NUL));
    }
    for (name, value) in env {
        if name.is_empty() || name.contains(['=', '\0']) {
            problems.push(Problem::new("env", format!("`{}` is no name of a variable", name.escape_default())));
        } else if value.contains('\0') {
            problems.push(Problem::new(format!("env.{name}"), NUL));
        }
    }
    if cwd.is_some_and(|cwd| cwd.contains('\0')) {
        problems.push(Problem::new("cwd", NUL));
    }
    if problems.is_empty() { Ok(()) } else { Err(invalid(problems)) }
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

    fn address(&self, port: u16) -> Option<std::net::SocketAddr> {
        self.shared.guest.address(port)
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

impl std::fmt::Debug for Shared {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Shared").field("launch", &self.launch).field("slots", &self.slots).finish_non_exhaustive()
    }
}
