//! What came of each submission, in a row, and of all of them together.

use std::collections::BTreeMap;
use std::time::Duration;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::error::ExecutionError;
use crate::evaluate::report::{GroupScore, Results};
use crate::evaluate::{Audience, Verdict};

/// The version of the class report.
const VERSION: u32 = 1;

/// What came of one submission.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
pub struct ClassRow {
    /// Its name, unique in the class.
    pub submission: String,
    /// The id of its files; empty where they could not be taken.
    pub id: String,
    /// Whether it has passed.
    pub passed: bool,
    /// The points; absent where not every case was judged.
    pub score: Option<f64>,
    /// The most points that there were to get.
    pub possible: f64,
    /// How many cases there are.
    pub cases: usize,
    /// How many cases have each verdict, those that none has left out.
    pub verdicts: BTreeMap<Verdict, usize>,
    /// The same by group.
    pub groups: Vec<GroupScore>,
    /// How long judging it took, in seconds.
    pub seconds: f64,
    /// Why it never got to its cases, or what the host failed at.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub why: Option<String>,
    /// Where its own page is, as an address relative to the report; absent where it has none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub page: Option<String>,
    /// Whether `why` speaks of the host, which is for the staff alone.
    #[serde(skip)]
    pub(in crate::evaluate) is_of_host: bool,
}

/// Everything that came of a class.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct ClassResults {
    /// The name of the suite.
    pub suite: String,
    /// The runtime.
    pub runtime: String,
    /// A row a submission, in the order of their names.
    pub rows: Vec<ClassRow>,
    /// How long the run took.
    pub elapsed: Duration,
    /// Whether the run was ended before all submissions were judged.
    pub interrupted: bool,
}

/// A report of a class: within a version fields are only added, and readers ignore what they do not know.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
pub struct ClassReport {
    /// The version of the form: 1.
    pub version: u32,
    /// The version of bailiwick.
    pub bailiwick: String,
    /// Who it is for.
    pub audience: Audience,
    /// The name of the suite.
    pub suite: String,
    /// The runtime.
    pub runtime: String,
    /// How many submissions there are.
    pub total: usize,
    /// How many of them have passed.
    pub passed: usize,
    /// Whether every case of every submission was judged.
    pub complete: bool,
    /// How long the run took, in seconds.
    pub seconds: f64,
    /// Whether the run was ended before all submissions were judged.
    pub interrupted: bool,
    /// A row a submission, in the order of their names.
    pub submissions: Vec<ClassRow>,
}

impl ClassRow {
    pub(super) fn of(results: &Results) -> Result<Self, ExecutionError> {
        let (facts, score) = (results.facts(), results.score());
        let mut row = Self {
            submission: facts.submission.name.clone(),
            id: facts.submission.id.clone(),
            passed: score.passed,
            score: score.score,
            possible: score.possible,
            cases: score.total,
            verdicts: score.verdicts.clone(),
            groups: score.groups.clone(),
            seconds: results.elapsed().as_secs_f64(),
            why: facts.refused.clone(),
            page: None,
            is_of_host: facts.is_host_failure,
        };
        if row.why.is_none() && row.count(Verdict::Ie) > 0 {
            let records = results.records().collect::<Result<Vec<_>, _>>()?;
            let failed = records.iter().find(|record| record.verdict == Verdict::Ie);
            row.why = failed.and_then(|record| Some(format!("{}: {}", record.id, record.facts.first()?)));
            row.is_of_host = true;
        }
        Ok(row)
    }

    /// Gives how many of its cases have a verdict.
    pub fn count(&self, verdict: Verdict) -> usize {
        self.verdicts.get(&verdict).copied().unwrap_or_default()
    }

    /// Says whether every case was judged.
    pub fn is_complete(&self) -> bool {
        self.score.is_some()
    }
}

impl ClassResults {
    /// Gives the rows as an audience may see them.
    pub fn view(&self, audience: Audience) -> Vec<ClassRow> {
        let cut = |row: &ClassRow| {
            let mut row = row.clone();
            if audience == Audience::Student && row.is_of_host {
                row.why = Some("the host failed; this says nothing about the submission".to_owned());
            }
            row
        };
        self.rows.iter().map(cut).collect()
    }

    /// Says whether the host failed at any case.
    pub fn has_failures_of_host(&self) -> bool {
        self.rows.iter().any(|row| row.count(Verdict::Ie) > 0)
    }

    /// Says whether every submission has passed.
    pub fn all_passed(&self) -> bool {
        self.rows.iter().all(|row| row.passed)
    }
}

impl ClassReport {
    /// Puts together what an audience sees of a class.
    pub fn new(results: &ClassResults, audience: Audience) -> Self {
        let submissions = results.view(audience);
        Self {
            version: VERSION,
            bailiwick: env!("CARGO_PKG_VERSION").to_owned(),
            audience,
            suite: results.suite.clone(),
            runtime: results.runtime.clone(),
            total: submissions.len(),
            passed: submissions.iter().filter(|row| row.passed).count(),
            complete: submissions.iter().all(ClassRow::is_complete),
            seconds: results.elapsed.as_secs_f64(),
            interrupted: results.interrupted,
            submissions,
        }
    }
}
