//! What case files may say, as they write it.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::{Map, Value};

use crate::evaluate::check::{CheckConfig, CommandText, ExpectationConfig};
use crate::evaluate::{GroupScoring, PassPolicy, Visibility};
use crate::spec::LimitsConfig;
use crate::workspace::{InputFileConfig, StaticAssetConfig};

/// The cases of a suite. The section of the adapter stands beside these keys, under the adapter's name.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct CasesWire {
    /// The version of this form: 1.
    #[schemars(range(min = 1, max = 1))]
    #[expect(dead_code, reason = "the schema has looked at it")]
    pub(super) version: u64,
    /// What reports call the suite. Default: the name of its directory.
    #[serde(default)]
    pub(super) name: Option<String>,
    /// What drives the submission. Default: `cli`.
    #[serde(default)]
    pub(super) adapter: Option<String>,
    /// What holds for every case of this file that does not say otherwise.
    #[serde(default)]
    pub(super) defaults: DefaultsWire,
    /// Weights and scoring of groups, by name.
    #[serde(default)]
    pub(super) groups: BTreeMap<String, GroupWire>,
    /// When a submission has passed. Default: `all-cases`.
    #[serde(default)]
    pub(super) pass: Option<PassPolicy>,
    /// Options of the runtime, passed to every spawn.
    #[serde(default)]
    pub(super) options: Map<String, Value>,
    /// Files and directories that every case may read, as `{{static:name}}`.
    #[serde(default)]
    pub(super) assets: BTreeMap<String, StaticAssetConfig>,
    /// Cases of other files, before those of this one.
    #[serde(default)]
    pub(super) include: Vec<IncludeWire>,
    /// The cases, in order.
    #[serde(default)]
    #[schemars(with = "Vec<CaseWire>")]
    pub(super) cases: Vec<Value>,
}

/// What holds for every case that does not say otherwise.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub(super) struct DefaultsWire {
    /// The group. Default: `core`.
    #[schemars(length(min = 1))]
    pub(super) group: Option<String>,
    /// What a case is worth. Default: 1.
    #[schemars(range(min = 0.0))]
    pub(super) points: Option<f64>,
    /// What others than the staff see. Default: `verdict`.
    pub(super) visibility: Option<Visibility>,
    /// Limits, over those of the spec.
    pub(super) limits: LimitsConfig,
    /// Variables.
    pub(super) env: BTreeMap<String, String>,
    /// The working directory, a path of the guest.
    pub(super) cwd: Option<String>,
    /// The exit codes that are accepted. Default: 0.
    pub(super) exit_code: Option<CodesWire>,
    /// How standard output is checked.
    pub(super) stdout: Option<CheckConfig>,
    /// How standard error is checked.
    pub(super) stderr: Option<CheckConfig>,
    /// How files are checked.
    pub(super) files: Option<CheckConfig>,
    /// How the body of an answer is checked.
    pub(super) body: Option<CheckConfig>,
}

/// How a group counts.
#[derive(Clone, Copy, Debug, Default, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub(super) struct GroupWire {
    /// What its points are multiplied with. Default: 1.
    #[schemars(range(min = 0.0))]
    pub(super) weight: Option<f64>,
    /// Whether each case counts, or all of them together. Default: `each`.
    pub(super) scoring: GroupScoring,
}

/// Cases of another file.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct IncludeWire {
    /// A case file, or a directory with one, relative to this file.
    #[schemars(length(min = 1))]
    pub(super) path: String,
    /// The group that all of them go to. Default: their own.
    #[serde(default)]
    pub(super) group: Option<String>,
    /// What is put before their ids. Default: nothing.
    #[serde(default)]
    pub(super) prefix: Option<String>,
}

