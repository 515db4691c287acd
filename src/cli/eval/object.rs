//! What `eval --check --json` and `eval --differential --json` print; a run prints its report.

use schemars::JsonSchema;
use serde::Serialize;

use crate::evaluate::{Score, Verdict, Visibility};

/// What `eval --check --json` prints.
#[derive(Debug, Serialize, JsonSchema)]
pub(in crate::cli) struct CheckedObject {
    /// The version of the form: 1.
    pub(in crate::cli) version: u32,
    /// The name of the suite.
    pub(in crate::cli) suite: String,
    /// What drives the submission.
    pub(in crate::cli) adapter: String,
    /// The cases, in order.
    pub(in crate::cli) cases: Vec<CheckedCase>,
    /// What the author should know.
    pub(in crate::cli) warnings: Vec<String>,
}

/// One case of a suite.
#[derive(Debug, Serialize, JsonSchema)]
pub(in crate::cli) struct CheckedCase {
    /// Its id.
    pub(in crate::cli) id: String,
    /// Its group.
    pub(in crate::cli) group: String,
    /// What it is worth.
    pub(in crate::cli) points: f64,
    /// What others than the staff see of it.
    pub(in crate::cli) visibility: Visibility,
    /// How many steps it has.
    pub(in crate::cli) steps: usize,
}

/// What `eval --differential --json` prints.
#[derive(Debug, Serialize, JsonSchema)]
pub(in crate::cli) struct DifferentialObject {
    /// The version of the form: 1.
    pub(in crate::cli) version: u32,
    /// The name of the suite.
    pub(in crate::cli) suite: String,
    /// What the cases were judged on, in the order of the flag.
    pub(in crate::cli) sides: Vec<SideObject>,
    /// Where the sides are not alike.
    pub(in crate::cli) divergences: Vec<DivergenceObject>,
}

/// One side of a comparison.
#[derive(Debug, Serialize, JsonSchema)]
pub(in crate::cli) struct SideObject {
    /// The runtime or spec, as the flag names it.
    pub(in crate::cli) name: String,
    /// The runtime.
    pub(in crate::cli) runtime: String,
    /// What its verdicts come to.
    pub(in crate::cli) score: Score,
}

/// One case on which the sides are not alike.
#[derive(Debug, Serialize, JsonSchema)]
pub(in crate::cli) struct DivergenceObject {
    /// The case.
    pub(in crate::cli) case: String,
    /// In what they differ: `verdict`, `exit_code`, `stdout`, `stderr`.
    pub(in crate::cli) differs: Vec<&'static str>,
    /// What each side gave, in the order of the sides.
    pub(in crate::cli) sides: Vec<DivergentSide>,
}

/// What one side gave.
#[derive(Debug, Serialize, JsonSchema)]
pub(in crate::cli) struct DivergentSide {
    /// The verdict.
    pub(in crate::cli) verdict: Verdict,
    /// The exit code of the last step.
    pub(in crate::cli) exit_code: Option<i32>,
    /// How the last step ended.
    pub(in crate::cli) ending: Option<String>,
    /// The beginning of what the last step printed.
    pub(in crate::cli) stdout: String,
}
