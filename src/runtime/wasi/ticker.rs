//! The clock that gives running guests a turn to look whether they must end.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::thread::{self, Thread};
use std::time::Duration;

use wasmtime::{Engine, EngineWeak};

/// How often guests look up. A tick of 1 ms costs about 2 % of a core while guests run, and nothing otherwise.
const TICK: Duration = Duration::from_millis(1);
/// How many idle ticks pass before the thread sleeps: waking it costs more than a short guest.
const LINGER: u32 = 50;

/// A thread that raises an engine's epoch while guests run on it.
#[derive(Debug)]
pub(super) struct Ticker {
    shared: Arc<Shared>,
    thread: Thread,
}

#[derive(Debug, Default)]
struct Shared {
    running: AtomicUsize,
    asleep: AtomicBool,
}

impl Ticker {
    /// Starts the thread; it ends when the engine is gone.
    pub(super) fn start(engine: &Engine) -> std::io::Result<Self> {
        let shared = Arc::<Shared>::default();
        let (seen, weak) = (Arc::clone(&shared), engine.weak());
        let handle = thread::Builder::new().name("bailiwick-ticker".to_owned()).spawn(move || tick(&seen, &weak))?;
        Ok(Self { shared, thread: handle.thread().clone() })
    }

    /// Ticks for as long as the guard lives.
    pub(super) fn run(&self) -> TickGuard {
        self.shared.running.fetch_add(1, Ordering::SeqCst);
        if self.shared.asleep.swap(false, Ordering::SeqCst) {
            self.thread.unpark();
        }
        TickGuard(Arc::clone(&self.shared))
    }
}

impl Drop for Ticker {
    fn drop(&mut self) {
        // The engine goes with us; a sleeping thread must look to see it.
        self.thread.unpark();
    }
}

/// Keeps the ticker ticking.
#[derive(Debug)]
pub(super) struct TickGuard(Arc<Shared>);

impl Drop for TickGuard {
    fn drop(&mut self) {
        self.0.running.fetch_sub(1, Ordering::SeqCst);
    }
}

fn tick(shared: &Shared, engine: &EngineWeak) {
    let mut idle = 0;
    loop {
        thread::sleep(TICK);
        let Some(engine) = engine.upgrade() else { return };
        engine.increment_epoch();
        drop(engine);
        idle = if shared.running.load(Ordering::SeqCst) > 0 { 0 } else { idle + 1 };
        if idle > LINGER {
            idle = 0;
            sleep(shared);
        }
    }
}

fn sleep(shared: &Shared) {
    shared.asleep.store(true, Ordering::SeqCst);
    // A guest that came between the last look and the flag must not be missed.
    if shared.running.load(Ordering::SeqCst) > 0 {
        shared.asleep.store(false, Ordering::SeqCst);
        return;
    }
    thread::park();
    shared.asleep.store(false, Ordering::SeqCst);
}
