//! One call of a guest: its world is built, it runs under its limits, and what it used is counted.

use std::pin::pin;

use wasmtime::Store;

use super::calls::Calls;
use super::determinism::Fixed;
use super::engine::Sandbox;
use super::facts::Facts;
use super::limits;
use super::linker::Linked;
use super::quota::{self, Charged, charged};
use super::spawn::WasiGuest;
use super::stdio::{Printer, Reader};
use super::traps::end_of;
use super::usage::{CPU_BY, DISK_BY, Meter, Metered};
use super::world::{Prepared, guest_state};
use crate::runtime::{Denied, End, Ending, Job, Measured};
use crate::spec::{LimitName, LimitValue};
use crate::workspace::DiskUsage;

impl WasiGuest {
    /// Runs a linked guest; the error side is an ending of one that never ran.
    pub(super) async fn call(
        &self,
        job: Job,
        sandbox: &Sandbox,
        linked: &Linked,
        guest: Prepared,
    ) -> Result<Ending, Ending> {
        let calls = Calls::new(&sandbox.engine, self.config.most_calls());
        let (control, limits) = (job.control.clone(), job.limits.clone());
        let charged = charged(&self.workspace, &limits).map(Charged::new);
        let world = guest.world(&self.view(), &job).map_err(|ending| *ending)?;
        let (stdin, meter) = (Reader::new(job.stdin), Meter::new());
        let met_end = stdin.met_end();
        let streams = (stdin, Printer::new(&job.stdout, &control), Printer::new(&job.stderr, &control));
        let file_system = self.view().file_system(&guest.cwd, &guest.found.program.mounts);
        let file_system = file_system.map_err(|error| error.ending(&guest.cwd))?;
        let state =
            guest_state(&world, file_system, streams, (&limits, calls, self.config.determinism.as_ref(), charged));
        let mut store = Store::new(&sandbox.engine, state);
        limits::apply(&mut store, &limits).map_err(|error| Ending::new(End::Failed(error)))?;
        limits::watch(&mut store, &limits, &control, &meter);
        let engine = sandbox.engine.clone();
        control.on_stop(move || engine.increment_epoch());
        let left = self.workspace.quota_left();
        let _ticking = sandbox.ticker.run();
        control.mark_started();
        let outcome = {
            let mut call = pin!(linked.invoke(&mut store, &guest.found.program));
            tokio::select! {
                biased;
                outcome = Metered::new(&meter, call.as_mut()) => Some(outcome),
                _ = control.stopped() => None,
            }
        };
        control.mark_ended();
        let fuel = limits.amount(LimitName::Fuel);
        let end = outcome.map_or(End::Stopped(None), |outcome| end_of(outcome, control.is_stopped(), fuel));
        let mut ending = Ending::new(limits::settle_fuel(end, &store, fuel));
        ending.cpu_time = Measured::known(meter.cpu(), CPU_BY);
        ending.notes = self.notes(&guest.found.program);
        ending.notes.extend(quota::not_held(linked, store.data()));
        if self.config.determinism.is_some() {
            ending.notes.extend(Fixed::doubt(&control));
        }
        ending.program = Some(guest.found.used);
        Facts::of(&store, fuel, &met_end).tell(&mut ending, fuel, self.config.most_calls());
        ending.denied.extend(store.data().charged.as_ref().and_then(|charged| charged.denied));
        self.account(&mut ending, left);
        Ok(ending)
    }

    /// Adds what the workspace knows of the run.
    pub(super) fn account(&self, ending: &mut Ending, before: Option<DiskUsage>) {
        ending.disk_written = Measured::not_measured("the workspace is a plain directory");
        let Some((before, after)) = before.zip(self.workspace.quota_left()) else { return };
        let written = before.bytes.saturating_sub(after.bytes);
        ending.disk_written = Measured::known(written, DISK_BY);
        if after.bytes == 0 {
            ending.denied.push(Denied { limit: LimitName::Disk, value: LimitValue::Bytes(written) });
        }
        if after.entries == 0 {
            let made = before.entries.saturating_sub(after.entries);
            ending.denied.push(Denied { limit: LimitName::Entries, value: LimitValue::Count(made) });
        }
    }
}
