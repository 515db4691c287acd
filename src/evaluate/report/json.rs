//! The report as JSON: one object, or a line a case. Cases are written as they are read, never all in memory.

use std::cell::RefCell;
use std::io::Write;

use schemars::JsonSchema;
use serde::ser::SerializeSeq as _;
use serde::{Deserialize, Serialize, Serializer};

use super::kind::unwritten;
use super::{Audience, CaseRecord, Results, RunFacts, Score};
use crate::error::ExecutionError;

/// The version of the report.
const VERSION: u32 = 1;

/// A report: within a version fields are only added, and readers ignore what they do not know.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
pub struct Report {
    /// The head.
    #[serde(flatten)]
    pub head: ReportHead,
    /// What came of each case that the audience may see, in their order.
    pub cases: Vec<CaseRecord>,
}

/// What a report says beside its cases.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
pub struct ReportHead {
    /// The version of the form: 1.
    pub version: u32,
    /// The version of bailiwick.
    pub bailiwick: String,
    /// Who it is for.
    pub audience: Audience,
    /// What is known of the run.
    #[serde(flatten)]
    pub run: RunFacts,
    /// Counts, points, and whether the submission has passed.
    #[serde(flatten)]
    pub score: Score,
    /// How long the run took, in seconds.
    pub seconds: f64,
    /// Whether the run was ended before all cases were judged.
    pub interrupted: bool,
}

impl Report {
    /// Reads a report, leniently: what is not known is ignored, what is missing has its default.
    ///
    /// # Errors
    /// A text that is no report of this version or the one before.
    pub fn read(text: &str) -> Result<Self, ExecutionError> {
        let wrong = |error: Box<dyn std::error::Error + Send + Sync>| {
            ExecutionError::new(crate::error::ErrorKind::Spec, error).with_hint("give a report written as JSON")
        };
        let report: Self = serde_json::from_str(text).map_err(|error| wrong(error.into()))?;
        match report.head.version {
            VERSION => Ok(report),
            version => Err(wrong(format!("the report has version {version}, and this build reads {VERSION}").into())),
        }
    }
}

impl ReportHead {
    /// Puts together what an audience sees of a run beside its cases.
    pub fn new(results: &Results, audience: Audience) -> Self {
        Self {
            version: VERSION,
            bailiwick: env!("CARGO_PKG_VERSION").to_owned(),
            audience,
            run: audience.facts(results.facts()),
            score: results.score().clone(),
            seconds: results.elapsed().as_secs_f64(),
            interrupted: results.was_interrupted(),
        }
    }
}

/// Writes the report as one object.
pub(super) fn write(results: &Results, audience: Audience, out: &mut dyn Write) -> Result<(), ExecutionError> {
    #[derive(Serialize)]
    struct Whole<'a> {
        #[serde(flatten)]
        head: ReportHead,
        cases: Cases<'a>,
    }
    let cases = Cases { results, audience, failure: RefCell::new(None) };
    let whole = Whole { head: ReportHead::new(results, audience), cases };
    let written = serde_json::to_writer(&mut *out, &whole);
    if let Some(failure) = whole.cases.failure.into_inner() {
        return Err(failure);
    }
    written.map_err(unwritten)?;
    writeln!(out).map_err(unwritten)
}

/// The cases of a run, read while they are written.
struct Cases<'a> {
    results: &'a Results,
    audience: Audience,
    failure: RefCell<Option<ExecutionError>>,
}

impl Serialize for Cases<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut list = serializer.serialize_seq(None)?;
        for record in self.results.view(self.audience) {
            match record {
                Ok(record) => list.serialize_element(&record)?,
                Err(error) => {
                    *self.failure.borrow_mut() = Some(error);
                    return Err(serde::ser::Error::custom("the journal cannot be read"));
                }
            }
        }
        list.end()
    }
}

/// Writes the report as a head and a line a case.
pub(super) fn write_lines(results: &Results, audience: Audience, out: &mut dyn Write) -> Result<(), ExecutionError> {
    serde_json::to_writer(&mut *out, &ReportHead::new(results, audience)).map_err(unwritten)?;
    writeln!(out).map_err(unwritten)?;
    for record in results.view(audience) {
        serde_json::to_writer(&mut *out, &record?).map_err(unwritten)?;
        writeln!(out).map_err(unwritten)?;
    }
    Ok(())
}
