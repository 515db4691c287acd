//! The reaper: one thread that does what must happen later and that nobody waits for.

use std::collections::VecDeque;
use std::fmt;
use std::future::Future;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::Pin;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use futures_util::FutureExt;
use tokio::sync::{Notify, mpsc};
use tokio::task::JoinSet;

use crate::error::{ErrorKind, ExecutionError};

/// How many failures are kept; later ones are counted only.
const FAILURES: usize = 64;

type Outcome = Result<(), ExecutionError>;

enum Work {
    Blocking(Box<dyn FnOnce() -> Outcome + Send>),
    Async(Pin<Box<dyn Future<Output = Outcome> + Send>>),
}

struct Job {
    work: Work,
    ledgers: Ledgers,
}

/// Who counts a job: everybody together, who keep its failure too, and the scope that it belongs to.
#[derive(Clone, Debug, Default)]
struct Ledgers {
    all: Arc<State>,
    scope: Option<Arc<State>>,
}

/// Runs clean-up jobs on a thread of its own, which starts with the first job.
///
/// Jobs in code that blocks run one after another; asynchronous ones run beside each other on the thread's own
/// executor. Dropping the reaper lets the thread finish what it has and end; [`Self::flush`] waits for it.
#[derive(Debug, Default)]
pub struct Reaper {
    jobs: Arc<Mutex<Option<mpsc::UnboundedSender<Job>>>>,
    ledgers: Ledgers,
}

#[derive(Debug, Default)]
struct State {
    counts: Mutex<Counts>,
    changed: Condvar,
    settled: Notify,
}

#[derive(Debug, Default)]
struct Counts {
    pending: usize,
    failures: VecDeque<ExecutionError>,
    dropped_failures: u64,
}

/// What [`Reaper::flush`] found.
#[derive(Debug, Default)]
#[non_exhaustive]
pub struct Flushed {
    /// The failures since the last flush, oldest first; at most 64 are kept.
    pub failures: Vec<ExecutionError>,
    /// How many more failures there were.
    pub omitted: u64,
    /// How many jobs were not done at the deadline.
    pub unfinished: usize,
}

impl Reaper {
    /// Makes a reaper that has no thread yet.
    pub fn new() -> Arc<Self> {
        Arc::default()
    }

    /// Gives a part of the reaper: the same thread, whose jobs can be waited for apart from those of others.
    pub(crate) fn scope(&self) -> Arc<Self> {
        let ledgers = Ledgers { all: Arc::clone(&self.ledgers.all), scope: Some(Arc::default()) };
        Arc::new(Self { jobs: Arc::clone(&self.jobs), ledgers })
    }

    /// Waits until every job of this scope is done. What failed is kept for [`Self::flush`].
    ///
    /// Cancel safe: the jobs go on.
    pub(crate) async fn settle(&self) {
        let state = self.ledgers.scope.as_ref().unwrap_or(&self.ledgers.all);
        loop {
            let mut settled = std::pin::pin!(state.settled.notified());
            // Before the look, so that the last job cannot end unheard in between.
            settled.as_mut().enable();
            if state.lock().pending == 0 {
                return;
            }
            settled.await;
        }
    }

    /// Hands over a job that may block. Returns at once.
    pub fn enqueue(&self, job: impl FnOnce() -> Outcome + Send + 'static) {
        self.send(Work::Blocking(Box::new(job)));
    }

    /// Hands over an asynchronous job, for which timers and sockets work. Returns at once.
    pub fn enqueue_async(&self, job: impl Future<Output = Outcome> + Send + 'static) {
        self.send(Work::Async(Box::pin(job)));
    }

    /// Waits until every job is done, or until the time is over, and takes the failures so far.
    pub fn flush(&self, within: Duration) -> Flushed {
        let end = Instant::now().checked_add(within);
        let state = &self.ledgers.all;
        let mut counts = state.lock();
        while counts.pending > 0 {
            let left = end.map_or(Duration::from_secs(3600), |end| end.saturating_duration_since(Instant::now()));
            if left.is_zero() {
                break;
            }
            counts = state.changed.wait_timeout(counts, left).unwrap_or_else(PoisonError::into_inner).0;
        }
        Flushed {
            failures: counts.failures.drain(..).collect(),
            omitted: std::mem::take(&mut counts.dropped_failures),
            unfinished: counts.pending,
        }
    }

    fn send(&self, work: Work) {
        self.ledgers.begin();
        let job = Job { work, ledgers: self.ledgers.clone() };
        let mut jobs = self.jobs.lock().unwrap_or_else(PoisonError::into_inner);
        let refused = match &*jobs {
            Some(open) => open.send(job).err().map(|back| back.0),
            None => match start() {
                Ok(open) => {
                    let refused = open.send(job).err().map(|back| back.0);
                    *jobs = Some(open);
                    refused
                }
                Err(error) => {
                    tracing::warn!(target: "bailiwick::reaper", %error, "no thread for clean-up: done in place");
                    Some(job)
                }
            },
        };
        drop(jobs);
        // Better late than never: without a thread the job is done here.
        match refused {
            Some(Job { work: Work::Blocking(work), ledgers }) => ledgers.finish(run(work)),
            Some(Job { work: Work::Async(_), ledgers }) => ledgers.finish(Err(lost("there is no thread to run it on"))),
            None => {}
        }
    }
}

