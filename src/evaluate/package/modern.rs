//! `problem.yaml` of version 2025-09, and of 2023-07, the draft that it was.
//!
//! Source: the problem package format, version `2025-09`.

use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::{Map, Value};

use super::file::{Package, Read};
use super::limits::PackageLimits;
use super::open::{Asked, Validation};
use crate::spec::Problem;

/// `problem.yaml` as written. What judges nothing is taken as it is.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
struct ModernProblem {
    #[serde(rename = "problem_format_version")]
    _version: Option<String>,
    #[serde(rename = "type")]
    ty: Option<OneOrMore>,
    name: Option<Value>,
    uuid: Option<Value>,
    limits: PackageLimits,
    constants: Map<String, Value>,
    #[serde(rename = "version")]
    _problem_version: Option<Value>,
    #[serde(rename = "credits")]
    _credits: Option<Value>,
    #[serde(rename = "source")]
    _source: Option<Value>,
    #[serde(rename = "license")]
    _license: Option<Value>,
    #[serde(rename = "rights_owner")]
    _rights_owner: Option<Value>,
    #[serde(rename = "embargo_until")]
    _embargo_until: Option<Value>,
    #[serde(rename = "keywords")]
    _keywords: Option<Value>,
    languages: Option<OneOrMore>,
    /// Guests may always write files of their own workspace.
    #[serde(rename = "allow_file_writing")]
    _allow_file_writing: Option<bool>,
}

/// A text, or a list of texts.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(untagged)]
#[schemars(inline)]
enum OneOrMore {
    One(String),
    More(Vec<String>),
}

impl OneOrMore {
    fn words(&self) -> &[String] {
        match self {
            Self::One(word) => std::slice::from_ref(word),
            Self::More(words) => words,
        }
    }
}

/// The limits that the format does not have.
const NOT_HERE: [&str; 2] = ["time_multiplier", "time_safety_margin"];

pub(super) fn read(package: &mut Package) -> Option<Asked> {
    let read: Read<ModernProblem> = package.yaml("problem.yaml")?;
    // A draft had the words in one text.
    for ty in read.value.ty.iter().flat_map(OneOrMore::words).flat_map(|ty| ty.split_whitespace()) {
        let message = match ty {
            "pass-fail" => continue,
            "scoring" | "multi-pass" | "interactive" | "submit-answer" => {
                format!("is `{ty}`: problems of this type are not supported")
            }
            _ => format!("`{ty}` is no type of problem"),
        };
        read.tell(package, Problem::new("type", message));
    }
    for (key, is_there) in [("name", read.value.name.is_some()), ("uuid", read.value.uuid.is_some())] {
        if !is_there {
            read.tell(package, Problem::new(key, "is missing").with_hint(format!("add `{key}`")));
        }
    }
    if read.value.languages.as_ref().is_some_and(|languages| languages.words() != ["all"]) {
        package.warn("`languages` of the package is not checked");
    }
    read.value.limits.refuse(&NOT_HERE, &read, package);
    let limits = read.value.limits.ready(&read, None, package);
    // A custom validator is asked for by being there.
    let validation = if package.has_dir("output_validator") { Validation::Custom } else { Validation::Default };
    let name = match &read.value.name {
        Some(Value::Object(names)) => names.get("en").or_else(|| names.values().next()).and_then(Value::as_str),
        name => name.as_ref().and_then(Value::as_str),
    };
    package.has_constants = !read.value.constants.is_empty();
    let name = name.map(str::to_owned);
    Some(Asked { name, limits, validation, flags: Vec::new() })
}
