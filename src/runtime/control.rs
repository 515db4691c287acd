//! The shared knowledge about one running command: when it began, whether it must end, and why.

use std::fmt;
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};
use std::sync::{Mutex, OnceLock, PoisonError};
use std::time::{Duration, Instant};

use tokio::sync::Notify;

use super::Killer;
use crate::spec::{LimitName, LimitValue};

/// Why a command must end before it does so by itself.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Stop {
    /// It met a limit; the value is what was measured when that was seen.
    Limit(LimitName, LimitValue),
    /// Somebody ended it.
    Kill(Killer),
}

/// One running command, as its guest, its limits and its killers see it.
///
/// The first [`stop`](Self::stop) wins. A [`Guest`](super::Guest) must end soon after it: it polls
/// [`is_stopped`](Self::is_stopped), waits on [`stopped`](Self::stopped), or registers
/// [`on_stop`](Self::on_stop), whichever reaches what it runs.
pub struct Control {
    made: Instant,
    started: OnceLock<Instant>,
    start_seen: Notify,
    ended: OnceLock<Instant>,
    stop: OnceLock<Stop>,
    stop_flag: AtomicBool,
    stop_seen: Notify,
    hook: Mutex<Option<Box<dyn Fn() + Send>>>,
    last_output: AtomicU64,
    blocked: AtomicUsize,
}

impl Control {
    pub(super) fn new() -> Self {
        Self {
            made: Instant::now(),
            started: OnceLock::new(),
            start_seen: Notify::new(),
            ended: OnceLock::new(),
            stop: OnceLock::new(),
            stop_flag: AtomicBool::new(false),
            stop_seen: Notify::new(),
            hook: Mutex::new(None),
            last_output: AtomicU64::new(0),
            blocked: AtomicUsize::new(0),
        }
    }

    /// Marks the moment from which the guest may execute: wall and idle time count from here.
    pub fn mark_started(&self) {
        if self.started_at().is_some() {
            return;
        }
        // First: who sees the start must not take the time in the queue for silence.
        self.mark_output();
        if self.started.set(Instant::now()).is_ok() {
            self.start_seen.notify_waiters();
        }
    }

    /// Gives the moment from which the guest could execute, if it came.
    pub fn started_at(&self) -> Option<Instant> {
        self.started.get().copied()
    }

    /// Marks the moment at which the guest had ended, where a runtime still has work to do then: drain pipes, copy files
    /// back. Wall and idle time count no further. Without it they count until [`run`](super::Guest::run) returns.
    pub fn mark_ended(&self) {
        let _ = self.ended.set(Instant::now());
    }

    /// Gives how long the guest lives, or lived, since it could execute.
    pub(super) fn lived(&self) -> Option<Duration> {
        let ended = self.ended.get().copied().unwrap_or_else(Instant::now);
        self.started_at().map(|started| ended.saturating_duration_since(started))
    }

    pub(super) fn has_ended(&self) -> bool {
        self.ended.get().is_some()
    }

    /// Asks the command to end. Says whether this was the first such request.
    pub fn stop(&self, why: Stop) -> bool {
        let first = self.stop.set(why).is_ok();
        if first {
            self.stop_flag.store(true, Ordering::Release);
            self.stop_seen.notify_waiters();
            if let Some(hook) = &*self.hook.lock().unwrap_or_else(PoisonError::into_inner) {
                hook();
            }
        }
        first
    }

    /// Says whether the command must end; cheap enough to ask at every turn.
    pub fn is_stopped(&self) -> bool {
        self.stop_flag.load(Ordering::Acquire)
    }

    /// Gives the reason for which the command must end, if it must.
    pub fn stop_reason(&self) -> Option<Stop> {
        self.stop.get().copied()
    }

    /// Waits until the command must end.
    ///
    /// Cancel safe.
    pub async fn stopped(&self) -> Stop {
        loop {
            let mut seen = std::pin::pin!(self.stop_seen.notified());
            seen.as_mut().enable();
            match self.stop_reason() {
                Some(why) => return why,
                None => seen.await,
            }
        }
    }

    /// Registers what wakes a guest that cannot wait on [`stopped`](Self::stopped); called at once if it is too late.
    ///
    /// The hook runs on the thread of whoever stops the command and must not block.
    pub fn on_stop(&self, hook: impl Fn() + Send + 'static) {
        let mut slot = self.hook.lock().unwrap_or_else(PoisonError::into_inner);
        if self.is_stopped() {
            hook();
        }
        *slot = Some(Box::new(hook));
    }

    pub(super) async fn wait_started(&self) -> Instant {
        loop {
            let mut seen = std::pin::pin!(self.start_seen.notified());
            seen.as_mut().enable();
            match self.started_at() {
                Some(at) => return at,
                None => seen.await,
            }
        }
    }

    pub(super) fn mark_output(&self) {
        let since = u64::try_from(self.made.elapsed().as_nanos()).unwrap_or(u64::MAX);
        self.last_output.store(since, Ordering::Relaxed);
    }

    /// Waits on a slow reader; the idle clock stands still meanwhile.
    ///
    /// Cancel safe: the clock goes on when the wait is dropped.
    pub(super) async fn while_blocked<T>(&self, wait: impl Future<Output = T>) -> T {
        self.blocked.fetch_add(1, Ordering::Relaxed);
        let _blocked = Blocked(self);
        wait.await
    }

    /// Gives how long the guest has been silent, zero while a slow reader blocks it.
    pub(super) fn silence(&self) -> Duration {
        if self.blocked.load(Ordering::Acquire) > 0 {
            return Duration::ZERO;
        }
        let last = Duration::from_nanos(self.last_output.load(Ordering::Relaxed));
        self.made.elapsed().saturating_sub(last)
    }
}

/// The time in which one stream of the guest waits for its reader.
struct Blocked<'a>(&'a Control);

impl Drop for Blocked<'_> {
    fn drop(&mut self) {
        self.0.mark_output();
        self.0.blocked.fetch_sub(1, Ordering::Release);
    }
}

impl fmt::Debug for Control {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Control").field("started", &self.started).field("stop", &self.stop).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use futures_util::FutureExt as _;

    use super::*;

    #[tokio::test]
    async fn the_idle_clock_goes_on_when_a_wait_for_the_reader_is_dropped() {
        let control = Control::new();
        let mut wait = Box::pin(control.while_blocked(std::future::pending::<()>()));
        assert!(wait.as_mut().now_or_never().is_none());
        std::thread::sleep(Duration::from_millis(2));
        assert_eq!(control.silence(), Duration::ZERO);
        drop(wait);
        std::thread::sleep(Duration::from_millis(2));
        assert!(control.silence() > Duration::ZERO);
    }

    #[test]
    fn time_in_the_queue_is_no_silence() {
        let control = Control::new();
        std::thread::sleep(Duration::from_millis(20));
        control.mark_started();
        assert!(control.silence() < Duration::from_millis(20));
    }
}
