//! The solutions beside the cases, and what each of them promises.

use std::path::{Path, PathBuf};

use crate::cli::failure::Usage;
use crate::evaluate::{CaseRecord, Measure, Promise, Results, StepRecord, Suite, Verdict};
use crate::spec::{EnvironmentSpec, LimitName, Limits};

/// Where solutions are, beside the cases.
const SOLUTIONS: &str = "submissions";

/// What a directory of solutions promises where the suite does not say it: they pass, or they do not and have one of
/// these verdicts.
const PROMISES: [(&str, &[Verdict]); 10] = [
    ("accepted", &[Verdict::Ac]),
    ("partially_accepted", &[]),
    ("rejected", &[]),
    ("wrong_answer", &[Verdict::Wa]),
    ("time_limit_exceeded", &[Verdict::Tle]),
    // The published format has no word for memory and output.
    ("run_time_error", &[Verdict::Rte, Verdict::Mle, Verdict::Ole]),
    ("brute_force", &[Verdict::Tle, Verdict::Rte, Verdict::Mle, Verdict::Ole]),
    ("memory_limit_exceeded", &[Verdict::Mle]),
    ("output_limit_exceeded", &[Verdict::Ole]),
    ("compile_error", &[Verdict::Ce]),
];

/// What stands beside the cases.
pub(super) struct Found {
    pub(super) solutions: Vec<Solution>,
    /// What is not run, each with why.
    pub(super) left_out: Vec<String>,
}

/// A solution on disk.
pub(super) struct Solution {
    pub(super) name: String,
    pub(super) path: PathBuf,
    promised: Promised,
}

/// What says what a solution gets.
enum Promised {
    /// The name of its directory.
    ByDirectory { verdicts: &'static [Verdict], passes: bool },
    /// The suite.
    BySuite(Vec<Promise>),
}

impl Promised {
    fn passes(&self) -> bool {
        match self {
            Self::ByDirectory { passes, .. } => *passes,
            Self::BySuite(promises) => promises.iter().any(Promise::is_of_accepted),
        }
    }
}

/// Lists the solutions that the spec starts, and those that it does not.
pub(super) fn find(cases: &Path, spec: &EnvironmentSpec, suite: &Suite) -> anyhow::Result<Found> {
    let beside = if cases.is_dir() { cases } else { cases.parent().unwrap_or(Path::new(".")) }.join(SOLUTIONS);
    let ending = spec.commands.entry_file.trim().split_once("{entry_file}").map_or("", |(_, after)| after);
    let mut found = Found { solutions: Vec::new(), left_out: Vec::new() };
    for dir in directories(&beside, suite) {
        for path in entries(&beside.join(&dir)) {
            let file = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
            let name = format!("{dir}/{file}");
            let is_started = match path.is_dir() {
                true => entries(&path).iter().any(|inner| inner.to_string_lossy().ends_with(ending)),
                false => file.ends_with(ending),
            };
            match promised(&dir, &name, suite) {
                _ if !is_started => found.left_out.push(format!("{name}: this spec does not start it")),
                None => found.left_out.push(format!("{name}: nothing says what it gets")),
                Some(promised) => found.solutions.push(Solution { name, path, promised }),
            }
        }
    }
    if !found.solutions.iter().any(|solution| solution.promised.passes()) {
        let usage = Usage::new(format!("`{}` has no accepted solution for this spec", beside.display()));
        return Err(usage.with_hint(format!("put one that ends in `{ending}` into `{SOLUTIONS}/accepted`")).into());
    }
    Ok(found)
}

/// Names the directories that hold solutions: those with a known name, else all that there are.
fn directories(beside: &Path, suite: &Suite) -> Vec<String> {
    if suite.promises.is_empty() {
        return PROMISES.iter().map(|(dir, _)| (*dir).to_owned()).collect();
    }
    let dirs = entries(beside).into_iter().filter(|path| path.is_dir());
    dirs.filter_map(|path| Some(path.file_name()?.to_string_lossy().into_owned())).collect()
}

fn promised(dir: &str, name: &str, suite: &Suite) -> Option<Promised> {
    if suite.promises.is_empty() {
        let (_, verdicts) = PROMISES.into_iter().find(|(known, _)| *known == dir)?;
        return Some(Promised::ByDirectory { verdicts, passes: dir == "accepted" });
    }
    let promises: Vec<Promise> = suite.promises.iter().filter(|one| one.solutions.matches(name)).cloned().collect();
    (!promises.is_empty()).then_some(Promised::BySuite(promises))
}

fn entries(dir: &Path) -> Vec<PathBuf> {
    let Ok(read) = std::fs::read_dir(dir) else { return Vec::new() };
    let mut paths: Vec<PathBuf> = read.filter_map(|entry| Some(entry.ok()?.path())).collect();
    paths.sort();
    paths
}

impl Solution {
    /// Lists what of its promise is not kept.
    pub(super) fn broken(&self, results: &Results, limits: &[Option<Limits>]) -> anyhow::Result<Vec<String>> {
        let mut broken = Vec::new();
        if !results.score().complete {
            broken.push("not every case was judged".to_owned());
        }
        let more = match &self.promised {
            Promised::ByDirectory { passes: true, .. } => of_accepted(results, limits)?,
            Promised::ByDirectory { verdicts, passes: false } => of_directory(results, verdicts),
            Promised::BySuite(promises) => of_suite(promises, results, limits)?,
        };
        broken.extend(more);
        Ok(broken)
    }
}

fn of_accepted(results: &Results, limits: &[Option<Limits>]) -> anyhow::Result<Vec<String>> {
    let mut broken = Vec::new();
    for (index, limits) in limits.iter().enumerate() {
        let record = results.record(index)?;
        if record.verdict != Verdict::Ac {
            broken.push(format!("{} is {}{}", record.id, record.verdict, why(&record)));
        }
        broken.extend(limits.iter().flat_map(|limits| tight(&record, limits)));
    }
    Ok(broken)
}

fn of_directory(results: &Results, verdicts: &[Verdict]) -> Vec<String> {
    let score = results.score();
    if score.passed {
        return vec!["it passes".to_owned()];
    }
    if verdicts.is_empty() || verdicts.iter().any(|verdict| score.count(*verdict) > 0) {
        return Vec::new();
    }
    let names: Vec<&str> = verdicts.iter().map(|verdict| verdict.name()).collect();
    vec![format!("no case is {}", names.join(" or "))]
}

fn of_suite(promises: &[Promise], results: &Results, limits: &[Option<Limits>]) -> anyhow::Result<Vec<String>> {
    let mut broken = Vec::new();
    let mut verdicts = Vec::new();
    for (index, limits) in limits.iter().enumerate() {
        let record = results.record(index)?;
        let is_bound = promises.iter().any(|promise| promise.bounds_from_below() && promise.is_about(&record.id));
        if is_bound {
            broken.extend(limits.iter().flat_map(|limits| tight(&record, limits)));
        }
        verdicts.push((record.id, record.verdict));
    }
    for promise in promises {
        let verdicts = verdicts.iter().map(|(id, verdict)| (id.as_str(), *verdict));
        broken.extend(promise.broken(verdicts));
    }
    broken.dedup();
    Ok(broken)
}

fn why(record: &CaseRecord) -> String {
    record.facts.first().map(|fact| format!(": {fact}")).unwrap_or_default()
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
