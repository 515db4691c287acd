//! From what is asked to what runs: limits, words, variables, streams, and a slot that owns the command.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::Ordering;

use tokio::sync::mpsc;

use super::admission::Turn;
use super::capture::Stream;
use super::conduct::conduct;
use super::shared::Shared;
use super::slot::Slot;
use super::{Command, CommandLine, Control, InForce, Job, RuntimeEvent, Sink, SolutionRuntimeError};
use crate::spec::{LimitName, Limits, LimitsConfig, Problem, Provenance, SpecError, split_line};

/// How many chunks of output a live command may be ahead of its reader.
const EVENTS_AHEAD: usize = 64;

/// The events of a live command, and where the last of them may wait.
pub(super) type Live = (mpsc::Receiver<RuntimeEvent>, [Arc<Sink>; 2]);

impl Shared {
    /// Gives what a command has in force: what it tightens must be held, as what the spec asks for.
    pub(super) fn in_force(&self, command: &Command) -> Result<InForce, SolutionRuntimeError> {
        if command.limits == LimitsConfig::default() {
            return Ok(self.launch.in_force());
        }
        let limits = tighten(&self.launch.limits, &command.limits)?;
        self.launch.host.policy.check_level(&limits, Provenance::Command).map_err(|forbidden| {
            let hint = forbidden.hint().unwrap_or_default().to_owned();
            SolutionRuntimeError::Forbidden { message: forbidden.to_string(), hint }
        })?;
        let admitted = self.launch.enforcement.admit(limits, &self.launch.spec.ty).map_err(|refused| {
            let hint = refused.hint().unwrap_or_default().to_owned();
            SolutionRuntimeError::Unsupported { message: refused.to_string(), hint }
        })?;
        Ok(admitted.with_dropped(&self.launch.unenforced))
    }

    /// Makes a slot for a command; whoever asked drives it.
    pub(super) fn begin(
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

    /// Gives the words of a command, or its line where the guest has a shell for it.
    pub(super) fn line(&self, line: CommandLine) -> Result<CommandLine, SolutionRuntimeError> {
        let for_a_shell = self.guest.has_shell() && matches!(line, CommandLine::Line(_));
        if for_a_shell { Ok(line) } else { Ok(CommandLine::Argv(words(line)?)) }
    }

    /// Gives the variables of the spec, the spawn and a command, without those that every command has.
    pub(super) fn own_env(&self, command: &BTreeMap<String, String>) -> BTreeMap<String, String> {
        self.launch.spec.full_env(&self.launch.host.env, &self.launch.request.env, command)
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
        let line = self.line(command.line)?;
        let mut env = self.granted.clone();
        env.extend(self.own_env(&command.env));
        check(&line, &env, command.cwd.as_deref())?;
        let control = Arc::new(Control::new());
        let bound = (limits.amount(LimitName::Output), limits.output_overflow);
        let stdout = Sink::new(Stream::Stdout, bound, &control, events.clone());
        let stderr = Sink::new(Stream::Stderr, bound, &control, events);
        let (cwd, tty, stdin) = (command.cwd, command.tty, command.stdin.into_reader());
        Ok(Job { line, env, cwd, tty, stdin, stdout, stderr, control, limits })
    }
}

pub(super) fn tighten(limits: &Limits, by: &LimitsConfig) -> Result<Limits, SolutionRuntimeError> {
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
