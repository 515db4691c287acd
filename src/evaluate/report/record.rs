//! What is kept of a case: everything, for the staff. What others see is cut from it.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Measure, StreamRecord};
use crate::evaluate::{Fact, Verdict, Visibility};
use crate::runtime::SetupOutcome;

/// What came of a case.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct CaseRecord {
    /// Its place among the cases of the run, from 0.
    pub index: usize,
    /// Its id.
    pub id: String,
    /// Its group.
    pub group: String,
    /// What it is worth.
    pub points: f64,
    /// What others than the staff see of it.
    #[serde(default)]
    pub visibility: Visibility,
    /// The verdict.
    pub verdict: Verdict,
    /// What the verdict stands on; empty where it is accepted.
    #[serde(default)]
    pub facts: Vec<Fact>,
    /// What each step did, as far as there were any.
    #[serde(default)]
    pub steps: Vec<StepRecord>,
    /// How often it was run: 2 where the host failed once.
    #[serde(default)]
    pub tries: u32,
    /// How long judging it took, in seconds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub seconds: Option<f64>,
    /// The file that it was written in, and the line.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub file: Option<String>,
    /// The line, from 1.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub line: Option<usize>,
}

/// What one step did.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
pub struct StepRecord {
    /// What was run or asked.
    pub command: String,
    /// How it ended, in a sentence; absent for a request.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ending: Option<String>,
    /// The exit code that stands for the ending.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub exit_code: Option<i32>,
    /// The status that a server answered with.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub status: Option<u16>,
    /// What stood on standard input, or the body of a request.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub input: Option<StreamRecord>,
    /// What was printed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub stdout: Option<StreamRecord>,
    /// What was printed as trouble.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub stderr: Option<StreamRecord>,
    /// The body of an answer.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub body: Option<StreamRecord>,
    /// What was expected of the parts that were looked at.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub expected: Vec<Expected>,
    /// How long the guest ran.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub wall_time: Option<Measure>,
    /// Its processor time.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cpu_time: Option<Measure>,
    /// The most memory that it held.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub peak_memory: Option<Measure>,
    /// Facts worth knowing.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub notes: Vec<String>,
}

/// What was expected of one part.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
pub struct Expected {
    /// The part: `stdout`, `files.out.json`.
    pub what: String,
    /// The checker.
    pub check: String,
    /// What it was compared with.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub content: Option<StreamRecord>,
}

/// What one command of the compilation or of the set-up did.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
pub struct SetupRecord {
    /// The line.
    pub command: String,
    /// How it ended, in a sentence.
    pub ending: String,
    /// The exit code that stands for it.
    pub exit_code: i32,
    /// What was printed.
    pub stdout: StreamRecord,
    /// What was printed as trouble.
    pub stderr: StreamRecord,
    /// How long its guest ran, in seconds.
    pub seconds: f64,
}

impl From<&SetupOutcome> for SetupRecord {
    fn from(outcome: &SetupOutcome) -> Self {
        Self {
            command: outcome.command.clone(),
            ending: outcome.termination.to_string(),
            exit_code: outcome.termination.exit_code(),
            stdout: (&outcome.stdout).into(),
            stderr: (&outcome.stderr).into(),
            seconds: outcome.elapsed.as_secs_f64(),
        }
    }
}
