//! What the directories of test data say: `testdata.yaml` and `test_group.yaml`, handed down to what is below.

use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::Value;

use super::file::{Package, Read};
use super::open::Format;
use crate::spec::Problem;

/// What holds for the cases of a directory.
#[derive(Clone, Debug, Default)]
pub(super) struct Handed {
    /// What the output validator is called with behind the flags of the problem.
    pub(super) flags: Vec<String>,
    /// Words for the submission.
    pub(super) args: Vec<String>,
    /// Whether the case may be shown to who failed on it.
    pub(super) full_feedback: bool,
}

/// `testdata.yaml` of the legacy format. What concerns graders and scores judges nothing of a pass-fail problem.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
struct TestData {
    on_reject: Option<String>,
    grading: Option<String>,
    output_validator_flags: Option<Flags>,
    #[serde(rename = "grader_flags")]
    _grader_flags: Option<Value>,
    #[serde(rename = "input_validator_flags")]
    _input_validator_flags: Option<Value>,
    #[serde(rename = "accept_score")]
    _accept_score: Option<Value>,
    #[serde(rename = "reject_score")]
    _reject_score: Option<Value>,
    #[serde(rename = "range")]
    _range: Option<Value>,
}

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(untagged)]
#[schemars(inline)]
enum Flags {
    All(String),
    Named { name: String, flags: String },
}

/// `test_group.yaml` of the newer formats, and the file of one case.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
struct Configuration {
    args: Option<Vec<String>>,
    output_validator_args: Option<Vec<String>>,
    full_feedback: Option<bool>,
    require_pass: Option<Value>,
    static_validation_score: Option<Value>,
    #[serde(rename = "max_score")]
    _max_score: Option<Value>,
    #[serde(rename = "score_aggregation")]
    _score_aggregation: Option<Value>,
    #[serde(rename = "input_validator_args")]
    _input_validator_args: Option<Value>,
    #[serde(rename = "static_validator_args")]
    _static_validator_args: Option<Value>,
    #[serde(rename = "input_visualizer_args")]
    _input_visualizer_args: Option<Value>,
    #[serde(rename = "output_visualizer_args")]
    _output_visualizer_args: Option<Value>,
    #[serde(rename = "hint")]
    _hint: Option<String>,
    #[serde(rename = "description")]
    _description: Option<String>,
}

impl Format {
    /// The name of the file that says what holds for a directory.
    pub(super) fn config_name(self) -> &'static str {
        match self {
            Self::Legacy => "testdata.yaml",
            Self::Modern => "test_group.yaml",
        }
    }

    /// The name of that file in the other family, which is a mistake here.
    pub(super) fn foreign_config_name(self) -> &'static str {
        match self {
            Self::Legacy => "test_group.yaml",
            Self::Modern => "testdata.yaml",
        }
    }
}

impl Handed {
    /// Reads what a directory says over what was handed down to it.
    pub(super) fn below(&self, package: &mut Package, format: Format, dir: &str) -> Self {
        let path = format!("{dir}/{}", format.config_name());
        let foreign = format!("{dir}/{}", format.foreign_config_name());
        if package.has_file(&foreign) {
            let hint = format!("name it `{}` and use the keys of this format", format.config_name());
            package.tell(&foreign, "belongs to another version of the format", &hint);
        }
        if !package.has_file(&path) {
            return self.clone();
        }
        if package.has_constants && package.text(&path).is_some_and(|text| text.contains("{{")) {
            package.tell(&path, "constants are not supported", "write the value");
        }
        match format {
            Format::Legacy => self.test_data(package, &path),
            Format::Modern => self.configuration(package, &path),
        }
    }

    fn test_data(&self, package: &mut Package, path: &str) -> Self {
        let Some(read): Option<Read<TestData>> = package.yaml(path) else { return self.clone() };
        if let Some(word) = read.value.on_reject.as_deref().filter(|word| !["break", "continue"].contains(word)) {
            read.tell(package, Problem::new("on_reject", format!("must be `break` or `continue`, not `{word}`")));
        }
        if read.value.grading.as_deref() == Some("custom") {
            read.tell(package, Problem::new("grading", "is `custom`: graders are not supported"));
        }
        let flags = match &read.value.output_validator_flags {
            None => self.flags.clone(),
            Some(Flags::All(flags) | Flags::Named { flags, .. }) => {
                flags.split_whitespace().map(str::to_owned).collect()
            }
        };
        if let Some(Flags::Named { name, .. }) = &read.value.output_validator_flags {
            package.warn(format!("{path}: the flags for `{name}` are given to the one validator that there is"));
        }
        Self { flags, ..self.clone() }
    }

    /// Reads the file of a directory or of a case.
    pub(super) fn configuration(&self, package: &mut Package, path: &str) -> Self {
        let Some(read): Option<Read<Configuration>> = package.yaml(path) else { return self.clone() };
        let Configuration { args, output_validator_args, full_feedback, .. } = &read.value;
        for (key, is_there) in [
            ("require_pass", read.value.require_pass.is_some()),
            ("static_validation_score", read.value.static_validation_score.is_some()),
        ] {
            if is_there {
                read.tell(package, Problem::new(key, "is not supported: it is of problems that give a score"));
            }
        }
        Self {
            flags: output_validator_args.clone().unwrap_or_else(|| self.flags.clone()),
            args: args.clone().unwrap_or_else(|| self.args.clone()),
            full_feedback: full_feedback.unwrap_or(self.full_feedback),
        }
    }
}
