//! How far past a limit each hostile guest gets, on each runtime of this build: the median and the 99th percentile.
//!
//! Needs an engine and the images of the tests for the rows of Docker; says so and leaves them out without.

#![expect(clippy::unwrap_used, reason = "a bench that cannot measure has nothing to say")]
#![expect(clippy::print_stdout, reason = "the table is what a bench is for")]

#[path = "../execution/engine/mod.rs"]
mod engine;
#[path = "../execution/hostile/guests.rs"]
mod guests;
#[path = "../execution/hostile/machines.rs"]
#[expect(dead_code, reason = "the tests use the rest")]
mod machines;
#[expect(dead_code, reason = "the other table uses the rest")]
mod report;

use std::time::Duration;

use bailiwick::RuntimeResult;
use bailiwick::spec::LimitName;
use guests::{End, Guest};
use machines::Machine;
use report::middle;

/// How often each is measured.
const TIMES: usize = 100;
/// What every limit of time is set to.
const LIMIT: Duration = Duration::from_millis(300);

fn main() {
    let filter = std::env::args().skip(1).find(|arg| !arg.starts_with("--")).unwrap_or_default();
    let executor = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
    println!("| runtime | guest | limit | past it: median | p99 |");
    println!("| --- | --- | --- | --- | --- |");
    #[cfg(all(feature = "wasi", feature = "wat"))]
    let submission = tempfile::tempdir().unwrap();
    let machines = [
        #[cfg(all(feature = "wasi", feature = "wat"))]
        Some(Machine::wasi(submission.path())),
        Some(Machine::local()),
        Machine::docker(engine::SMALL),
    ];
    for machine in machines.into_iter().flatten() {
        for guest in &machine.guests {
            if format!("{}: {}", machine.name, guest.name).contains(&filter) {
                executor.block_on(measure(&machine, guest));
            }
        }
    }
}

async fn measure(machine: &Machine, guest: &Guest) {
    let End::Limit(limit @ (LimitName::WallTime | LimitName::CpuTime | LimitName::IdleTime)) = guest.ends else {
        return;
    };
    let place = machine.open(&guest.limits).await.unwrap();
    let mut past = Vec::new();
    for _ in 0..TIMES {
        let result = place.run(guest).await;
        assert!(guest.ended_well(&result.termination), "{result}");
        past.extend(taken(limit, &result).map(|taken| taken.saturating_sub(LIMIT)));
    }
    place.close().await;
    let (name, runtime) = (guest.name, machine.name);
    if past.len() < TIMES {
        println!("| {runtime} | {name} | {} | not measured | |", limit.name());
        return;
    }
    let (half, most) = (middle(&mut past, 50), middle(&mut past, 99));
    println!("| {runtime} | {name} | {} | {:.1} ms | {:.1} ms |", limit.name(), millis(half), millis(most));
}

/// Gives what the guest took of what is limited; the time since its last output is all of it for a silent one.
fn taken(limit: LimitName, result: &RuntimeResult) -> Option<Duration> {
    let figure = if limit == LimitName::CpuTime { &result.usage.cpu_time } else { &result.usage.wall_time };
    figure.value().copied()
}

fn millis(time: Duration) -> f64 {
    time.as_secs_f64() * 1e3
}
