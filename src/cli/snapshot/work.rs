//! Long work on files: off the executor, telling how far it is, ended by a signal with nothing left behind.

use std::ops::ControlFlow;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

use crate::cli::app::App;
use crate::cli::progress::Spinner;
use crate::cli::signals::{Interrupted, Signals};
use crate::error::ExecutionError;
use crate::runtime::Progress;
use crate::spec::ByteSize;
use crate::workspace::{SnapshotProgress, Watch};

/// How often the terminal is told.
const TICK: Duration = Duration::from_millis(100);

/// What the work and its watcher share.
#[derive(Debug, Default)]
struct State {
    stop: AtomicBool,
    entries: AtomicU64,
    bytes: AtomicU64,
}

impl State {
    fn look(&self, progress: SnapshotProgress) -> ControlFlow<()> {
        self.entries.store(progress.entries, Ordering::Relaxed);
        self.bytes.store(progress.bytes, Ordering::Relaxed);
        if self.stop.load(Ordering::Relaxed) { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
    }
}

/// Does work that looks at its watch after every entry. The first signal asks it to stop and waits until it has
/// cleaned up; a second lets go of it.
pub(super) async fn run<T: Send + 'static>(
    app: &App,
    what: &str,
    work: impl FnOnce(Watch<'_>) -> Result<T, ExecutionError> + Send + 'static,
) -> anyhow::Result<T> {
    let signals = Signals::take()?;
    let state = Arc::new(State::default());
    let shared = Arc::clone(&state);
    let mut task = tokio::task::spawn_blocking(move || work(&mut |progress| shared.look(progress)));
    let spinner = Spinner::new(app.progress);
    let mut interrupted = None;
    let done = loop {
        tokio::select! {
            done = &mut task => break done,
            signal = signals.first(), if interrupted.is_none() => {
                state.stop.store(true, Ordering::Relaxed);
                interrupted = Some(Interrupted(signal));
            }
            again = signals.or_again(std::future::pending::<()>()), if interrupted.is_some() => again?,
            () = tokio::time::sleep(TICK) => {
                let bytes = ByteSize(state.bytes.load(Ordering::Relaxed) >> 20 << 20);
                spinner.step(&format!("{what}: {} entries, {bytes}", state.entries.load(Ordering::Relaxed)));
            }
        }
    };
    drop(spinner);
    match (done?, interrupted) {
        // What was done by the time the signal came is done.
        (Ok(value), _) => Ok(value),
        (Err(_), Some(interrupted)) => Err(interrupted.into()),
        (Err(error), None) => Err(error.into()),
    }
}
