//! Everything that came of a run: what is known of it, its score, and its cases one by one.

use std::sync::Arc;
use std::time::Duration;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{CaseRecord, Journal, Score, SetupRecord};
use crate::error::ExecutionError;
use crate::evaluate::{Case, PassPolicy, Suite, Verdict, skipped};

/// What is known of a run beside its cases.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
pub struct RunFacts {
    /// The name of the suite.
    pub suite: String,
    /// What drove the submission.
    pub adapter: String,
    /// When a submission has passed; reports have it with the score.
    #[serde(skip)]
    pub policy: PassPolicy,
    /// The submission.
    pub submission: SubmissionFacts,
    /// The runtime.
    pub runtime: String,
    /// The engine behind it, and its version.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub engine: Option<String>,
    /// What stood between the submission and the host.
    pub isolation: String,
    /// The hash of the spec.
    pub spec_id: String,
    /// What the compilation did, where there was one; none where an earlier run had done it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub compile: Option<SetupRecord>,
    /// What the set-up did.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub setup: Vec<SetupRecord>,
    /// Why the submission never got to its cases; absent where it did.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub refused: Option<String>,
    /// Whether the host failed before its first case.
    #[serde(skip)]
    pub is_host_failure: bool,
    /// What the author of the suite should know.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub warnings: Vec<String>,
}

/// A submission, as reports name it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
pub struct SubmissionFacts {
    /// The name of its file or directory.
    pub name: String,
    /// The id of its files.
    pub id: String,
    /// How it was started; empty where it never was.
    pub command: String,
}

/// Everything that came of a run. The cases stay in the journal, and are read from it one by one.
#[derive(Debug)]
pub struct Results {
    facts: RunFacts,
    score: Score,
    cases: Vec<Case>,
    journal: Journal,
    elapsed: Duration,
    interrupted: bool,
    /// The last case that counts, where one that was not accepted ended the run.
    cut: usize,
}

impl Results {
    pub(in crate::evaluate) fn new(
        facts: RunFacts,
        suite: &Arc<Suite>,
        cases: Vec<Case>,
        journal: Journal,
        elapsed: Duration,
        (interrupted, cut): (bool, usize),
    ) -> Self {
        let verdict = |index: usize| journal.verdict(index).filter(|_| index <= cut).unwrap_or(Verdict::Sk);
        let tally = cases.iter().enumerate().map(|(index, case)| (case.group.as_str(), case.points, verdict(index)));
        let score = Score::of(facts.policy, &suite.groups, tally);
        Self { facts, score, cases, journal, elapsed, interrupted, cut }
    }

    /// Gives what is known of the run.
    pub fn facts(&self) -> &RunFacts {
        &self.facts
    }

    /// Gives counts, points, and whether the submission has passed.
    pub fn score(&self) -> &Score {
        &self.score
    }

    /// Says how long the run took.
    pub fn elapsed(&self) -> Duration {
        self.elapsed
    }

    /// Says whether the run was ended before all cases were judged.
    pub fn was_interrupted(&self) -> bool {
        self.interrupted
    }

    /// Gives the cases that were judged, in their order.
    pub(in crate::evaluate) fn cases(&self) -> &[Case] {
        &self.cases
    }

    /// Gives the number of cases.
    pub fn len(&self) -> usize {
        self.cases.len()
    }

    /// Says whether there was no case.
    pub fn is_empty(&self) -> bool {
        self.cases.is_empty()
    }

    /// Reads what came of one case; one that was not judged is `SK`.
    ///
    /// # Errors
    /// A journal that cannot be read.
    pub fn record(&self, index: usize) -> Result<CaseRecord, ExecutionError> {
        let found = if index > self.cut { None } else { self.journal.read(index)? };
        Ok(found.unwrap_or_else(|| skipped((index, &self.cases[index]), self.interrupted)))
    }

    /// Reads what came of every case, in their order.
    pub fn records(&self) -> impl Iterator<Item = Result<CaseRecord, ExecutionError>> {
        (0..self.cases.len()).map(|index| self.record(index))
    }
}
