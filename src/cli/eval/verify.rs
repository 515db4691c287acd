//! `--verify`: the solutions beside the cases get the verdicts that their directories promise.

use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::Arc;

use schemars::JsonSchema;
use serde::Serialize;

use super::args::EvalArgs;
use super::command::{self, builder};
use super::journal::Journals;
use super::plan::Plan;
use crate::cli::app::App;
use crate::cli::failure::{HOST_FAILURE, Usage};
use crate::cli::json::VERSION;
use crate::cli::signals::Signals;
use crate::cli::terminal::printable;
use crate::evaluate::{CaseRecord, Measure, Results, StepRecord, Verdict};
use crate::spec::{EnvironmentSpec, LimitName, Limits};

/// Where solutions are, beside the cases.
const SOLUTIONS: &str = "submissions";

/// What a directory of solutions promises: they pass, or they do not and have one of these verdicts.
const PROMISES: [(&str, &[Verdict]); 9] = [
    ("accepted", &[Verdict::Ac]),
    ("partially_accepted", &[]),
    ("rejected", &[]),
    ("wrong_answer", &[Verdict::Wa]),
    ("time_limit_exceeded", &[Verdict::Tle]),
    // The published format has no word for memory and output.
    ("run_time_error", &[Verdict::Rte, Verdict::Mle, Verdict::Ole]),
    ("memory_limit_exceeded", &[Verdict::Mle]),
    ("output_limit_exceeded", &[Verdict::Ole]),
    ("compile_error", &[Verdict::Ce]),
];

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
    /// The solutions that this spec does not start: files with another ending.
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

/// A solution on disk.
struct Solution {
    name: String,
    path: PathBuf,
    promise: &'static [Verdict],
    passes: bool,
}

pub(super) async fn run(
    app: &App,
    args: &EvalArgs,
    plan: &Plan,
    spec: EnvironmentSpec,
    signals: &Signals,
) -> anyhow::Result<ExitCode> {
    let (solutions, left_out) = find(&args.cases, &spec)?;
    let mut told = Vec::new();
    let mut has_failures = false;
    for solution in &solutions {
        let (results, limits) = judge(app, args, plan, (spec.clone(), solution), signals).await?;
        let broken = broken(solution, &results, &limits)?;
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

/// Lists the solutions that the spec starts, and those that it does not.
fn find(cases: &Path, spec: &EnvironmentSpec) -> anyhow::Result<(Vec<Solution>, Vec<String>)> {
    let beside = if cases.is_dir() { cases } else { cases.parent().unwrap_or(Path::new(".")) }.join(SOLUTIONS);
    let ending = spec.commands.entry_file.trim().split_once("{entry_file}").map_or("", |(_, after)| after);
    let (mut found, mut left_out) = (Vec::new(), Vec::new());
    for (dir, promise) in PROMISES {
        for path in entries(&beside.join(dir)) {
            let file = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
            let name = format!("{dir}/{file}");
            let is_started = match path.is_dir() {
                true => entries(&path).iter().any(|inner| inner.to_string_lossy().ends_with(ending)),
                false => file.ends_with(ending),
            };
            match is_started {
                true => found.push(Solution { name, path, promise, passes: dir == "accepted" }),
                false => left_out.push(name),
            }
        }
    }
    if !found.iter().any(|solution| solution.passes) {
        let usage = Usage::new(format!("`{}` has no accepted solution for this spec", beside.display()));
        return Err(usage.with_hint(format!("put one that ends in `{ending}` into `{SOLUTIONS}/accepted`")).into());
    }
    Ok((found, left_out))
}

fn entries(dir: &Path) -> Vec<PathBuf> {
    let Ok(read) = std::fs::read_dir(dir) else { return Vec::new() };
    let mut paths: Vec<PathBuf> = read.filter_map(|entry| Some(entry.ok()?.path())).collect();
    paths.sort();
    paths
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

/// Lists what of its promise a solution does not keep.
fn broken(solution: &Solution, results: &Results, limits: &[Option<Limits>]) -> anyhow::Result<Vec<String>> {
    let score = results.score();
    let mut broken = Vec::new();
    if !score.complete {
        broken.push("not every case was judged".to_owned());
    }
    if solution.passes {
        for (index, limits) in limits.iter().enumerate() {
            let record = results.record(index)?;
            if record.verdict != Verdict::Ac {
                let why = record.facts.first().map(|fact| format!(": {fact}")).unwrap_or_default();
                broken.push(format!("{} is {}{why}", record.id, record.verdict));
            }
            broken.extend(limits.iter().flat_map(|limits| tight(&record, limits)));
        }
        return Ok(broken);
    }
    if score.passed {
        broken.push("it passes".to_owned());
    } else if !solution.promise.is_empty() && solution.promise.iter().all(|verdict| score.count(*verdict) == 0) {
        let names: Vec<&str> = solution.promise.iter().map(|verdict| verdict.name()).collect();
        broken.push(format!("no case is {}", names.join(" or ")));
    }
    Ok(broken)
}

/// Lists the time limits of which a case left less than half.
fn tight(record: &CaseRecord, limits: &Limits) -> Vec<String> {
    type Figure = fn(&StepRecord) -> Option<f64>;
    let figures: [(LimitName, Figure); 2] = [
        (LimitName::WallTime, |step| step.wall_time.as_ref().and_then(Measure::seconds)),
        (LimitName::CpuTime, |step| step.cpu_time.as_ref().and_then(Measure::seconds)),
    ];
    let of = |(name, figure): (LimitName, Figure)| {
        let allowed = limits.time(name)?.as_secs_f64();
        let took = record.steps.iter().filter_map(figure).reduce(f64::max)?;
        let text = format!("{} took {took:.3} s of {allowed:.3} s {}", record.id, name.name());
        (took > allowed / 2.0).then(|| format!("{text}, which leaves less than half"))
    };
    figures.into_iter().filter_map(of).collect()
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
        text += &format!("left out {}: this spec does not start it\n", printable(name));
    }
    let broken = object.solutions.iter().filter(|one| !one.broken.is_empty()).count();
    let end = if object.verified { "verified" } else { "not verified" };
    text + &format!("{end}: {} solutions, {broken} broken\n", object.solutions.len())
}
