//! Every limit of a guest, applied in one place; and what the runtime says of them.

use std::sync::Arc;
use std::time::Duration;

use wasmtime::{ResourceLimiter, Store, UpdateDeadline};
use wasmtime_wasi::p1::WasiP1Ctx;

use super::calls::Calls;
use super::config::Containment;
use super::determinism::Fixed;
use super::pool;
use super::quota::Charged;
use super::usage::Meter;
use crate::runtime::{Capability, Control, End, EnforcementTable, Level, SolutionRuntimeError, Stop};
use crate::spec::{LimitName, LimitValue, Limits};

/// How long a guest may keep the caller's executor before it gives it back.
const TURN: Duration = Duration::from_millis(10);
/// What a table element costs on the host.
const TABLE_ELEMENT_BYTES: u64 = 16;
/// Descriptors that every guest has: three streams and the preopens.
pub(super) const OWN_DESCRIPTORS: usize = 16;
/// How many memories, tables and instances a guest may have each.
const MAX_OBJECTS: usize = 64;
/// Fuel beyond the limit: the engine stops a guest that has used it all, and who used just the limit is not over it.
const LAST_DROP: u64 = 1;

/// What a guest's store holds.
pub(super) struct GuestState {
    pub(super) wasi: WasiP1Ctx,
    pub(super) bounds: Bounds,
    pub(super) calls: Calls,
    pub(super) open_files_denied: bool,
    /// Charges writes; absent where a file system holds the quota.
    pub(super) charged: Option<Charged>,
    /// What stands in the host's place; absent unless determinism is asked for.
    pub(super) fixed: Option<Fixed>,
}

/// The memory bound of one guest: all linear memories and tables together.
#[derive(Debug)]
pub(super) struct Bounds {
    limit: u64,
    held: u64,
    pub(super) peak: u64,
    pub(super) denied: Option<u64>,
}

impl Bounds {
    pub(super) fn new(limits: &Limits) -> Self {
        let limit = limits.amount(LimitName::Memory).unwrap_or(u64::MAX);
        Self { limit, held: 0, peak: 0, denied: None }
    }

    fn grow(&mut self, current: usize, desired: usize, unit: u64) -> bool {
        let more = (desired.saturating_sub(current) as u64).saturating_mul(unit);
        let total = self.held.saturating_add(more);
        if total > self.limit {
            self.denied = Some(self.denied.unwrap_or(0).max(total));
            return false;
        }
        self.held = total;
        self.peak = self.peak.max(total);
        true
    }
}

impl ResourceLimiter for Bounds {
    fn memory_growing(&mut self, current: usize, desired: usize, maximum: Option<usize>) -> wasmtime::Result<bool> {
        Ok(maximum.is_none_or(|maximum| desired <= maximum) && self.grow(current, desired, 1))
    }

    fn table_growing(&mut self, current: usize, desired: usize, maximum: Option<usize>) -> wasmtime::Result<bool> {
        let Some(most) = maximum.filter(|maximum| desired > *maximum) else {
            return Ok(self.grow(current, desired, TABLE_ELEMENT_BYTES));
        };
        // Beyond its own maximum a table cannot grow anywhere; beyond the pool's it could with more memory.
        if most >= pool::TABLE_ELEMENTS {
            let more = (desired - current) as u64;
            let total = self.held.saturating_add(more.saturating_mul(TABLE_ELEMENT_BYTES));
            self.denied = Some(self.denied.unwrap_or(0).max(total));
        }
        Ok(false)
    }

    fn instances(&self) -> usize {
        MAX_OBJECTS
    }

    fn tables(&self) -> usize {
        MAX_OBJECTS
    }

    fn memories(&self) -> usize {
        MAX_OBJECTS
    }
}

/// Has a guest look up at every tick, in the process that ends it when it must end.
pub(super) fn watch(store: &mut Store<GuestState>, limits: &Limits, control: &Arc<Control>, meter: &Arc<Meter>) {
    let (control, meter) = (Arc::clone(control), Arc::clone(meter));
    let (wall, cpu) = (limits.time(LimitName::WallTime), limits.time(LimitName::CpuTime));
    store.set_epoch_deadline(1);
    store.epoch_deadline_callback(move |store| {
        store.data().calls.check()?;
        look_up(&control, &meter, wall, cpu)
    });
}

/// Has a guest look up when it may have made too many calls, in a process that others end.
pub(super) fn watch_calls(store: &mut Store<GuestState>) {
    store.set_epoch_deadline(1);
    store.epoch_deadline_callback(|store| {
        store.data().calls.check()?;
        Ok(UpdateDeadline::Continue(1))
    });
}

