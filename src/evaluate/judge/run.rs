//! The loop: cases in parallel, each in its place of the journal, whatever the number of jobs.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use tokio::sync::{Semaphore, watch};
use tokio::task::JoinSet;

use super::case::Unit;
use super::evaluation::{Evaluation, Ground, Ready};
use super::record;
use crate::error::{ErrorKind, ExecutionError};
use crate::evaluate::adapter::Scope;
use crate::evaluate::report::{CaseRecord, Journal, Results};
use crate::evaluate::{Case, Evidence, Verdict};

/// Who is told how far a run has come. Calls come from many tasks, one at a time.
pub trait Progress: Send + Sync {
    /// A case has its verdict; so many of so many are judged.
    fn judged(&self, record: &CaseRecord, done: usize, of: usize);

    /// Something could not be cleaned up.
    fn trouble(&self, message: &str);
}

impl Progress for () {
    fn judged(&self, _: &CaseRecord, _: usize, _: usize) {}

    fn trouble(&self, _: &str) {}
}

/// How a run goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct RunOptions {
    /// How many cases are judged at once. Default: 1.
    pub jobs: usize,
    /// Whether the cases behind the first that is not accepted are left out. Default: no.
    pub fail_fast: bool,
}

impl Default for RunOptions {
    fn default() -> Self {
        Self { jobs: 1, fail_fast: false }
    }
}

impl RunOptions {
    /// Judges so many cases at once.
    pub fn jobs(jobs: usize) -> Self {
        Self { jobs: jobs.max(1), ..Self::default() }
    }
}

/// What the jobs share.
struct Shared {
    evaluation: Evaluation,
    units: Vec<Vec<usize>>,
    next: AtomicUsize,
    done: AtomicUsize,
    /// The first case, in order, that is not accepted, where the rest is left out; else the number of cases.
    cut: AtomicUsize,
    /// Says that the run ends before its time.
    stop: watch::Sender<bool>,
    journal: Mutex<Journal>,
    progress: Arc<dyn Progress>,
    fail_fast: bool,
    /// What several evaluations share: so many cases of all of them are judged at once.
    places: Option<Arc<Semaphore>>,
}

impl Evaluation {
    /// Judges the cases that the journal has no verdict of, until all have one or `interrupt` is ready.
    ///
    /// Cases that were not judged are `SK` in the results; what ran is ended and nothing of it is left.
    ///
    /// # Errors
    /// A journal that cannot be written. What the host fails at in a case is the verdict `IE` of that case.
    ///
    /// Cancel safe: what runs is ended; the journal holds what was judged before.
    pub async fn run(
        self,
        options: RunOptions,
        journal: Journal,
        progress: Arc<dyn Progress>,
        interrupt: impl Future<Output = ()> + Send,
    ) -> Result<Results, ExecutionError> {
        self.run_among(None, options, (journal, progress), interrupt).await
    }

    /// Does the same, with the places for cases shared with other evaluations.
    pub(in crate::evaluate) async fn run_among(
        self,
        places: Option<Arc<Semaphore>>,
        options: RunOptions,
        (journal, progress): (Journal, Arc<dyn Progress>),
        interrupt: impl Future<Output = ()> + Send,
    ) -> Result<Results, ExecutionError> {
        let began = Instant::now();
        let units = units(&self, &journal);
        let count = self.cases.len();
        let done = count - units.iter().map(Vec::len).sum::<usize>();
        let shared = Arc::new(Shared {
            units,
            next: AtomicUsize::new(0),
            done: AtomicUsize::new(done),
            cut: AtomicUsize::new(journal.first_failed().filter(|_| options.fail_fast).unwrap_or(count)),
            stop: watch::Sender::new(false),
            journal: Mutex::new(journal),
            progress,
            fail_fast: options.fail_fast,
            places,
            evaluation: self,
        });
        let mut jobs = JoinSet::new();
        for _ in 0..options.jobs.min(shared.units.len().max(1)) {
            jobs.spawn(work(Arc::clone(&shared)));
        }
        let ended = drive(&shared, jobs, interrupt).await;
        let shared =
            Arc::into_inner(shared).ok_or_else(|| ExecutionError::new(ErrorKind::Bug, "a job outlived its run"))?;
        let interrupted = ended?;
        Ok(finish(shared, began.elapsed(), interrupted).await)
    }
}

/// Waits for the jobs, and ends them when the run is interrupted; says whether it was.
async fn drive(
    shared: &Shared,
    mut jobs: JoinSet<Result<(), ExecutionError>>,
    interrupt: impl Future<Output = ()> + Send,
) -> Result<bool, ExecutionError> {
    let mut interrupt = std::pin::pin!(interrupt);
    let (mut interrupted, mut failure) = (false, None);
    loop {
        let joined = tokio::select! {
            biased;
            () = &mut interrupt, if !interrupted => {
                interrupted = true;
                // The jobs end what runs, and wait for that.
                shared.stop.send_replace(true);
                continue;
            }
            joined = jobs.join_next() => joined,
        };
        match joined {
            None => break,
            Some(Ok(Ok(()))) => {}
            Some(Ok(Err(error))) => failure = Some(error),
            Some(Err(lost)) if lost.is_panic() => {
                failure = Some(ExecutionError::new(ErrorKind::Bug, format!("a job panicked: {lost}")));
            }
            Some(Err(_)) => {}
        }
        if failure.is_some() {
            shared.stop.send_replace(true);
        }
    }
    failure.map_or(Ok(interrupted), Err)
}

