//! `--differential`: the same cases on several runtimes or specs, and every case on which they are not alike.

use std::process::ExitCode;
use std::sync::Arc;

use serde_json::Value;

use super::args::EvalArgs;
use super::command::{self, exit_code};
use super::narrate::Narrator;
use super::object::{DifferentialObject, DivergenceObject, DivergentSide, SideObject};
use super::plan::{self, Plan};
use crate::cli::app::App;
use crate::cli::json::VERSION;
use crate::cli::signals::Signals;
use crate::cli::spec_source;
use crate::cli::terminal::printable;
use crate::evaluate::{CaseRecord, Results, StepRecord};
use crate::spec::EnvironmentSpec;

/// How much of an output is shown.
const SHOWN: usize = 120;

/// Judges on every side, one after the other, and compares.
pub(super) async fn run(app: &App, args: &EvalArgs, plan: &Plan, signals: &Signals) -> anyhow::Result<ExitCode> {
    let mut sides = Vec::new();
    for name in &args.differential {
        let spec = side(app, args, name)?;
        app.terminal.explain(&format!("judging on `{}`", printable(name)));
        let evaluation = command::prepare(app, command::builder(app, plan, spec), plan, signals).await?;
        let narrator = Narrator::new(&app.terminal.clone().with_flags(false, true), app.progress, evaluation.len());
        let journal = super::journal::Journals::new(app, args).open(&evaluation.journal_header())?;
        let results = command::judge(args, plan, evaluation, journal, Arc::new(narrator), signals).await?;
        let interrupted = results.was_interrupted();
        sides.push((name.clone(), results));
        if interrupted {
            break;
        }
    }
    let divergences = compare(&sides)?;
    let object = DifferentialObject {
        version: VERSION,
        suite: plan.suite.name.clone(),
        sides: sides
            .iter()
            .map(|(name, results)| SideObject {
                name: name.clone(),
                runtime: results.facts().runtime.clone(),
                score: results.score().clone(),
            })
            .collect(),
        divergences,
    };
    app.terminal.print_either(&object, draw);
    let worst = sides.iter().map(|(_, results)| exit_code(results, signals)).max().unwrap_or_default();
    // Sides that agree on what is wrong agree: only divergences and failures of the host count.
    let code = if worst > 1 { worst } else { u8::from(!object.divergences.is_empty()) };
    Ok(ExitCode::from(code))
}

/// Finds what a name stands for: the default spec of a runtime, a built-in spec, a file.
fn side(app: &App, args: &EvalArgs, name: &str) -> anyhow::Result<EnvironmentSpec> {
    let is_runtime = app.registry.kinds().any(|kind| kind.ty() == name);
    let (spec, runtime) = if is_runtime { (None, Some(name)) } else { (Some(name), None) };
    let spec = spec_source::load(&app.registry, spec, runtime, &args.settings)?.spec;
    plan::consent(app, args, &spec)?;
    Ok(spec)
}

fn compare(sides: &[(String, Results)]) -> anyhow::Result<Vec<DivergenceObject>> {
    let mut divergences = Vec::new();
    let count = sides.iter().map(|(_, results)| results.len()).min().unwrap_or_default();
    for index in 0..count {
        let records = sides.iter().map(|(_, results)| results.record(index)).collect::<Result<Vec<_>, _>>()?;
        let differs = differences(&records);
        if !differs.is_empty() {
            let case = records[0].id.clone();
            divergences.push(DivergenceObject { case, differs, sides: records.iter().map(shown).collect() });
        }
    }
    Ok(divergences)
}

/// Names in what records of one case differ. Times and memory are no part of an answer.
fn differences(records: &[CaseRecord]) -> Vec<&'static str> {
    type Look = (&'static str, fn(&CaseRecord) -> Value);
    fn of_steps(record: &CaseRecord, look: fn(&StepRecord) -> Value) -> Value {
        record.steps.iter().map(look).collect()
    }
    let looks: [Look; 4] = [
        ("verdict", |record| record.verdict.name().into()),
        ("exit_code", |record| of_steps(record, |step| step.exit_code.into())),
        ("stdout", |record| of_steps(record, |step| step.stdout.as_ref().and_then(|one| one.blake3.clone()).into())),
        ("stderr", |record| of_steps(record, |step| step.stderr.as_ref().and_then(|one| one.blake3.clone()).into())),
    ];
    let is_same = |look: &Look| records.windows(2).all(|pair| look.1(&pair[0]) == look.1(&pair[1]));
    looks.iter().filter(|look| !is_same(look)).map(|look| look.0).collect()
}

fn shown(record: &CaseRecord) -> DivergentSide {
    let last = record.steps.last();
    let stdout = last.and_then(|step| step.stdout.as_ref()).map(|stream| stream.shown()).unwrap_or_default();
    DivergentSide {
        verdict: record.verdict,
        exit_code: last.and_then(|step| step.exit_code),
        ending: last.and_then(|step| step.ending.clone()),
        stdout: stdout.chars().take(SHOWN).collect(),
    }
}

fn draw(object: &DifferentialObject) -> String {
    let mut text = String::new();
    for divergence in &object.divergences {
        text += &format!("{}: {}\n", printable(&divergence.case), divergence.differs.join(", "));
        for (side, given) in object.sides.iter().zip(&divergence.sides) {
            let ending = given.ending.as_deref().map(|ending| format!(", {ending}")).unwrap_or_default();
            let line = format!("{} {}{ending}, stdout {:?}", side.name, given.verdict, given.stdout);
            text += &format!("  {}\n", printable(&line));
        }
    }
    let names: Vec<&str> = object.sides.iter().map(|side| side.name.as_str()).collect();
    let count = object.divergences.len();
    let word = if count == 1 { "divergence" } else { "divergences" };
    text + &format!("{count} {word} among {}\n", printable(&names.join(", ")))
}