/// One case.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct CaseWire {
    /// The version of this form, where a file holds one case: 1.
    #[serde(default)]
    #[schemars(range(min = 1, max = 1))]
    #[expect(dead_code, reason = "the schema has looked at it")]
    pub(super) version: Option<u64>,
    /// Its name, unique in the suite. Only a file with one case may leave it out: it then has the name of its directory.
    #[serde(default)]
    #[schemars(length(min = 1, max = 200))]
    pub(super) id: Option<String>,
    /// Its group: `core`, `functionality`, `error`, `regression`, or one of your own.
    #[serde(default)]
    #[schemars(length(min = 1, max = 200))]
    pub(super) group: Option<String>,
    /// What it is worth.
    #[serde(default)]
    #[schemars(range(min = 0.0))]
    pub(super) points: Option<f64>,
    /// What others than the staff see.
    #[serde(default)]
    pub(super) visibility: Option<Visibility>,
    /// Limits, over those of the spec and of the defaults.
    #[serde(default)]
    pub(super) limits: LimitsConfig,
    /// One case for each combination of values; `${name}` stands for the value in every text of the case.
    #[serde(default)]
    #[expect(dead_code, reason = "taken out before this is read")]
    pub(super) matrix: BTreeMap<String, Vec<Scalar>>,
    /// Several commands over one workspace, in order; ends at the first that is not accepted.
    #[serde(default)]
    #[schemars(length(min = 1))]
    pub(super) steps: Option<Vec<StepWire>>,
    // The rest is one step, written without `steps`: the fields of `StepWire`.
    /// Words after the submission's command: a list, or a line that is split into words.
    #[serde(default)]
    pub(super) args: Option<CommandText>,
    /// Variables.
    #[serde(default)]
    pub(super) env: BTreeMap<String, String>,
    /// The working directory, a path of the guest.
    #[serde(default)]
    pub(super) cwd: Option<String>,
    /// Standard input. Default: closed.
    #[serde(default)]
    pub(super) stdin: Option<DataWire>,
    /// Files put into the workspace, by path.
    #[serde(default)]
    pub(super) files: BTreeMap<String, DataWire>,
    /// What is asked of a server.
    #[serde(default)]
    pub(super) request: Option<RequestWire>,
    /// What is expected.
    #[serde(default)]
    pub(super) expect: Option<ExpectWire>,
}

/// One step of a case.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub(super) struct StepWire {
    /// Words after the submission's command: a list, or a line that is split into words.
    pub(super) args: Option<CommandText>,
    /// Variables.
    pub(super) env: BTreeMap<String, String>,
    /// The working directory, a path of the guest.
    pub(super) cwd: Option<String>,
    /// Standard input. Default: closed.
    pub(super) stdin: Option<DataWire>,
    /// Files put into the workspace, by path.
    pub(super) files: BTreeMap<String, DataWire>,
    /// What is asked of a server.
    pub(super) request: Option<RequestWire>,
    /// What is expected.
    pub(super) expect: Option<ExpectWire>,
}

/// A value of a matrix.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(untagged)]
#[schemars(inline)]
#[expect(dead_code, reason = "only its schema is used")]
pub(super) enum Scalar {
    Text(String),
    Number(f64),
    Truth(bool),
}

/// Bytes: a text, or a map that says what they are made of.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(untagged)]
pub(super) enum DataWire {
    /// The text.
    Text(String),
    /// Exactly one of the keys.
    Map(Box<InputFileConfig>),
}

/// What is asked of a server.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub(super) struct RequestWire {
    /// The method. Default: `GET`.
    #[schemars(length(min = 1))]
    pub(super) method: Option<String>,
    /// The path with its query. Default: `/`.
    #[schemars(length(min = 1))]
    pub(super) path: Option<String>,
    /// Header fields.
    pub(super) headers: BTreeMap<String, String>,
    /// The body. A value under `json` is sent as `application/json`.
    pub(super) body: Option<DataWire>,
}

/// What is expected.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub(super) struct ExpectWire {
    /// The exit codes that are accepted: a code, a list, or `any`. Default: 0.
    pub(super) exit_code: Option<CodesWire>,
    /// Standard output: a text, `any`, or a checker. Default: `any`.
    pub(super) stdout: Option<ExpectationConfig>,
    /// Standard error: a text, `any`, or a checker. Default: `any`.
    pub(super) stderr: Option<ExpectationConfig>,
    /// Files of the workspace, by path.
    pub(super) files: BTreeMap<String, ExpectationConfig>,
    /// The statuses that are accepted: a status, a list, or `any`. Default: 200 to 299.
    pub(super) status: Option<CodesWire>,
    /// Header fields of the answer, by name.
    pub(super) headers: BTreeMap<String, ExpectationConfig>,
    /// The body of the answer: a text, `any`, or a checker. Default: `any`.
    pub(super) body: Option<ExpectationConfig>,
}

/// Accepted codes: one, several, or any.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(untagged)]
#[schemars(inline)]
pub(super) enum CodesWire {
    /// One code.
    One(#[schemars(range(min = 0, max = 999))] u16),
    /// One of these.
    Several(#[schemars(length(min = 1))] Vec<u16>),
    /// Any.
    Word(Any),
}

/// The word `any`.
#[derive(Clone, Copy, Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
#[schemars(inline)]
pub(super) enum Any {
    /// Whatever comes.
    Any,
}

impl From<CaseWire> for StepWire {
    fn from(case: CaseWire) -> Self {
        let CaseWire { args, env, cwd, stdin, files, request, expect, .. } = case;
        Self { args, env, cwd, stdin, files, request, expect }
    }
}