/// Puts together what shares a driver; what has a verdict already is left out.
fn units(evaluation: &Evaluation, journal: &Journal) -> Vec<Vec<usize>> {
    let cases = &evaluation.cases;
    let open = (0..cases.len()).filter(|index| !journal.is_judged(*index));
    let scope = match &evaluation.ready {
        Ready::Yes(ground) => ground.adapter.scope(),
        Ready::No(..) => Scope::Case,
    };
    match scope {
        Scope::Case => open.map(|index| vec![index]).collect(),
        Scope::Group => {
            let mut groups: Vec<(&str, Vec<usize>)> = Vec::new();
            for (index, case) in cases.iter().enumerate() {
                match groups.iter_mut().find(|(known, _)| *known == case.group) {
                    Some((_, members)) => members.push(index),
                    None => groups.push((&case.group, vec![index])),
                }
            }
            // What earlier cases of a group did to its server counts for the later ones: all of it, or nothing.
            let is_open = |members: &Vec<usize>| members.iter().any(|index| !journal.is_judged(*index));
            groups.into_iter().map(|(_, members)| members).filter(is_open).collect()
        }
    }
}

async fn work(shared: Arc<Shared>) -> Result<(), ExecutionError> {
    loop {
        let unit = shared.next.fetch_add(1, Ordering::Relaxed);
        let Some(indexes) = shared.units.get(unit) else { return Ok(()) };
        match &shared.evaluation.ready {
            Ready::Yes(ground) => {
                // Nobody closes it: where there are no places, every job has its own.
                let _place = match &shared.places {
                    Some(places) => places.acquire().await.ok(),
                    None => None,
                };
                judge_unit(&shared, ground, indexes).await?;
            }
            Ready::No(verdict, evidence) => {
                for index in indexes.iter().filter(|_| !shared.is_stopped()) {
                    let place = (*index, &shared.evaluation.cases[*index]);
                    shared.take(record::of_nothing(place, *verdict, evidence.clone()))?;
                }
                // Nothing here waits: an interrupt must find its way in.
                tokio::task::yield_now().await;
            }
        }
    }
}

async fn judge_unit(shared: &Shared, ground: &Ground, indexes: &[usize]) -> Result<(), ExecutionError> {
    let mut unit = Unit::new(ground);
    for index in indexes {
        if shared.is_stopped() || *index > shared.cut.load(Ordering::Acquire) {
            break;
        }
        let record = tokio::select! {
            biased;
            record = unit.judge((*index, &shared.evaluation.cases[*index])) => record,
            () = shared.stopped() => break,
        };
        // A command that somebody ended was not judged.
        if record.verdict != Verdict::Sk {
            shared.take(record)?;
        }
    }
    if let Some(message) = unit.close().await {
        shared.progress.trouble(&message);
    }
    Ok(())
}

impl Shared {
    fn is_stopped(&self) -> bool {
        *self.stop.borrow()
    }

    async fn stopped(&self) {
        // The sender lives as long as this value, so there is an end to wait for.
        let _ = self.stop.subscribe().wait_for(|stopped| *stopped).await;
    }

    fn take(&self, record: CaseRecord) -> Result<(), ExecutionError> {
        if self.fail_fast && record.verdict != Verdict::Ac {
            self.cut.fetch_min(record.index, Ordering::AcqRel);
        }
        let line = Journal::line(&record)?;
        let mut journal = self.journal.lock().unwrap_or_else(PoisonError::into_inner);
        journal.append_line(&record, &line)?;
        let done = self.done.fetch_add(1, Ordering::AcqRel) + 1;
        self.progress.judged(&record, done, self.evaluation.cases.len());
        Ok(())
    }
}

async fn finish(shared: Shared, elapsed: Duration, interrupted: bool) -> Results {
    let journal = shared.journal.into_inner().unwrap_or_else(PoisonError::into_inner);
    let cut = shared.cut.into_inner();
    let Evaluation { suite, cases, facts, ready } = shared.evaluation;
    if let Ready::Yes(ground) = ready
        && let Some(error) = ground.close().await
    {
        shared.progress.trouble(&super::case::explain(&error));
    }
    Results::new(facts, &suite, cases, journal, elapsed, (interrupted, cut))
}

/// Makes the record of a case that was left out.
pub(crate) fn skipped(place: (usize, &Case), interrupted: bool) -> CaseRecord {
    let why = if interrupted { "the run ended before it" } else { "a case before it was not accepted" };
    record::of_nothing(place, Verdict::Sk, Evidence::Skipped { why: why.to_owned() })
}
