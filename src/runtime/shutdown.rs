//! The end of a registry: every runtime that it spawned, then everything that waits to be cleaned up.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError, Weak};
use std::time::{Duration, Instant};

use futures_util::future::join_all;

use super::{Killer, SolutionRuntimeError, SubmissionRuntime};
use crate::error::{ErrorKind, ExecutionError};
use crate::workspace::Reaper;

/// The runtimes that a registry has spawned and that are still in somebody's hands.
#[derive(Debug, Default)]
pub(super) struct Spawned {
    runtimes: Mutex<Vec<Weak<dyn SubmissionRuntime>>>,
    closed: AtomicBool,
}

impl Spawned {
    pub(super) fn need_open(&self) -> Result<(), SolutionRuntimeError> {
        if self.closed.load(Ordering::Acquire) { Err(SolutionRuntimeError::Closed) } else { Ok(()) }
    }

    pub(super) fn remember(&self, runtime: &Arc<dyn SubmissionRuntime>) {
        let mut runtimes = self.runtimes.lock().unwrap_or_else(PoisonError::into_inner);
        runtimes.retain(|runtime| runtime.strong_count() > 0);
        runtimes.push(Arc::downgrade(runtime));
    }

    fn close(&self) -> Vec<Arc<dyn SubmissionRuntime>> {
        self.closed.store(true, Ordering::Release);
        let mut runtimes = self.runtimes.lock().unwrap_or_else(PoisonError::into_inner);
        runtimes.drain(..).filter_map(|runtime| runtime.upgrade()).collect()
    }
}

pub(super) async fn shutdown(
    spawned: &Spawned,
    reaper: &Arc<Reaper>,
    deadline: Duration,
) -> Result<(), ExecutionError> {
    let began = Instant::now();
    let left = || deadline.saturating_sub(began.elapsed());
    // All at once: one that does not end takes no time from the others.
    let ends = spawned.close().into_iter().map(|runtime| async move {
        let end = async {
            let killed = runtime.kill_as(Killer::Interrupt).await.map_err(ExecutionError::from);
            killed.and(runtime.cleanup().await)
        };
        let in_time = tokio::time::timeout(left(), end).await;
        in_time.unwrap_or_else(|_| Err(ExecutionError::new(ErrorKind::Runtime, "a runtime did not end in time"))).err()
    });
    let mut failures: Vec<ExecutionError> = join_all(ends).await.into_iter().flatten().collect();
    let (reaper, within) = (Arc::clone(reaper), left());
    let flushed = tokio::task::spawn_blocking(move || reaper.flush(within)).await;
    if let Ok(flushed) = flushed {
        failures.extend(flushed.failures);
        if flushed.unfinished > 0 {
            let message = format!("{} clean-ups did not end in time", flushed.unfinished);
            failures.push(
                ExecutionError::new(ErrorKind::Workspace, message).with_hint("`bailiwick gc` removes what stays"),
            );
        }
    }
    ExecutionError::first_of(failures).map_or(Ok(()), Err)
}
