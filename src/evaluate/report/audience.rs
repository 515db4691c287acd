//! What an audience sees: everything, or of each case what its visibility allows. Every form of report is written from
//! records that went through here.

use super::{CaseRecord, Results, RunFacts};
use crate::error::ExecutionError;
use crate::evaluate::{Evidence, Fact, Visibility};

/// Who reads a report.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, serde::Serialize, serde::Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "snake_case")]
#[schemars(inline)]
pub enum Audience {
    /// Those who wrote the cases: everything.
    #[default]
    Staff,
    /// Those who wrote the submission: of each case what its visibility allows.
    Student,
}

impl Audience {
    /// Gives the word used in files and flags.
    pub fn name(self) -> &'static str {
        match self {
            Self::Staff => "staff",
            Self::Student => "student",
        }
    }

    /// Cuts a record to what this audience may see; none where that is nothing.
    pub fn view(self, mut record: CaseRecord) -> Option<CaseRecord> {
        match (self, record.visibility) {
            (Self::Staff, _) => return Some(record),
            (Self::Student, Visibility::Hidden) => return None,
            (Self::Student, Visibility::Verdict) => {
                record.facts.retain(|fact| matches!(fact.evidence, Evidence::Limit { .. }));
                record.facts.iter_mut().for_each(|fact| fact.step = None);
                record.steps.clear();
                record.seconds = None;
            }
            (Self::Student, Visibility::Full) => {
                record.facts.iter_mut().for_each(without_the_host);
            }
        }
        (record.file, record.line) = (None, None);
        Some(record)
    }

    /// Cuts what is known of the run to what this audience may see.
    pub fn facts(self, facts: &RunFacts) -> RunFacts {
        match self {
            Self::Staff => facts.clone(),
            // What failed on the host is nobody else's affair, and its message may name paths.
            Self::Student => RunFacts {
                warnings: Vec::new(),
                refused: facts.refused.clone().filter(|_| !facts.is_host_failure),
                ..facts.clone()
            },
        }
    }
}

/// Leaves out what failed on the host: its message may name paths.
fn without_the_host(fact: &mut Fact) {
    if let Evidence::Host { message, .. } = &mut fact.evidence {
        *message = "the host failed; this says nothing about the submission".to_owned();
    }
}

impl Results {
    /// Reads what an audience may see of every case, in their order.
    ///
    /// Each item is an error only where the journal cannot be read.
    pub fn view(&self, audience: Audience) -> impl Iterator<Item = Result<CaseRecord, ExecutionError>> {
        self.records().filter_map(move |record| match record {
            Ok(record) => audience.view(record).map(Ok),
            Err(error) => Some(Err(error)),
        })
    }
}
