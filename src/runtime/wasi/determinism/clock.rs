//! The clock that counts readings: each moves it by one step, and a sleep moves it to its end.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use wasmtime_wasi::{HostMonotonicClock, HostWallClock};

use super::config::DeterminismConfig;

/// The time of one guest, for all of its clocks. Clones are the same clock.
#[derive(Clone, Debug)]
pub(super) struct Clock {
    /// Nanoseconds since the guest began.
    elapsed: Arc<AtomicU64>,
    start: u64,
    step: u64,
}

impl Clock {
    pub(super) fn new(config: &DeterminismConfig) -> Self {
        Self { elapsed: Arc::default(), start: nanoseconds(config.start.0), step: nanoseconds(config.step.0) }
    }

    /// Gives the time of day at which the guest began, in nanoseconds since 1970.
    pub(super) fn start(&self) -> u64 {
        self.start
    }

    /// Reads the clock, which moves it.
    pub(super) fn read(&self) -> u64 {
        let now = self.elapsed.load(Ordering::Relaxed);
        self.elapsed.store(now.saturating_add(self.step), Ordering::Relaxed);
        now
    }

    /// Lets time pass until a moment, unless it has passed already.
    pub(super) fn sleep_until(&self, moment: u64) {
        self.elapsed.fetch_max(moment, Ordering::Relaxed);
    }
}

impl HostMonotonicClock for Clock {
    fn resolution(&self) -> u64 {
        self.step.max(1)
    }

    fn now(&self) -> u64 {
        self.read()
    }
}

impl HostWallClock for Clock {
    fn resolution(&self) -> Duration {
        Duration::from_nanos(self.step.max(1))
    }

    fn now(&self) -> Duration {
        Duration::from_nanos(self.start.saturating_add(self.read()))
    }
}

fn nanoseconds(time: Duration) -> u64 {
    u64::try_from(time.as_nanos()).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn readings_move_the_clock_and_sleeping_never_moves_it_back() {
        let clock = Clock::new(&DeterminismConfig::default());
        assert_eq!((clock.read(), clock.read()), (0, 1_000));
        clock.sleep_until(5_000_000);
        clock.sleep_until(1);
        assert_eq!(HostMonotonicClock::now(&clock), 5_000_000);
        assert_eq!(HostWallClock::now(&clock), Duration::from_nanos(946_684_800_005_001_000));
        clock.sleep_until(u64::MAX);
        assert_eq!((clock.read(), clock.read()), (u64::MAX, u64::MAX));
    }
}
