//! One call of a guest: its world is built, it runs under its limits, and what it used is counted.

use std::pin::pin;
use std::sync::atomic::Ordering;

use wasmtime::Store;

use super::calls::Calls;
use super::determinism::Fixed;
use super::engine::Sandbox;
use super::limits::{self, GuestState};
use super::linker::Linked;
use super::quota::{self, Charged, charged};
use super::spawn::WasiGuest;
use super::traps::end_of;
use super::usage::{CPU_BY, DISK_BY, FUEL_BY, MEMORY_BY, Meter, Metered};
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
        let determinism = self.config.determinism.as_ref();
        let charged = charged(&self.workspace, &limits).map(Charged::new);
        let made = guest_state(&self.view(), job, &guest, (calls, determinism, charged));
        let (state, met_end) = made.map_err(|ending| *ending)?;
        let mut store = Store::new(&sandbox.engine, state);
        let meter = Meter::new();
        limits::apply(&mut store, &limits, &control, &meter).map_err(|error| Ending::new(End::Failed(error)))?;
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
        let end = outcome.map_or(End::Stopped(None), |outcome| end_of(outcome, &control, fuel));
        let mut ending = Ending::new(limits::settle_fuel(end, &store, fuel));
        ending.cpu_time = Measured::known(meter.cpu(), CPU_BY);
        ending.met_end_of_stdin = met_end.load(Ordering::Relaxed);
        ending.notes = self.notes(&guest.found.program);
        ending.notes.extend(quota::not_held(linked, store.data()));
        if self.config.determinism.is_some() {
            ending.notes.extend(Fixed::doubt(&control));
        }
        ending.program = Some(guest.found.used);
        self.account(&mut ending, &store, fuel, left);
        Ok(ending)
    }

    /// Adds what the store and the workspace know of the run.
    fn account(&self, ending: &mut Ending, store: &Store<GuestState>, fuel: Option<u64>, before: Option<DiskUsage>) {
        let state = store.data();
        ending.peak_memory = Measured::known(state.bounds.peak, MEMORY_BY);
        ending.fuel = match fuel.zip(limits::fuel_used(store, fuel)) {
            Some((given, used)) => Measured::known(used.min(given), FUEL_BY),
            None => Measured::not_measured("fuel off"),
        };
        if state.open_files_denied {
            ending.notes.push("the open_files limit refused the guest a file".to_owned());
        }
        ending.notes.extend(state.calls.notes());
        ending.denied.extend(state.bounds.refusal());
        ending.denied.extend(state.charged.as_ref().and_then(|charged| charged.denied));
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
