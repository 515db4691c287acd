//! What the `spec` commands print with `--json`.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::Serialize;
use serde_json::Value;

use super::InForce;
use crate::spec::Problem;

/// What `spec check` found.
#[derive(Clone, Debug, Serialize, JsonSchema)]
#[schemars(title = "spec-check")]
pub(in crate::cli) struct CheckObject {
    /// The version of this object.
    pub(in crate::cli) version: u32,
    /// Whether every file is good.
    pub(in crate::cli) ok: bool,
    /// The files, in the order in which they were given.
    pub(in crate::cli) files: Vec<CheckedFile>,
}

/// What `spec check` found in one file.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub(in crate::cli) struct CheckedFile {
    /// The file as it was given.
    pub(in crate::cli) file: String,
    /// Whether it is good.
    pub(in crate::cli) ok: bool,
    /// What is wrong with it, in the order of the text.
    pub(in crate::cli) problems: Vec<ProblemObject>,
    /// What is accepted but will not do what its author may think.
    pub(in crate::cli) warnings: Vec<ProblemObject>,
    /// Every key of it, where that was asked for and it is good.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(in crate::cli) explained: Option<ExplainedSpec>,
}

/// What a spec comes to, key by key.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub(in crate::cli) struct ExplainedSpec {
    /// The mode whose defaults hold: `evaluation` or `agent`.
    pub(in crate::cli) mode: &'static str,
    /// Every key, those that nobody wrote too.
    pub(in crate::cli) keys: Vec<ExplainedKey>,
    /// Where a file of the reference system that says the same behaves differently.
    pub(in crate::cli) differences: Vec<DifferenceObject>,
}

/// One key of a spec.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub(in crate::cli) struct ExplainedKey {
    /// Its path.
    pub(in crate::cli) path: String,
    /// Its value.
    pub(in crate::cli) value: Value,
    /// Where the value came from: `default`, `spec`, `flag`.
    pub(in crate::cli) from: &'static str,
    /// The line of the key, from 1, where it stands in the file.
    pub(in crate::cli) line: Option<usize>,
    /// What it means.
    pub(in crate::cli) means: String,
}

/// One way in which the reference system behaves differently.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub(in crate::cli) struct DifferenceObject {
    /// The key, or the fact.
    pub(in crate::cli) subject: String,
    /// What it is there.
    pub(in crate::cli) reference: String,
    /// What it is here.
    pub(in crate::cli) here: String,
}

/// One problem of a file.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub(in crate::cli) struct ProblemObject {
    /// The path of the value; empty for the whole file.
    pub(in crate::cli) path: String,
    /// The line, from 1, where it is known.
    pub(in crate::cli) line: Option<usize>,
    /// The column in characters, from 1, where it is known.
    pub(in crate::cli) column: Option<usize>,
    /// What is wrong.
    pub(in crate::cli) message: String,
    /// What to do about it.
    pub(in crate::cli) hint: Option<String>,
}

impl From<&Problem> for ProblemObject {
    fn from(problem: &Problem) -> Self {
        Self {
            path: problem.path.clone(),
            line: problem.position.map(|at| at.line),
            column: problem.position.map(|at| at.column),
            message: problem.message.clone(),
            hint: problem.hint.clone(),
        }
    }
}

/// The specs that are built in.
#[derive(Clone, Debug, Serialize, JsonSchema)]
#[schemars(title = "spec-list")]
pub(in crate::cli) struct ListObject {
    /// The version of this object.
    pub(in crate::cli) version: u32,
    /// The specs, by runtime and name.
    pub(in crate::cli) specs: Vec<ListedSpec>,
}

/// One spec that is built in.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub(in crate::cli) struct ListedSpec {
    /// Its name.
    pub(in crate::cli) name: &'static str,
    /// The runtime that brings it.
    #[serde(rename = "type")]
    pub(in crate::cli) ty: &'static str,
    /// One sentence about it.
    pub(in crate::cli) about: &'static str,
}

/// The text of one spec.
#[derive(Clone, Debug, Serialize, JsonSchema)]
#[schemars(title = "spec-text")]
pub(in crate::cli) struct ShownSpecObject {
    /// The version of this object.
    pub(in crate::cli) version: u32,
    /// Where the text came from: a path or a built-in name.
    pub(in crate::cli) origin: String,
    /// The text.
    pub(in crate::cli) text: String,
}

/// What a spec comes to in one mode.
#[derive(Clone, Debug, Serialize, JsonSchema)]
#[schemars(title = "spec-effective")]
pub(in crate::cli) struct EffectiveObject {
    /// The version of this object.
    pub(in crate::cli) version: u32,
    /// The runtime.
    #[serde(rename = "type")]
    pub(in crate::cli) ty: String,
    /// The name of the environment.
    pub(in crate::cli) name: String,
    /// The mode: `evaluation` or `agent`.
    pub(in crate::cli) mode: &'static str,
    /// Every limit with where it came from.
    pub(in crate::cli) limits: BTreeMap<&'static str, InForce>,
    /// What happens at the output limit: `stop` or `truncate`.
    pub(in crate::cli) output_overflow: &'static str,
    /// What happens to a written limit that the runtime cannot hold: `refuse` or `best_effort`.
    pub(in crate::cli) on_unsupported: &'static str,
}
