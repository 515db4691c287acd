//! The loop over submissions: a few at once, and the cases of all of them in the same places.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Instant;

use futures_util::future::BoxFuture;
use tokio::sync::{Semaphore, watch};

use super::{ClassResults, ClassRow, Entrant};
use crate::error::{ErrorKind, ExecutionError};
use crate::evaluate::judge::explain;
use crate::evaluate::report::{CaseRecord, Journal, JournalHeader, Results};
use crate::evaluate::{Evaluation, EvaluationBuilder, Evidence, Progress, RunOptions, Verdict};
use crate::workspace::Bounds;

/// What one submission of a class may hold; one that holds more is judged `CE`.
pub const CLASS_BOUNDS: Bounds = Bounds { entries: 100_000, bytes: 1 << 30 };

/// How often a submission is prepared where the host fails.
const TRIES: u32 = 2;

/// Who is told how far a class has come, and keeps what came of each submission. Calls come from many tasks.
pub trait ClassProgress: Send + Sync {
    /// Gives the journal for the verdicts of a submission.
    ///
    /// # Errors
    /// A journal that cannot be made: the run ends.
    fn journal(&self, submission: &str, header: &JournalHeader) -> Result<Journal, ExecutionError>;

    /// A case of a submission has its verdict.
    fn judged(&self, submission: &str, record: &CaseRecord);

    /// All of a submission is judged: here its reports are written, since its cases are let go of afterwards.
    ///
    /// # Errors
    /// Reports that cannot be written: the run ends.
    fn done(&self, results: &Results, row: &ClassRow) -> Result<(), ExecutionError>;

    /// Something of a submission could not be cleaned up.
    fn trouble(&self, submission: &str, message: &str);
}

/// Submissions that are judged by one suite, alike in everything but their files.
#[derive(Debug)]
pub struct Class {
    template: EvaluationBuilder,
    entrants: Vec<Entrant>,
}

struct Shared {
    class: Class,
    options: RunOptions,
    watcher: Arc<dyn ClassProgress>,
    /// So many cases, or preparations, of all submissions go on at once.
    places: Arc<Semaphore>,
    next: AtomicUsize,
    rows: Mutex<Vec<Option<ClassRow>>>,
    interrupted: watch::Receiver<bool>,
}

/// What is told of one submission, told with its name.
struct One {
    name: String,
    watcher: Arc<dyn ClassProgress>,
}

impl Progress for One {
    fn judged(&self, record: &CaseRecord, _: usize, _: usize) {
        self.watcher.judged(&self.name, record);
    }

    fn trouble(&self, message: &str) {
        self.watcher.trouble(&self.name, message);
    }
}

impl Class {
    /// Makes a class: what `template` says holds for every submission, but its files and its name.
    pub fn new(template: EvaluationBuilder, entrants: Vec<Entrant>) -> Self {
        Self { template: template.submission_bounds(CLASS_BOUNDS), entrants }
    }

    /// Judges every submission, until all are judged or `interrupt` is ready.
    ///
    /// Submissions that were not begun have no row. What the host fails at in one submission is the verdict `IE` of its
    /// cases; what every submission needs and the host lacks ends the run.
    ///
    /// # Errors
    /// A request that cannot be fulfilled for any submission, and a watcher that cannot keep what came of one.
    ///
    /// Cancel safe: what runs is ended.
    pub async fn run(
        self,
        options: RunOptions,
        watcher: Arc<dyn ClassProgress>,
        interrupt: impl Future<Output = ()> + Send,
    ) -> Result<ClassResults, ExecutionError> {
        let began = Instant::now();
        let (suite, runtime) = self.template.names();
        let (raise, interrupted) = watch::channel(false);
        let count = self.entrants.len();
        let shared = Arc::new(Shared {
            places: Arc::new(Semaphore::new(options.jobs)),
            next: AtomicUsize::new(0),
            rows: Mutex::new(vec![None; count]),
            class: self,
            options,
            watcher,
            interrupted,
        });
        let mut jobs = tokio::task::JoinSet::new();
        for _ in 0..options.jobs.min(count) {
            jobs.spawn(work(Arc::clone(&shared)));
        }
        let mut interrupt = std::pin::pin!(interrupt);
        let mut was_interrupted = false;
        loop {
            tokio::select! {
                biased;
                () = &mut interrupt, if !was_interrupted => {
                    was_interrupted = true;
                    raise.send_replace(true);
                }
                joined = jobs.join_next() => match joined {
                    None => break,
                    Some(Ok(done)) => done?,
                    Some(Err(lost)) => return Err(ExecutionError::new(ErrorKind::Bug, lost)),
                },
            }
        }
        let rows = std::mem::take(&mut *shared.rows.lock().unwrap_or_else(PoisonError::into_inner));
        let rows = rows.into_iter().flatten().collect();
        Ok(ClassResults { suite, runtime, rows, elapsed: began.elapsed(), interrupted: was_interrupted })
    }
}

