//! The walk through a run: load, prepare, judge, report.

use std::process::ExitCode;
use std::sync::Arc;

use super::args::EvalArgs;
use super::journal::Journals;
use super::narrate::{self, Narrator};
use super::object::{CheckedCase, CheckedObject};
use super::plan::{self, Plan};
use super::{class, differential, record, repeat, verify};
use crate::cli::app::App;
use crate::cli::failure::HOST_FAILURE;
use crate::cli::json::VERSION;
use crate::cli::progress;
use crate::cli::signals::Signals;
use crate::cli::terminal::printable;
use crate::evaluate::{
    Audience, Evaluation, EvaluationBuilder, Journal, Progress, ReportKind, Results, RunFacts, RunOptions, Suite,
    Verdict,
};
use crate::spec::EnvironmentSpec;

/// How many lines of a compiler are shown.
const MOST_LINES: usize = 20;

pub(in crate::cli) async fn run(app: App, args: EvalArgs) -> anyhow::Result<ExitCode> {
    let plan = Plan::make(&args)?;
    plan.suite.warnings.iter().for_each(|warning| app.terminal.explain(&format!("warning: {warning}")));
    if args.check {
        app.terminal.print_either(&checked(&plan.suite), list);
        return Ok(ExitCode::SUCCESS);
    }
    let signals = Signals::take()?;
    if !args.differential.is_empty() {
        return differential::run(&app, &args, &plan, &signals).await;
    }
    let spec = plan::spec(&app, &args)?;
    if let Some(dir) = &args.submissions {
        return class::run(&app, &args, &plan, (spec, dir), &signals).await;
    }
    if args.verify {
        return verify::run(&app, &args, &plan, spec, &signals).await;
    }
    if let Some(count) = args.repeat {
        return repeat::run(&app, &args, &plan, (spec, count), &signals).await;
    }
    if args.record {
        return record(&app, &args, &plan, spec, &signals).await;
    }
    let evaluation = prepare(&app, builder(&app, &plan, spec), &plan, &signals).await?;
    words_of_setup(&app, evaluation.facts());
    let journal = Journals::new(&app, &args).open(&evaluation.journal_header())?;
    let narrator = Narrator::new(&app.terminal, app.progress, evaluation.len());
    let results = judge(&args, &plan, evaluation, journal, Arc::new(narrator), &signals).await?;
    report(&app, &args, &results)?;
    Ok(ExitCode::from(exit_code(&results, &signals)))
}

/// Judges the one submission and writes what it printed into the answers.
async fn record(
    app: &App,
    args: &EvalArgs,
    plan: &Plan,
    spec: EnvironmentSpec,
    signals: &Signals,
) -> anyhow::Result<ExitCode> {
    let outputs = record::Outputs::make(app)?;
    let builder = builder(app, plan, spec).keep_outputs(outputs.dir());
    let evaluation = prepare(app, builder, plan, signals).await?;
    words_of_setup(app, evaluation.facts());
    let journal = Journals::new(app, args).open(&evaluation.journal_header())?;
    let narrator = Narrator::new(&app.terminal, app.progress, evaluation.len());
    let results = judge(args, plan, evaluation, journal, Arc::new(narrator), signals).await?;
    record::run(app, &results, &outputs)
}

/// Begins an evaluation with all that the flags say but the submission.
pub(super) fn builder(app: &App, plan: &Plan, spec: EnvironmentSpec) -> EvaluationBuilder {
    let builder = Evaluation::builder(&app.registry, spec, Arc::clone(&plan.suite));
    builder.start(plan.start.clone()).select(plan.selection.clone())
}

/// Prepares the submission; a signal ends it.
pub(super) async fn prepare(
    app: &App,
    builder: EvaluationBuilder,
    plan: &Plan,
    signals: &Signals,
) -> anyhow::Result<Evaluation> {
    let builder = match &plan.submission {
        Some(path) => builder.submission(path),
        None => builder,
    };
    let prepared = signals.or(builder.prepare());
    Ok(progress::while_waiting(app.progress, "preparing the submission", prepared).await??)
}

/// Judges the cases; the first signal ends the run with what there is, the second lets go of it.
pub(super) async fn judge(
    args: &EvalArgs,
    plan: &Plan,
    evaluation: Evaluation,
    journal: Journal,
    progress: Arc<dyn Progress>,
    signals: &Signals,
) -> anyhow::Result<Results> {
    let mut options = RunOptions::jobs(plan.jobs);
    options.fail_fast = args.fail_fast;
    let first = signals.clone();
    let interrupt = async move {
        first.first().await;
    };
    let run = evaluation.run(options, journal, progress, interrupt);
    Ok(signals.or_again(run).await??)
}

/// Writes every report that was asked for. One that cannot be written does not keep the others from being.
fn report(app: &App, args: &EvalArgs, results: &Results) -> anyhow::Result<()> {
    let failures: Vec<anyhow::Error> = args.reports.iter().filter_map(|target| target.write(results).err()).collect();
    if app.terminal.wants_json() {
        let mut text = Vec::new();
        ReportKind::Json.write(results, Audience::Staff, &mut text)?;
        app.terminal.print(&String::from_utf8_lossy(&text));
    } else {
        app.terminal.print(&narrate::summary(results));
    }
    failures.into_iter().next().map_or(Ok(()), Err)
}

/// Gives the exit code of a run: passed, not passed, or the host failed.
pub(super) fn exit_code(results: &Results, signals: &Signals) -> u8 {
    match signals.came() {
        Some(signal) if results.was_interrupted() => signal.exit_code(),
        Some(_) | None if results.score().count(Verdict::Ie) > 0 => HOST_FAILURE,
        Some(_) | None => u8::from(!results.score().passed),
    }
}

/// Shows a compiler's words when the compilation or the set-up fails, since they are what its user looks for.
fn words_of_setup(app: &App, facts: &RunFacts) {
    for record in facts.compile.iter().chain(&facts.setup).filter(|record| record.exit_code != 0) {
        app.terminal.explain(&format!("`{}`: {}", record.command, record.ending));
        let words = if record.stderr.bytes > 0 { record.stderr.shown() } else { record.stdout.shown() };
        words.lines().take(MOST_LINES).for_each(|line| app.terminal.explain(&format!("| {line}")));
    }
}

fn checked(suite: &Suite) -> CheckedObject {
    let cases = suite.cases.iter().map(|case| CheckedCase {
        id: case.id.clone(),
        group: case.group.clone(),
        points: case.points,
        visibility: case.visibility,
        steps: case.steps.len(),
    });
    CheckedObject {
        version: VERSION,
        suite: suite.name.clone(),
        adapter: suite.adapter.clone(),
        cases: cases.collect(),
        warnings: suite.warnings.clone(),
    }
}

fn list(object: &CheckedObject) -> String {
    let mut text = String::new();
    for case in &object.cases {
        text += &format!("{} ({}, {} points)\n", printable(&case.id), printable(&case.group), case.points);
    }
    text + &format!("{}: {} cases\n", printable(&object.suite), object.cases.len())
}
