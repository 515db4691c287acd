//! What `run --json` and `run --result` print: one command, from what was asked to what came of it.

use std::collections::BTreeMap;
use std::time::Duration;

use schemars::JsonSchema;
use serde::Serialize;

use super::amount::Figure;
use super::output::OutputObject;
use super::termination::TerminationObject;
use super::{Amount, InForce, VERSION};
use crate::runtime::{Machine, ProgramUsed, RuntimeResult, SetupOutcome, Unheld, Usage};

/// What one command did.
#[derive(Clone, Debug, Serialize, JsonSchema)]
#[schemars(title = "result")]
pub(in crate::cli) struct ResultObject {
    /// The version of this object.
    version: u32,
    /// Who ran it.
    engine: EngineObject,
    /// The machine that the guest saw.
    machine: MachineObject,
    /// The `type` of the runtime.
    runtime: String,
    /// The words of the command, placeholders resolved.
    command: Vec<String>,
    /// The program that the first word stood for, on runtimes that have programs.
    program: Option<ProgramObject>,
    /// A hash of the spec with every default written out.
    spec_id: String,
    /// The snapshot id of the workspace before the command.
    start: String,
    /// When the run began, in UTC, to the millisecond.
    started: String,
    /// How the command ended.
    termination: TerminationObject,
    /// The code the guest itself gave, where a limit or a kill overrides it.
    guest_code: Option<i32>,
    /// The exit code that stands for the termination.
    exit_code: i32,
    /// Whether a limit of time ended the command: wall, cpu, idle, fuel.
    timed_out: bool,
    /// What it printed on standard output.
    stdout: OutputObject,
    /// What it printed on standard error.
    stderr: OutputObject,
    /// What the set-up commands did.
    setup: Vec<SetupObject>,
    /// What the command used.
    usage: UsageObject,
    /// Every limit in force.
    limits: BTreeMap<&'static str, InForce>,
    /// What stood between guest and host.
    isolation: &'static str,
    /// Limits that are only sampled.
    best_effort: Vec<UnheldObject>,
    /// Limits that nothing held.
    unenforced: Vec<UnheldObject>,
    /// What is different in the workspace, against its start.
    changes: Vec<ChangeObject>,
    /// How many changes are not listed.
    changes_omitted: u64,
    /// Facts worth knowing.
    notes: Vec<String>,
    /// How the command ended, in a sentence.
    message: String,
}

/// What the result itself does not know.
#[derive(Clone, Debug)]
pub(in crate::cli) struct ResultFacts {
    /// The engine of the runtime and its version.
    pub(in crate::cli) engine: Option<String>,
    /// The `type` of the runtime.
    pub(in crate::cli) runtime: String,
    /// The words of the command.
    pub(in crate::cli) command: Vec<String>,
    /// The hash of the spec.
    pub(in crate::cli) spec_id: String,
    /// The snapshot id of the start.
    pub(in crate::cli) start: String,
    /// When the run began.
    pub(in crate::cli) started: jiff::Timestamp,
    /// What is different in the workspace.
    pub(in crate::cli) changes: Vec<ChangeObject>,
    /// How many changes are not listed.
    pub(in crate::cli) changes_omitted: u64,
    /// Facts beside those of the result.
    pub(in crate::cli) notes: Vec<String>,
}

#[derive(Clone, Debug, Serialize, JsonSchema)]
struct EngineObject {
    /// The version of bailiwick.
    bailiwick: &'static str,
    /// The engine of the runtime and its version, where it is known.
    runtime: Option<String>,
}

#[derive(Clone, Debug, Serialize, JsonSchema)]
struct MachineObject {
    /// The instruction set.
    arch: &'static str,
    /// The size of a pointer.
    pointer_bits: u32,
}

#[derive(Clone, Debug, Serialize, JsonSchema)]
struct ProgramObject {
    /// The name or path it was found by.
    name: String,
    /// Its version, where the catalogue knows it.
    version: Option<String>,
    /// The BLAKE3 hash of its module.
    id: String,
}

#[derive(Clone, Debug, Serialize, JsonSchema)]
struct SetupObject {
    /// The line.
    command: String,
    /// How it ended.
    termination: TerminationObject,
    /// The exit code that stands for the termination.
    exit_code: i32,
    /// What it printed on standard output.
    stdout: OutputObject,
    /// What it printed on standard error.
    stderr: OutputObject,
    /// How long it took.
    elapsed: Amount,
}

