//! The section `suite` of a suite.

use std::collections::BTreeMap;
use std::time::Duration;

use schemars::JsonSchema;
use schemars::generate::SchemaSettings;
use serde::Deserialize;
use serde_json::{Map, Value};

use crate::error::{ErrorKind, ExecutionError};
use crate::evaluate::Visibility;
use crate::spec::{LimitsConfig, Span};

/// The section `suite` of a suite. In its texts `${entrypoint}` stands for the command that starts the submission, and
/// `${report}` for the file that the report must be written to.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct SuiteConfig {
    /// The test program and its words; it starts in the directory of the case file.
    #[schemars(length(min = 1))]
    pub(super) command: Vec<String>,
    /// Variables of the test program.
    #[serde(default)]
    pub(super) env: BTreeMap<String, String>,
    /// What the report is. Default: `junit`.
    #[serde(default)]
    pub(super) report: ReportForm,
    /// The exit codes with which the test program has done its work. Default: 0 and 1.
    #[serde(default = "done")]
    #[schemars(length(min = 1))]
    pub(super) exit_codes: Vec<i32>,
    /// How long the test program may take. Default: 10 min.
    #[serde(default = "patience")]
    pub(super) wall_time: Span,
    /// Limits of each command, over those of the spec.
    #[serde(default)]
    pub(super) limits: LimitsConfig,
    /// What each test is worth. Default: 1.
    #[serde(default = "worth")]
    #[schemars(range(min = 0.0))]
    pub(super) points: f64,
    /// What others than the staff see of a test. Default: `verdict`.
    #[serde(default)]
    pub(super) visibility: Visibility,
    /// Groups, each with the globs of the ids that are in it; the first by name that fits counts. Default: `core`.
    #[serde(default)]
    pub(super) groups: BTreeMap<String, Vec<String>>,
}

/// What a report is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
#[schemars(inline)]
pub(super) enum ReportForm {
    /// JUnit XML.
    #[default]
    Junit,
    /// The Common Test Report Format, JSON.
    Ctrf,
}

fn done() -> Vec<i32> {
    vec![0, 1]
}

fn patience() -> Span {
    Span(Duration::from_secs(600))
}

fn worth() -> f64 {
    1.0
}

impl SuiteConfig {
    pub(super) fn schema() -> Value {
        let settings = SchemaSettings::draft2020_12().with(|settings| settings.inline_subschemas = true);
        settings.into_generator().into_root_schema_for::<Self>().to_value()
    }

    pub(super) fn read(section: &Map<String, Value>) -> Result<Self, ExecutionError> {
        serde_json::from_value(Value::Object(section.clone())).map_err(|error| {
            let error = ExecutionError::new(ErrorKind::Spec, format!("the section `suite`: {error}"));
            error.with_hint("`suite: {command: [...]}` names the test program")
        })
    }
}