/// Applies the limits that the engine itself holds to a store before its guest runs.
pub(super) fn apply(store: &mut Store<GuestState>, limits: &Limits) -> Result<(), SolutionRuntimeError> {
    store.limiter(|state| &mut state.bounds);
    if let Some(fuel) = limits.amount(LimitName::Fuel) {
        store.set_fuel(fuel.saturating_add(LAST_DROP)).map_err(|error| SolutionRuntimeError::Engine {
            action: "fuel the guest",
            source: Arc::from(error.into_boxed_dyn_error()),
        })?;
    }
    Ok(())
}

/// Gives how much fuel a guest used: at most one unit more than it was given.
pub(super) fn fuel_used(store: &Store<GuestState>, given: Option<u64>) -> Option<u64> {
    Some(given?.saturating_add(LAST_DROP).saturating_sub(store.get_fuel().ok()?))
}

/// Ends a guest by the fuel limit that got past it on its last instructions, where the engine does not look.
pub(super) fn settle_fuel(end: End, store: &Store<GuestState>, given: Option<u64>) -> End {
    match (end, given, fuel_used(store, given)) {
        (End::Exited(_) | End::Trapped { .. }, Some(given), Some(used)) if used > given => {
            End::Limit(LimitName::Fuel, LimitValue::Count(given))
        }
        (end, ..) => end,
    }
}

/// What a guest does at every tick: end if it must, else go on, and give the executor back after a while.
fn look_up(
    control: &Control,
    meter: &Meter,
    wall: Option<Duration>,
    cpu: Option<Duration>,
) -> wasmtime::Result<UpdateDeadline> {
    let lived = control.started_at().map(|started| started.elapsed());
    if let (Some(wall), Some(lived)) = (wall, lived)
        && lived >= wall
    {
        control.stop(Stop::Limit(LimitName::WallTime, LimitValue::Time(lived)));
    }
    if let Some(cpu) = cpu {
        let used = meter.cpu_in_turn();
        if used >= cpu {
            control.stop(Stop::Limit(LimitName::CpuTime, LimitValue::Time(used)));
        }
    }
    if control.is_stopped() {
        return Ok(UpdateDeadline::Interrupt);
    }
    Ok(if meter.turn() >= TURN { UpdateDeadline::Yield(1) } else { UpdateDeadline::Continue(1) })
}

/// Says what this runtime holds, and by what; `quota` is what holds the workspace's, if anything does.
pub(super) fn enforcement(quota: Option<&str>, containment: Containment) -> EnforcementTable {
    use LimitName as L;
    let (held, by) = match (quota, containment) {
        (Some(by), _) => (Level::Enforced, by),
        (None, Containment::InProcess) => {
            (Level::Enforced, "every write of a module is charged before it is made; of a component, nothing")
        }
        (None, Containment::Worker) => {
            (Level::Unsupported, "a worker process counts no writes, and the workspace is a plain directory")
        }
    };
    let (wall, cpu) = match containment {
        Containment::InProcess => (
            "a deadline round the whole call, and the epoch clock inside the guest",
            "the thread CPU clock over the guest's turns, read at every epoch",
        ),
        Containment::Worker => (
            "a deadline round the whole call, and SIGKILL to the worker process",
            "the scheduler's account of the worker process, looked at when the limit may be over",
        ),
    };
    EnforcementTable::default()
        .limit(L::WallTime, Level::Enforced, wall)
        .limit(L::CpuTime, Level::Enforced, cpu)
        .limit(L::IdleTime, Level::Enforced, "the time since the last byte of output")
        .limit(L::Memory, Level::Enforced, "linear memories and tables are refused growth")
        .limit(L::Output, Level::Enforced, "every byte is counted as it is printed")
        .limit(L::Disk, held, by)
        .limit(L::Entries, held, by)
        .limit(L::FileSize, Level::Unsupported, "nothing on WASI bounds one file; `disk` bounds all of them")
        .limit(L::OpenFiles, Level::Enforced, "the guest's descriptor table refuses more")
        .limit(L::Processes, Level::ByConstruction, "a guest has no processes and no threads")
        .limit(L::Cpus, Level::ByConstruction, "a guest has one thread")
        .limit(L::Stack, Level::Enforced, "the engine's stack bound")
        .limit(L::Fuel, Level::Enforced, "the engine's instruction counter")
        .capability(Capability::Files, Level::Enforced, "preopened directories only")
        .capability(
            Capability::Network,
            Level::Enforced,
            "modules have no sockets; components find every address refused",
        )
        .capability(Capability::Ports, Level::Unsupported, "a guest may not listen")
        .capability(Capability::Mounts, Level::Enforced, "preopened directories, read-only unless granted")
        .capability(Capability::Tty, Level::Unsupported, "a guest has no terminal")
        .capability(Capability::Shell, Level::Unsupported, "a guest has no processes")
        .capability(Capability::ReadOnlyAssets, Level::Enforced, "a read-only preopen of a staged copy")
}
