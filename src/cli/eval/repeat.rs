//! `--repeat`: the same submission several times, and what was not the same.

use std::collections::BTreeMap;
use std::process::ExitCode;
use std::sync::Arc;

use schemars::JsonSchema;
use serde::Serialize;

use super::args::EvalArgs;
use super::command::{self, exit_code};
use super::journal::Journals;
use super::plan::Plan;
use crate::cli::app::App;
use crate::cli::json::VERSION;
use crate::cli::signals::Signals;
use crate::cli::terminal::printable;
use crate::evaluate::{CaseRecord, Measure, Results, Verdict};
use crate::spec::EnvironmentSpec;

/// How many cases are told of on a terminal.
const TOLD: usize = 20;

/// What `eval --repeat --json` prints.
#[derive(Debug, Serialize, JsonSchema)]
pub(in crate::cli) struct RepeatObject {
    /// The version of the form: 1.
    version: u32,
    /// The name of the suite.
    suite: String,
    /// How many runs there were.
    runs: usize,
    /// How many of them passed.
    passed: usize,
    /// The cases whose verdicts were not always the same.
    flips: Vec<FlipObject>,
    /// How long each case ran, in the order of the cases.
    times: Vec<SpreadObject>,
}

/// A case whose verdict was not always the same.
#[derive(Debug, Serialize, JsonSchema)]
pub(in crate::cli) struct FlipObject {
    /// The case.
    case: String,
    /// How often it had each verdict.
    verdicts: BTreeMap<Verdict, usize>,
}

/// How long a case ran, over all runs.
#[derive(Debug, Serialize, JsonSchema)]
pub(in crate::cli) struct SpreadObject {
    /// The case.
    case: String,
    /// In how many runs its time was measured.
    measured: usize,
    /// The shortest time, in seconds; absent where none was measured.
    least: Option<f64>,
    /// The one in the middle.
    median: Option<f64>,
    /// The longest.
    most: Option<f64>,
}

pub(super) async fn run(
    app: &App,
    args: &EvalArgs,
    plan: &Plan,
    (spec, count): (EnvironmentSpec, u16),
    signals: &Signals,
) -> anyhow::Result<ExitCode> {
    let mut runs = Vec::new();
    for number in 1..=count {
        app.terminal.explain(&format!("run {number} of {count}"));
        let evaluation = command::prepare(app, command::builder(app, plan, spec.clone()), plan, signals).await?;
        let journal = Journals::new(app, args).open(&evaluation.journal_header())?;
        let results = command::judge(args, plan, evaluation, journal, Arc::new(()), signals).await?;
        let was_interrupted = results.was_interrupted();
        runs.push(results);
        if was_interrupted {
            break;
        }
    }
    let object = compare(plan, &runs)?;
    app.terminal.print_either(&object, draw);
    let worst = runs.iter().map(|results| exit_code(results, signals)).max().unwrap_or_default();
    let code = if worst == 0 { u8::from(!object.flips.is_empty()) } else { worst };
    Ok(ExitCode::from(code))
}

fn compare(plan: &Plan, runs: &[Results]) -> anyhow::Result<RepeatObject> {
    let (mut flips, mut times) = (Vec::new(), Vec::new());
    let cases = runs.iter().map(Results::len).min().unwrap_or_default();
    for index in 0..cases {
        let records = runs.iter().map(|results| results.record(index)).collect::<Result<Vec<_>, _>>()?;
        let mut verdicts = BTreeMap::new();
        records.iter().for_each(|record| *verdicts.entry(record.verdict).or_insert(0) += 1);
        let case = records[0].id.clone();
        if verdicts.len() > 1 {
            flips.push(FlipObject { case: case.clone(), verdicts });
        }
        times.push(spread(case, &records));
    }
    let passed = runs.iter().filter(|results| results.score().passed).count();
    Ok(RepeatObject { version: VERSION, suite: plan.suite.name.clone(), runs: runs.len(), passed, flips, times })
}

fn spread(case: String, records: &[CaseRecord]) -> SpreadObject {
    let of = |record: &CaseRecord| {
        let times = record.steps.iter().filter_map(|step| step.wall_time.as_ref().and_then(Measure::seconds));
        times.reduce(|sum, next| sum + next)
    };
    let mut times: Vec<f64> = records.iter().filter_map(of).collect();
    times.sort_by(f64::total_cmp);
    let (least, most) = (times.first().copied(), times.last().copied());
    SpreadObject { case, measured: times.len(), least, median: times.get(times.len() / 2).copied(), most }
}

fn draw(object: &RepeatObject) -> String {
    let mut text = String::new();
    for flip in &object.flips {
        let verdicts: Vec<String> =
            flip.verdicts.iter().rev().map(|(verdict, count)| format!("{count} {verdict}")).collect();
        text += &format!("flips: {}: {}\n", printable(&flip.case), verdicts.join(", "));
    }
    let width = |spread: &SpreadObject| spread.most.unwrap_or_default() - spread.least.unwrap_or_default();
    let mut widest: Vec<&SpreadObject> = object.times.iter().collect();
    widest.sort_by(|a, b| width(b).total_cmp(&width(a)));
    for spread in widest.into_iter().take(TOLD) {
        if let (Some(least), Some(median), Some(most)) = (spread.least, spread.median, spread.most) {
            let case = printable(&spread.case);
            text += &format!("{case}: {least:.3} s to {most:.3} s, {median:.3} s in the middle\n");
        }
    }
    text + &format!("{} of {} runs passed, {} cases flip\n", object.passed, object.runs, object.flips.len())
}
