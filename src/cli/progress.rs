//! How far long work has come: a spinner on a terminal, nothing in a pipe.

use std::time::Duration;

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

use super::terminal::printable;
use crate::runtime::Progress;

/// A spinner on standard error; cleared when dropped.
#[derive(Debug)]
pub(super) struct Spinner {
    bar: ProgressBar,
}

impl Spinner {
    /// Makes a spinner; it is drawn only where that is wanted.
    pub(super) fn new(drawn: bool) -> Self {
        let target = if drawn { ProgressDrawTarget::stderr() } else { ProgressDrawTarget::hidden() };
        let bar = ProgressBar::with_draw_target(None, target);
        if let Ok(style) = ProgressStyle::with_template("{spinner} {msg} ({elapsed})") {
            bar.set_style(style);
        }
        Self { bar }
    }
}

/// Waits for work; where that takes long, a spinner says what it is.
pub(super) async fn while_waiting<T>(drawn: bool, what: &str, work: impl Future<Output = T>) -> T {
    const PATIENCE: Duration = Duration::from_millis(500);
    let mut work = std::pin::pin!(work);
    if !drawn {
        return work.await;
    }
    tokio::select! {
        biased;
        done = &mut work => return done,
        () = tokio::time::sleep(PATIENCE) => {}
    }
    let spinner = Spinner::new(drawn);
    spinner.step(what);
    work.await
}

impl Progress for Spinner {
    fn step(&self, what: &str) {
        if !self.bar.is_hidden() {
            self.bar.enable_steady_tick(Duration::from_millis(100));
            self.bar.set_message(printable(what));
        }
    }
}

impl Drop for Spinner {
    fn drop(&mut self) {
        self.bar.finish_and_clear();
    }
}
