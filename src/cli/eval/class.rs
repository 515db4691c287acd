//! `--submissions`: a whole class, a line a submission.

use std::path::Path;
use std::process::ExitCode;
use std::sync::{Arc, Mutex, PoisonError};

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

use super::args::EvalArgs;
use super::command::builder;
use super::journal::Journals;
use super::plan::Plan;
use super::target::Target;
use crate::cli::app::App;
use crate::cli::failure::HOST_FAILURE;
use crate::cli::signals::Signals;
use crate::cli::terminal::{Terminal, printable};
use crate::error::{ErrorKind, ExecutionError};
use crate::evaluate::{
    Audience, CaseRecord, Class, ClassProgress, ClassReport, ClassResults, ClassRow, Entrants, Journal, JournalHeader,
    Results, RunOptions, open_ambient_entrants,
};
use crate::spec::EnvironmentSpec;

/// Judges the submissions of a directory.
pub(super) async fn run(
    app: &App,
    args: &EvalArgs,
    plan: &Plan,
    (spec, dir): (EnvironmentSpec, &Path),
    signals: &Signals,
) -> anyhow::Result<ExitCode> {
    let journals = Journals::new(app, args);
    journals.check_class()?;
    let Entrants { entrants, hidden, .. } = open_ambient_entrants(&std::path::absolute(dir)?)?;
    if hidden > 0 {
        app.terminal.explain(&format!("{hidden} entries whose names begin with a dot are left out"));
    }
    let mut options = RunOptions::jobs(plan.jobs);
    options.fail_fast = args.fail_fast;
    let (each, whole): (Vec<Target>, Vec<Target>) = args.reports.iter().cloned().partition(Target::is_each);
    let watcher = Arc::new(Watcher::new(app, journals, each.clone(), entrants.len()));
    let first = signals.clone();
    let interrupt = async move {
        first.first().await;
    };
    let class = Class::new(builder(app, plan, spec), entrants);
    let results = signals.or_again(class.run(options, Arc::clone(&watcher) as _, interrupt)).await??;
    watcher.finish();
    let failed = whole.iter().filter_map(|target| target.write_class(&results, &each).err()).next();
    app.terminal.print_either(&ClassReport::new(&results, Audience::Staff), summary);
    failed.map_or(Ok(()), Err)?;
    Ok(ExitCode::from(exit_code(&results, signals)))
}

fn exit_code(results: &ClassResults, signals: &Signals) -> u8 {
    match signals.came() {
        Some(signal) if results.interrupted => signal.exit_code(),
        Some(_) | None if results.has_failures_of_host() => HOST_FAILURE,
        Some(_) | None => u8::from(!results.all_passed()),
    }
}

/// Tells of every submission, and writes its reports.
struct Watcher {
    terminal: Terminal,
    /// Drawn on a terminal only.
    bar: Option<ProgressBar>,
    journals: Journals,
    each: Vec<Target>,
    /// How many are done, of how many.
    done: Mutex<usize>,
    of: usize,
}

impl Watcher {
    fn new(app: &App, journals: Journals, each: Vec<Target>, of: usize) -> Self {
        let bar = app.progress.then(|| {
            let bar = ProgressBar::with_draw_target(Some(of as u64), ProgressDrawTarget::stderr());
            if let Ok(style) = ProgressStyle::with_template("{bar:30} {pos}/{len} {msg} ({elapsed}, {eta} left)") {
                bar.set_style(style);
            }
            bar
        });
        Self { terminal: app.terminal.clone(), bar, journals, each, done: Mutex::new(0), of }
    }

    fn finish(&self) {
        self.bar.iter().for_each(ProgressBar::finish_and_clear);
    }
}

impl ClassProgress for Watcher {
    fn journal(&self, submission: &str, header: &JournalHeader) -> Result<Journal, ExecutionError> {
        self.journals.open_of(submission, header).map_err(|error| ExecutionError::new(ErrorKind::Spec, error))
    }

    fn judged(&self, submission: &str, record: &CaseRecord) {
        if let Some(bar) = &self.bar {
            bar.set_message(format!("{} {}", printable(submission), printable(&record.id)));
        }
    }

    fn done(&self, results: &Results, row: &ClassRow) -> Result<(), ExecutionError> {
        let mut done = self.done.lock().unwrap_or_else(PoisonError::into_inner);
        *done += 1;
        if !self.terminal.wants_json() {
            let text = format!("{}/{} {}\n", done, self.of, line(row));
            match &self.bar {
                Some(bar) => bar.suspend(|| self.terminal.print(&text)),
                None => self.terminal.print(&text),
            }
        }
        self.bar.iter().for_each(|bar| bar.set_position(*done as u64));
        drop(done);
        let written = self.each.iter().try_for_each(|target| target.write_of(&row.submission, results));
        written.map_err(|error| ExecutionError::new(ErrorKind::Workspace, error))
    }

    fn trouble(&self, submission: &str, message: &str) {
        let name = printable(submission);
        self.terminal.explain(&format!("{name}: cleaning up failed, `bailiwick gc` mends it: {message}"));
    }
}

/// Gives the line of a submission. Text of the submission in it is harmless to a terminal.
fn line(row: &ClassRow) -> String {
    let verdicts: Vec<String> =
        row.verdicts.iter().rev().map(|(verdict, count)| format!("{count} {verdict}")).collect();
    let points = match row.score {
        Some(points) => format!("{points} of {} points", row.possible),
        None => "no score".to_owned(),
    };
    let end = if row.passed { "passed" } else { "not passed" };
    let why = row.why.as_deref().map(|why| format!(": {}", printable(why))).unwrap_or_default();
    format!("{}: {end}, {points}, {}{why}", printable(&row.submission), verdicts.join(", "))
}

fn summary(report: &ClassReport) -> String {
    let open = report.submissions.iter().filter(|row| !row.is_complete()).count();
    let open = if open > 0 { format!(", {open} without a score") } else { String::new() };
    format!("{} of {} submissions passed{open}\n", report.passed, report.total)
}
