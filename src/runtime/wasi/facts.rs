//! What is known of a guest when it has ended, from whichever process it ran in.

use std::sync::atomic::{AtomicBool, Ordering};

use serde::{Deserialize, Serialize};
use wasmtime::Store;

use super::calls;
use super::limits::{GuestState, fuel_used};
use super::usage::{FUEL_BY, MEMORY_BY};
use crate::runtime::{Denied, Ending, Measured};
use crate::spec::{LimitName, LimitValue};

/// Numbers and yes or no, never a word: they may come from a process that a guest has taken over.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Facts {
    peak_memory: u64,
    /// What it would have held, had it not been refused.
    memory_denied: Option<u64>,
    fuel_used: Option<u64>,
    open_files_denied: bool,
    random_denied: bool,
    calls_denied: bool,
    met_end_of_stdin: bool,
}

impl Facts {
    /// Reads a store.
    pub(super) fn of(store: &Store<GuestState>, fuel: Option<u64>, met_end: &AtomicBool) -> Self {
        let state = store.data();
        Self {
            peak_memory: state.bounds.peak,
            memory_denied: state.bounds.denied,
            fuel_used: fuel_used(store, fuel),
            open_files_denied: state.open_files_denied,
            random_denied: state.calls.random_denied,
            calls_denied: state.calls.check().is_err(),
            met_end_of_stdin: met_end.load(Ordering::Relaxed),
        }
    }

    /// Tells them in an ending, given the fuel and the host calls that were granted.
    pub(super) fn tell(&self, ending: &mut Ending, fuel: Option<u64>, most_calls: Option<u64>) {
        ending.met_end_of_stdin = self.met_end_of_stdin;
        ending.peak_memory = Measured::known(self.peak_memory, MEMORY_BY);
        ending.fuel = match fuel.zip(self.fuel_used) {
            Some((given, used)) => Measured::known(used.min(given), FUEL_BY),
            None => Measured::not_measured("fuel off"),
        };
        if self.open_files_denied {
            ending.notes.push("the open_files limit refused the guest a file".to_owned());
        }
        ending.notes.extend(calls::notes(most_calls.filter(|_| self.calls_denied), self.random_denied));
        let memory = |value| Denied { limit: LimitName::Memory, value: LimitValue::Bytes(value) };
        ending.denied.extend(self.memory_denied.map(memory));
    }
}
