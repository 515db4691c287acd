//! Guests that are hostile by what they take: time, processes, files, room. On every runtime the limit that is met is
//! the one that is named, what is just within it is no limit, and a crowd leaves nothing behind.

#![expect(clippy::unwrap_used, reason = "the helpers of a test fail like the test")]

#[cfg(feature = "docker")]
#[path = "../engine/mod.rs"]
mod engine;
mod guests;
#[path = "../support/ledger.rs"]
mod ledger;
mod machines;
mod sessions;
mod shares;

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use machines::Machine;

/// Far more than any guest takes, its start included, and far less than it would take by itself.
const SOON: Duration = Duration::from_secs(60);

/// What is counted is of the whole process: one test at a time.
fn alone() -> MutexGuard<'static, ()> {
    static ALONE: Mutex<()> = Mutex::new(());
    ALONE.lock().unwrap_or_else(PoisonError::into_inner)
}

fn executor() -> tokio::runtime::Runtime {
    tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap()
}

fn every_guest_meets_its_limit(machine: &Machine) {
    let executor = executor();
    for guest in &machine.guests {
        executor.block_on(async {
            let place = machine.open(&guest.limits).await.unwrap();
            let began = Instant::now();
            let result = place.run(guest).await;
            assert!(guest.ended_well(&result.termination), "{} on {}: {result}", guest.name, machine.name);
            assert!(began.elapsed() < SOON, "{} on {}: {:?}", guest.name, machine.name, began.elapsed());
            place.close().await;
        });
    }
    assert_eq!(machine.left(), 0, "{}", machine.name);
}

#[cfg(feature = "local")]
#[test]
fn every_guest_meets_its_limit_on_local() {
    let _alone = alone();
    every_guest_meets_its_limit(&Machine::local());
}

#[cfg(feature = "docker")]
#[test]
fn every_guest_meets_its_limit_on_docker() {
    let _alone = alone();
    if let Some(machine) = Machine::docker(engine::SMALL) {
        every_guest_meets_its_limit(&machine);
    }
}

#[cfg(all(feature = "wasi", feature = "wat"))]
#[test]
fn every_guest_meets_its_limit_on_wasi() {
    let _alone = alone();
    let submission = tempfile::tempdir().unwrap();
    every_guest_meets_its_limit(&Machine::wasi(submission.path()));
}
