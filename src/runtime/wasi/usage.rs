//! What a guest used: the processor time of its own turns, its memory.

use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::task::{Context, Poll};
use std::time::{Duration, Instant};

use rustix::time::{ClockId, clock_gettime};

/// The name of the clock in results.
pub(super) const CPU_BY: &str = "thread CPU clock over the guest's turns";
/// The name of the memory figure's source in results.
pub(super) const MEMORY_BY: &str = "linear memories and tables";
/// The name of the fuel figure's source in results.
pub(super) const FUEL_BY: &str = "instruction counter";
/// The name of the disk figure's source in results.
pub(super) const DISK_BY: &str = "the workspace's file system";

/// Measures the turns of one guest. A turn begins and ends with one poll of its future, on one thread.
#[derive(Debug)]
pub(super) struct Meter {
    base: Instant,
    cpu_before: AtomicU64,
    turn_cpu: AtomicU64,
    turn_began: AtomicU64,
}

impl Meter {
    pub(super) fn new() -> Arc<Self> {
        let zero = || AtomicU64::new(0);
        Arc::new(Self { base: Instant::now(), cpu_before: zero(), turn_cpu: zero(), turn_began: zero() })
    }

    /// Gives the processor time so far; inside a turn only on the thread of that turn.
    pub(super) fn cpu_in_turn(&self) -> Duration {
        let turn = thread_cpu().saturating_sub(self.turn_cpu.load(Ordering::Relaxed));
        Duration::from_nanos(self.cpu_before.load(Ordering::Relaxed) + turn)
    }

    /// Gives the processor time of all ended turns.
    pub(super) fn cpu(&self) -> Duration {
        Duration::from_nanos(self.cpu_before.load(Ordering::Relaxed))
    }

    /// Gives how long the current turn has lasted.
    pub(super) fn turn(&self) -> Duration {
        Duration::from_nanos(self.now().saturating_sub(self.turn_began.load(Ordering::Relaxed)))
    }

    fn now(&self) -> u64 {
        u64::try_from(self.base.elapsed().as_nanos()).unwrap_or(u64::MAX)
    }

    fn begin(&self) {
        self.turn_began.store(self.now(), Ordering::Relaxed);
        self.turn_cpu.store(thread_cpu(), Ordering::Relaxed);
    }

    fn end(&self) {
        let turn = thread_cpu().saturating_sub(self.turn_cpu.load(Ordering::Relaxed));
        self.cpu_before.fetch_add(turn, Ordering::Relaxed);
    }
}

fn thread_cpu() -> u64 {
    let now = clock_gettime(ClockId::ThreadCPUTime);
    u64::try_from(now.tv_sec).unwrap_or(0) * 1_000_000_000 + u64::try_from(now.tv_nsec).unwrap_or(0)
}

/// A future whose turns are measured.
pub(super) struct Metered<'a, F: ?Sized> {
    meter: &'a Meter,
    future: Pin<&'a mut F>,
}

impl<'a, F: Future + ?Sized> Metered<'a, F> {
    pub(super) fn new(meter: &'a Meter, future: Pin<&'a mut F>) -> Self {
        Self { meter, future }
    }
}

impl<F: Future + ?Sized> Future for Metered<'_, F> {
    type Output = F::Output;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<F::Output> {
        self.meter.begin();
        let polled = self.future.as_mut().poll(context);
        self.meter.end();
        polled
    }
}
