//! `--verify`: the solutions beside the cases get the verdicts that they promise.

use std::process::ExitCode;
use std::sync::Arc;

use schemars::JsonSchema;
use serde::Serialize;

use super::args::EvalArgs;
use super::command::{self, builder};
use super::journal::Journals;
use super::plan::Plan;
use super::solutions::{self, Found, Solution};
use crate::cli::app::App;
use crate::cli::failure::HOST_FAILURE;
use crate::cli::json::VERSION;
use crate::cli::signals::Signals;
use crate::cli::terminal::printable;
use crate::evaluate::{Results, Verdict};
use crate::spec::{EnvironmentSpec, Limits};

/// What `eval --verify --json` prints.
#[derive(Debug, Serialize, JsonSchema)]
pub(in crate::cli) struct VerifyObject {
    /// The version of the form: 1.
    version: u32,
    /// The name of the suite.
    suite: String,
    /// Whether every solution keeps its promise.
    verified: bool,
    /// The solutions, by name.
    solutions: Vec<SolutionObject>,
    /// The solutions that were not run: files that this spec does not start, and those of which nothing is promised.
    left_out: Vec<String>,
}

/// One solution.
#[derive(Debug, Serialize, JsonSchema)]
pub(in crate::cli) struct SolutionObject {
    /// Its directory and its name.
    solution: String,
    /// What came of it, as counts of verdicts.
    verdicts: Vec<String>,
    /// What of its promise is not kept.
    broken: Vec<String>,
}

pub(super) async fn run(
    app: &App,
    args: &EvalArgs,
    plan: &Plan,
    spec: EnvironmentSpec,
    signals: &Signals,
) -> anyhow::Result<ExitCode> {
    let Found { solutions, left_out } = solutions::find(&args.cases, &spec, &plan.suite)?;
    let mut told = Vec::new();
    let mut has_failures = false;
    for solution in &solutions {
        let (results, limits) = judge(app, args, plan, (spec.clone(), solution), signals).await?;
        let broken = solution.broken(&results, &limits)?;
        has_failures |= results.score().count(Verdict::Ie) > 0;
        let verdicts = results.score().verdicts.iter().rev().map(|(verdict, count)| format!("{count} {verdict}"));
        let one = SolutionObject { solution: solution.name.clone(), verdicts: verdicts.collect(), broken };
        if !app.terminal.wants_json() {
            app.terminal.print(&line(&one));
        }
        told.push(one);
        if results.was_interrupted() {
            let code = signals.came().map_or(HOST_FAILURE, |signal| signal.exit_code());
            return Ok(ExitCode::from(code));
        }
    }
    let verified = told.iter().all(|one| one.broken.is_empty());
    let object = VerifyObject { version: VERSION, suite: plan.suite.name.clone(), verified, solutions: told, left_out };
    app.terminal.print_either(&object, draw);
    Ok(ExitCode::from(if has_failures { HOST_FAILURE } else { u8::from(!verified) }))
}

async fn judge(
    app: &App,
    args: &EvalArgs,
    plan: &Plan,
    (spec, solution): (EnvironmentSpec, &Solution),
    signals: &Signals,
) -> anyhow::Result<(Results, Vec<Option<Limits>>)> {
    let path = std::path::absolute(&solution.path)?;
    let prepared = builder(app, plan, spec).submission(path).named(&solution.name).prepare();
    let evaluation = signals.or(prepared).await??;
    let limits = (0..evaluation.len()).map(|index| evaluation.limits(index)).collect::<Result<_, _>>()?;
    let journal = Journals::new(app, args).open(&evaluation.journal_header())?;
    let results = command::judge(args, plan, evaluation, journal, Arc::new(()), signals).await?;
    Ok((results, limits))
}

fn line(one: &SolutionObject) -> String {
    let word = if one.broken.is_empty() { "kept  " } else { "broken" };
    let mut text = format!("{word} {} ({})\n", printable(&one.solution), one.verdicts.join(", "));
    one.broken.iter().for_each(|broken| text += &format!("       {}\n", printable(broken)));
    text
}

fn draw(object: &VerifyObject) -> String {
    let mut text = String::new();
    for name in &object.left_out {
        text += &format!("left out {}\n", printable(name));
    }
    let broken = object.solutions.iter().filter(|one| !one.broken.is_empty()).count();
    let end = if object.verified { "verified" } else { "not verified" };
    text + &format!("{end}: {} solutions, {broken} broken\n", object.solutions.len())
}
