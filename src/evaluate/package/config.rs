//! What the directories of test data say: `testdata.yaml` and `test_group.yaml`, handed down to what is below.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::Value;

use super::file::{Package, Read};
use super::metadata::OneOrMore;
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

/// `test_group.yaml` of the newer formats, the `testdata.yaml` that it was in the draft, and the file of one case.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
struct Configuration {
    args: Option<Vec<String>>,
    output_validator_args: Option<OneOrMore>,
    full_feedback: Option<bool>,
    #[serde(rename = "input_validator_args")]
    _input_validator_args: Option<ForValidators>,
    #[serde(rename = "input_visualizer_args")]
    _input_visualizer_args: Option<Vec<String>>,
    #[serde(rename = "output_visualizer_args")]
    _output_visualizer_args: Option<Vec<String>>,
    static_validator_args: Option<Vec<String>>,
    max_score: Option<Value>,
    score_aggregation: Option<Value>,
    require_pass: Option<Value>,
    static_validation_score: Option<Value>,
    hint: Option<String>,
    description: Option<String>,
    /// Of the draft alone.
    output_validator_flags: Option<String>,
    input_validator_flags: Option<Value>,
    static_validation: Option<Value>,
    scoring: Option<Value>,
    grading: Option<Value>,
}

/// Words for every input validator, or for each by its name.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(untagged)]
#[schemars(inline)]
#[expect(dead_code, reason = "input validators are not run, so it is read for its form alone")]
enum ForValidators {
    All(OneOrMore),
    Each(BTreeMap<String, OneOrMore>),
}

/// What a file of the newer formats says something about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Place {
    Group,
    Case,
}

/// Why a key of a file is refused.
const OF_SCORES: &str = "is not supported: it is of problems that give a score";
const OF_SOURCE: &str = "is not supported: it is of validators of source code";
const UNKNOWN: &str = "is not a known key";

impl Configuration {
    /// Lists the keys that are refused, each with why.
    fn refused(&self, format: Format, place: Place) -> Vec<(&'static str, &'static str)> {
        let is =
            |json: serde_json::Value| move |value: &Option<Value>| value.as_ref().is_some_and(|value| *value != json);
        let mut refused: Vec<(&str, bool, &str)> = vec![
            ("max_score", self.max_score.is_some(), OF_SCORES),
            ("score_aggregation", is("pass-fail".into())(&self.score_aggregation), OF_SCORES),
            ("require_pass", self.require_pass.is_some(), OF_SCORES),
            ("static_validation_score", self.static_validation_score.is_some(), OF_SCORES),
            ("static_validator_args", self.static_validator_args.is_some(), OF_SOURCE),
            ("hint", place == Place::Group && self.hint.is_some(), "is a key of a case"),
            ("description", place == Place::Group && self.description.is_some(), "is a key of a case"),
        ];
        let in_draft = format == Format::Draft;
        let why = |why| if in_draft { why } else { UNKNOWN };
        refused.extend([
            ("scoring", self.scoring.is_some(), why(OF_SCORES)),
            ("grading", self.grading.is_some(), why(OF_SCORES)),
            ("output_validator_flags", !in_draft && self.output_validator_flags.is_some(), UNKNOWN),
            ("input_validator_flags", !in_draft && self.input_validator_flags.is_some(), UNKNOWN),
        ]);
        let static_validation =
            if in_draft { is(false.into())(&self.static_validation) } else { self.static_validation.is_some() };
        refused.push(("static_validation", static_validation, why(OF_SOURCE)));
        refused.into_iter().filter(|(_, is_there, _)| *is_there).map(|(key, _, why)| (key, why)).collect()
    }

    /// Gives the words for the output validator; the draft had them in one text.
    fn flags(&self) -> Option<Vec<String>> {
        let split = |text: &String| text.split_whitespace().map(str::to_owned).collect();
        match &self.output_validator_args {
            Some(OneOrMore::More(words)) => Some(words.clone()),
            Some(OneOrMore::One(text)) => Some(split(text)),
            None => self.output_validator_flags.as_ref().map(split),
        }
    }
}

impl Format {
    /// The names of the file that says what holds for a directory.
    pub(super) fn config_names(self) -> &'static [&'static str] {
        match self {
            Self::Legacy => &["testdata.yaml"],
            Self::Draft => &["test_group.yaml", "testdata.yaml"],
            Self::Modern => &["test_group.yaml"],
        }
    }

    /// The name of that file in other versions, which is a mistake here.
    pub(super) fn foreign_config_name(self) -> Option<&'static str> {
        match self {
            Self::Legacy => Some("test_group.yaml"),
            Self::Draft => None,
            Self::Modern => Some("testdata.yaml"),
        }
    }
}

impl Handed {
    /// Reads what a directory says over what was handed down to it.
    pub(super) fn below(&self, package: &mut Package, format: Format, dir: &str) -> Self {
        if let Some(name) = format.foreign_config_name().filter(|name| package.has_file(&format!("{dir}/{name}"))) {
            let hint = format!("name it `{}` and use the keys of this format", format.config_names()[0]);
            package.tell(&format!("{dir}/{name}"), "belongs to another version of the format", &hint);
        }
        let named = format.config_names().iter().map(|name| format!("{dir}/{name}"));
        let there: Vec<String> = named.filter(|path| package.has_file(path)).collect();
        let Some(path) = there.first() else { return self.clone() };
        if let Some(second) = there.get(1) {
            package.tell(second, format!("stands beside `{path}`, which says the same"), "keep one of them");
        }
        if package.has_constants && package.text(path).is_some_and(|text| text.contains("{{")) {
            package.tell(path, "constants are not supported", "write the value");
        }
        match format {
            Format::Legacy => self.test_data(package, path),
            Format::Draft | Format::Modern => self.configuration(package, path, format, Place::Group),
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
    pub(super) fn configuration(&self, package: &mut Package, path: &str, format: Format, place: Place) -> Self {
        let Some(read): Option<Read<Configuration>> = package.yaml(path) else { return self.clone() };
        for (key, why) in read.value.refused(format, place) {
            read.tell(package, Problem::new(key, why));
        }
        let is_text = matches!(read.value.output_validator_args, Some(OneOrMore::One(_)));
        if is_text && format == Format::Modern {
            read.tell(package, Problem::new("output_validator_args", "must be a list"));
        }
        Self {
            flags: read.value.flags().unwrap_or_else(|| self.flags.clone()),
            args: read.value.args.clone().unwrap_or_else(|| self.args.clone()),
            full_feedback: read.value.full_feedback.unwrap_or(self.full_feedback),
        }
    }
}