async fn work(shared: Arc<Shared>) -> Result<(), ExecutionError> {
    loop {
        let index = shared.next.fetch_add(1, Ordering::Relaxed);
        let Some(entrant) = shared.class.entrants.get(index) else { return Ok(()) };
        if *shared.interrupted.borrow() {
            return Ok(());
        }
        let Some(evaluation) = shared.prepare(entrant).await? else { return Ok(()) };
        let row = shared.judge(entrant, evaluation).await?;
        if let Some(place) = shared.rows.lock().unwrap_or_else(PoisonError::into_inner).get_mut(index) {
            *place = Some(row);
        }
    }
}

impl Shared {
    /// Prepares a submission, in one of the places; none where the run was interrupted meanwhile.
    async fn prepare(&self, entrant: &Entrant) -> Result<Option<Evaluation>, ExecutionError> {
        let _place = self.places.acquire().await.ok();
        let builder = self.class.template.clone().named(&entrant.name).submission(&entrant.path);
        if let Some(problem) = &entrant.problem {
            let message = format!("the submission {problem}, which is not followed or read");
            let evidence = Evidence::NotStarted { reason: "files".to_owned(), message, known: Vec::new() };
            return builder.prepare_nothing(Verdict::Ce, evidence).map(Some);
        }
        let mut trouble = String::new();
        for _ in 0..TRIES {
            let prepared = tokio::select! {
                biased;
                () = self.interrupt() => return Ok(None),
                prepared = prepare(builder.clone()) => prepared,
            };
            match prepared {
                Ok(evaluation) => return Ok(Some(evaluation)),
                Err(error) if concerns_all(&error) => return Err(error),
                Err(error) => trouble = explain(&error),
            }
        }
        builder.prepare_nothing(Verdict::Ie, Evidence::Host { message: trouble, tries: TRIES }).map(Some)
    }

    async fn judge(&self, entrant: &Entrant, evaluation: Evaluation) -> Result<ClassRow, ExecutionError> {
        let journal = self.watcher.journal(&entrant.name, &evaluation.journal_header())?;
        let one: Arc<dyn Progress> = Arc::new(One { name: entrant.name.clone(), watcher: Arc::clone(&self.watcher) });
        let places = Some(Arc::clone(&self.places));
        let results = evaluation.run_among(places, self.options, (journal, one), self.interrupt()).await?;
        let row = ClassRow::of(&results)?;
        self.watcher.done(&results, &row)?;
        Ok(row)
    }

    fn interrupt(&self) -> impl Future<Output = ()> + Send + 'static {
        let mut interrupted = self.interrupted.clone();
        async move {
            // The sender lives as long as the run.
            if interrupted.wait_for(|raised| *raised).await.is_err() {
                std::future::pending::<()>().await;
            }
        }
    }
}

/// Boxed, since the compiler cannot see through all of it that it may change threads.
fn prepare(builder: EvaluationBuilder) -> BoxFuture<'static, Result<Evaluation, ExecutionError>> {
    Box::pin(builder.prepare())
}

/// Tells what every submission would meet, such as a program that the host lacks, from trouble with one of them.
fn concerns_all(error: &ExecutionError) -> bool {
    match error.kind() {
        ErrorKind::Spec
        | ErrorKind::Asset
        | ErrorKind::Forbidden
        | ErrorKind::Unavailable
        | ErrorKind::Unenforceable => true,
        ErrorKind::Workspace
        | ErrorKind::Runtime
        | ErrorKind::Cancelled
        | ErrorKind::Busy
        | ErrorKind::InputFileRead
        | ErrorKind::InputFileWrite
        | ErrorKind::Bug => false,
    }
}