impl Ledgers {
    fn begin(&self) {
        self.all.lock().pending += 1;
        if let Some(scope) = &self.scope {
            scope.lock().pending += 1;
        }
    }

    fn finish(&self, outcome: Outcome) {
        self.all.finish(outcome);
        if let Some(scope) = &self.scope {
            scope.finish(Ok(()));
        }
    }
}

impl State {
    fn lock(&self) -> MutexGuard<'_, Counts> {
        self.counts.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn finish(&self, outcome: Outcome) {
        let mut counts = self.lock();
        counts.pending -= 1;
        if let Err(error) = outcome {
            if counts.failures.len() < FAILURES {
                counts.failures.push_back(error);
            } else {
                counts.dropped_failures += 1;
            }
        }
        let is_settled = counts.pending == 0;
        drop(counts);
        self.changed.notify_all();
        if is_settled {
            self.settled.notify_waiters();
        }
    }
}

fn lost(why: &str) -> ExecutionError {
    ExecutionError::new(ErrorKind::Bug, format!("a clean-up job was lost: {why}"))
}

fn run(work: Box<dyn FnOnce() -> Outcome + Send>) -> Outcome {
    catch_unwind(AssertUnwindSafe(work)).unwrap_or_else(|_| Err(lost("it panicked")))
}

fn start() -> std::io::Result<mpsc::UnboundedSender<Job>> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let (open, mut jobs) = mpsc::unbounded_channel();
    let work = async move {
        let mut running = JoinSet::new();
        loop {
            tokio::select! {
                job = jobs.recv() => match job {
                    Some(Job { work: Work::Blocking(work), ledgers }) => ledgers.finish(run(work)),
                    Some(Job { work: Work::Async(work), ledgers }) => {
                        running.spawn(async move {
                            let outcome = AssertUnwindSafe(work).catch_unwind().await;
                            ledgers.finish(outcome.unwrap_or_else(|_| Err(lost("it panicked"))));
                        });
                    }
                    None => break,
                },
                Some(_) = running.join_next() => {}
            }
        }
        while running.join_next().await.is_some() {}
    };
    std::thread::Builder::new().name("bailiwick-reaper".into()).spawn(move || runtime.block_on(work))?;
    Ok(open)
}

impl fmt::Debug for Job {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self.work {
            Work::Blocking(_) => "Blocking",
            Work::Async(_) => "Async",
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::atomic::{AtomicUsize, Ordering};

    const LONG: Duration = Duration::from_secs(60);

    #[test]
    fn does_both_kinds_and_keeps_failures() {
        let (reaper, done) = (Reaper::new(), Arc::new(AtomicUsize::new(0)));
        let (first, second) = (done.clone(), done.clone());
        reaper.enqueue(move || {
            first.fetch_add(1, Ordering::Relaxed);
            Ok(())
        });
        reaper.enqueue_async(async move {
            tokio::time::sleep(Duration::from_millis(1)).await;
            second.fetch_add(1, Ordering::Relaxed);
            Err(ExecutionError::new(ErrorKind::Workspace, "no"))
        });
        reaper.enqueue(|| panic!("on purpose"));
        let flushed = reaper.flush(LONG);
        assert_eq!((done.load(Ordering::Relaxed), flushed.unfinished), (2, 0));
        assert_eq!(flushed.failures.len(), 2);
        assert!(reaper.flush(LONG).failures.is_empty(), "taken once");
    }

    #[tokio::test]
    async fn a_scope_waits_for_its_own_jobs_and_for_no_others() {
        let reaper = Reaper::new();
        let (mine, others) = (reaper.scope(), reaper.scope());
        let (open, gate) = tokio::sync::oneshot::channel::<()>();
        others.enqueue_async(async move {
            let _ = gate.await;
            Ok(())
        });
        let done = Arc::new(AtomicUsize::new(0));
        let counted = Arc::clone(&done);
        mine.enqueue_async(async move {
            tokio::time::sleep(Duration::from_millis(1)).await;
            counted.fetch_add(1, Ordering::Relaxed);
            Err(ExecutionError::new(ErrorKind::Workspace, "no"))
        });
        mine.settle().await;
        assert_eq!(done.load(Ordering::Relaxed), 1);
        mine.settle().await;
        open.send(()).unwrap();
        others.settle().await;
        let flushed = reaper.flush(LONG);
        assert_eq!((flushed.failures.len(), flushed.unfinished), (1, 0), "a failure is told once, for all");
    }

    #[test]
    fn a_deadline_ends_the_wait() {
        let reaper = Reaper::new();
        let (open, gate) = std::sync::mpsc::channel::<()>();
        reaper.enqueue(move || {
            let _ = gate.recv();
            Ok(())
        });
        assert_eq!(reaper.flush(Duration::from_millis(1)).unfinished, 1);
        drop(open);
        assert_eq!(reaper.flush(LONG).unfinished, 0);
    }

    #[test]
    fn what_was_handed_over_is_done_after_the_drop() {
        let (done, wait) = std::sync::mpsc::channel();
        let reaper = Reaper::new();
        reaper.enqueue(move || {
            done.send(()).unwrap();
            Ok(())
        });
        drop(reaper);
        wait.recv_timeout(LONG).unwrap();
    }
}
