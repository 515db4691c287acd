//! What files write of a checker: its name, what is expected, its options. One shape for all of them.

use schemars::JsonSchema;
use serde::{Deserialize, Deserializer, Serialize};
use serde_json::Value;

use super::Protocol;
use crate::spec::LimitsConfig;

/// What is expected of a stream or a file, as files write it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(untagged)]
pub enum ExpectationConfig {
    /// The expected text, for the default checker; the word `any` alone expects nothing.
    Text(String),
    /// A checker with its options, and what it compares with.
    Map(Box<CheckConfig>),
}

/// The checkers.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
#[schemars(inline)]
pub enum CheckName {
    /// The same bytes.
    Exact,
    /// The same text: CRLF is LF, blanks at line ends and newlines at the end do not count.
    #[default]
    Trimmed,
    /// The same words in the same order, whatever stands between them.
    Tokens,
    /// The same words, where decimal numbers are compared by value, exactly and at any length.
    Numbers,
    /// The same words, where numbers may differ by a tolerance.
    Float,
    /// The same lines in any order.
    Lines,
    /// The expected text stands somewhere in it.
    Contains,
    /// A regular expression is found in it.
    Regex,
    /// The same JSON value, or one that holds it.
    Json,
    /// JSON that a schema accepts.
    JsonSchema,
    /// The same table.
    Csv,
    /// The same YAML value, or one that holds it.
    Yaml,
    /// The file is there.
    Exists,
    /// The file is not there.
    Absent,
    /// A program decides, in a sandbox of its own.
    Program,
}

/// A checker as files write it. Which options go with which checker is checked by [`CheckConfig::check`].
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
#[non_exhaustive]
pub struct CheckConfig {
    /// The checker. Default: that of the defaults, else `trimmed`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub check: Option<CheckName>,

    /// What is expected, as text.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub text: Option<String>,
    /// What is expected: a file beside the cases.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub file: Option<String>,
    /// What is expected, as bytes in base64.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub base64: Option<String>,
    /// `json`, `yaml`: the expected value.
    #[serde(skip_serializing_if = "Option::is_none", deserialize_with = "present")]
    pub equal: Option<Value>,
    /// `json`, `yaml`: a value that must be held: maps may have more keys.
    #[serde(skip_serializing_if = "Option::is_none", deserialize_with = "present")]
    pub subset: Option<Value>,
    /// `json_schema`: the schema.
    #[serde(skip_serializing_if = "Option::is_none", deserialize_with = "present")]
    pub schema: Option<Value>,

    /// Whether letters are the same in upper and lower case. Default: no.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ignore_case: Option<bool>,
    /// Only this many lines at the end of what came are looked at. Default: all.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 1))]
    pub last: Option<u64>,

    /// `float`, `json`, `csv`, `yaml`: how far a number may be off, as a part of the expected one.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 0.0))]
    pub relative: Option<f64>,
    /// `float`, `json`, `csv`, `yaml`: how far a number may be off.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 0.0))]
    pub absolute: Option<f64>,
    /// `float`, `json`, `csv`, `yaml`: `relative` and `absolute` at once; either suffices.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 0.0))]
    pub tolerance: Option<f64>,

    /// `json`, `yaml`: lists are the same in any order. `csv`: rows are. Default: no.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ignore_order: Option<bool>,
    /// `json`, `yaml`: paths that are not looked at: `meta.time`, `items[*].id`. `csv`: names of columns.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ignore: Option<Vec<String>>,
    /// `csv`: what separates cells, one character. Default: a comma.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub delimiter: Option<String>,
    /// `csv`: whether the first row names the columns, which may then stand in any order. Default: no.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub header: Option<bool>,

    /// `program`: the command: words, or a line that is split into words.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub command: Option<CommandText>,
    /// `program`: files and directories beside the cases that it is given, under their own names.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub files: Option<Vec<String>>,
    /// `program`: the command line that makes it runnable, once. Default: none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub compile: Option<CommandText>,
    /// `program`: how it is called and how it answers. Default: `exit`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub protocol: Option<Protocol>,
    /// `program`: its own limits. Default: those of its spec.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub limits: Option<LimitsConfig>,
    /// `program`: the environment spec that it runs in: a file beside the cases, or a name. Default: the submission's.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub spec: Option<String>,
}

/// A command as files write it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(untagged)]
#[schemars(inline)]
pub enum CommandText {
    /// A line, split as POSIX words; no shell reads it.
    Line(String),
    /// The words.
    Words(Vec<String>),
}

/// How far numbers may be off: either suffices.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Tolerances {
    /// As a part of the expected number.
    pub relative: f64,
    /// As a number.
    pub absolute: f64,
}

/// Keeps `null` apart from a key that is not there.
fn present<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Value>, D::Error> {
    Value::deserialize(deserializer).map(Some)
}

impl ExpectationConfig {
    /// Says whether nothing is expected: the word `any`.
    pub fn is_any(&self) -> bool {
        matches!(self, Self::Text(text) if text == "any")
    }

    /// Gives it as a map: a text is the expected text.
    pub fn into_config(self) -> CheckConfig {
        match self {
            Self::Text(text) => CheckConfig { text: Some(text), ..CheckConfig::default() },
            Self::Map(config) => *config,
        }
    }
}

impl CheckName {
    /// Gives the name used in files and reports.
    pub fn name(self) -> &'static str {
        match self {
            Self::Exact => "exact",
            Self::Trimmed => "trimmed",
            Self::Tokens => "tokens",
            Self::Numbers => "numbers",
            Self::Float => "float",
            Self::Lines => "lines",
            Self::Contains => "contains",
            Self::Regex => "regex",
            Self::Json => "json",
            Self::JsonSchema => "json_schema",
            Self::Csv => "csv",
            Self::Yaml => "yaml",
            Self::Exists => "exists",
            Self::Absent => "absent",
            Self::Program => "program",
        }
    }
}

impl CheckConfig {
    /// Puts this over the defaults of a file: one that names no checker is the default one with its options, over
    /// which its own stand; one that names a checker takes nothing of them.
    #[must_use]
    pub fn over(self, defaults: &Self) -> Self {
        if self.check.is_some() { self } else { self.filled_from(defaults) }
    }

    fn filled_from(mut self, defaults: &Self) -> Self {
        fn fill<T: Clone>(slot: &mut Option<T>, default: &Option<T>) {
            if slot.is_none() {
                slot.clone_from(default);
            }
        }
        // What is expected is never a default.
        fill(&mut self.check, &defaults.check);
        fill(&mut self.ignore_case, &defaults.ignore_case);
        fill(&mut self.last, &defaults.last);
        fill(&mut self.relative, &defaults.relative);
        fill(&mut self.absolute, &defaults.absolute);
        fill(&mut self.tolerance, &defaults.tolerance);
        fill(&mut self.ignore_order, &defaults.ignore_order);
        fill(&mut self.ignore, &defaults.ignore);
        fill(&mut self.delimiter, &defaults.delimiter);
        fill(&mut self.header, &defaults.header);
        fill(&mut self.schema, &defaults.schema);
        fill(&mut self.command, &defaults.command);
        fill(&mut self.files, &defaults.files);
        fill(&mut self.compile, &defaults.compile);
        fill(&mut self.protocol, &defaults.protocol);
        fill(&mut self.limits, &defaults.limits);
        fill(&mut self.spec, &defaults.spec);
        self
    }
}