#[derive(Clone, Debug, Serialize, JsonSchema)]
struct UsageObject {
    /// How long the command waited for a place.
    queued: Figure,
    /// From the moment the guest could execute until it had ended.
    wall_time: Figure,
    /// Processor time of the guest.
    cpu_time: Figure,
    /// The most memory that the guest held at once.
    peak_memory: Figure,
    /// Instructions executed.
    fuel: Figure,
    /// Bytes added to the workspace.
    disk_written: Figure,
}

#[derive(Clone, Debug, Serialize, JsonSchema)]
struct UnheldObject {
    /// Which limit.
    limit: &'static str,
    /// Why, or by what means it is only watched.
    reason: String,
}

/// One difference between the workspace and its start.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub(in crate::cli) struct ChangeObject {
    /// The path in the workspace; bytes that are not UTF-8 are replaced.
    pub(in crate::cli) path: String,
    /// What happened: `created`, `deleted`, `modified`, `mode_changed`, `renamed`.
    pub(in crate::cli) change: &'static str,
    /// The size now, where there is one.
    pub(in crate::cli) size: Option<u64>,
    /// Where a renamed file was.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(in crate::cli) from: Option<String>,
}

impl ResultObject {
    /// Joins a result with what only the command line knows.
    pub(in crate::cli) fn new(result: &RuntimeResult, facts: ResultFacts) -> Self {
        let notes = result.notes.iter().cloned().chain(facts.notes).collect();
        Self {
            version: VERSION,
            engine: EngineObject { bailiwick: env!("CARGO_PKG_VERSION"), runtime: facts.engine },
            machine: result.machine.into(),
            runtime: facts.runtime,
            command: facts.command,
            program: result.program.as_ref().map(ProgramObject::from),
            spec_id: facts.spec_id,
            start: facts.start,
            started: format!("{:.3}", facts.started),
            termination: (&result.termination).into(),
            guest_code: result.guest_code,
            exit_code: result.exit_code(),
            timed_out: result.timed_out(),
            stdout: (&result.stdout).into(),
            stderr: (&result.stderr).into(),
            setup: result.setup.iter().map(SetupObject::from).collect(),
            usage: (&result.usage).into(),
            limits: InForce::all(&result.limits),
            isolation: result.isolation,
            best_effort: result.best_effort.iter().map(UnheldObject::from).collect(),
            unenforced: result.unenforced.iter().map(UnheldObject::from).collect(),
            changes: facts.changes,
            changes_omitted: facts.changes_omitted,
            notes,
            message: result.to_string(),
        }
    }
}

impl From<Machine> for MachineObject {
    fn from(machine: Machine) -> Self {
        Self { arch: machine.arch, pointer_bits: machine.pointer_bits }
    }
}

impl From<&ProgramUsed> for ProgramObject {
    fn from(program: &ProgramUsed) -> Self {
        Self { name: program.name.clone(), version: program.version.clone(), id: program.id.clone() }
    }
}

impl From<&SetupOutcome> for SetupObject {
    fn from(outcome: &SetupOutcome) -> Self {
        Self {
            command: outcome.command.clone(),
            termination: (&outcome.termination).into(),
            exit_code: outcome.termination.exit_code(),
            stdout: (&outcome.stdout).into(),
            stderr: (&outcome.stderr).into(),
            elapsed: outcome.elapsed.into(),
        }
    }
}

impl From<&Usage> for UsageObject {
    fn from(usage: &Usage) -> Self {
        let time = |time: Duration| Amount::from(time);
        Self {
            queued: Figure::new(&usage.queued, time),
            wall_time: Figure::new(&usage.wall_time, time),
            cpu_time: Figure::new(&usage.cpu_time, time),
            peak_memory: Figure::new(&usage.peak_memory, Amount::Bytes),
            fuel: Figure::new(&usage.fuel, Amount::Count),
            disk_written: Figure::new(&usage.disk_written, Amount::Bytes),
        }
    }
}

impl From<&Unheld> for UnheldObject {
    fn from(unheld: &Unheld) -> Self {
        Self { limit: unheld.limit.name(), reason: unheld.reason.clone() }
    }
}
