//! `problem.yaml` of the legacy format and its ICPC subset.
//!
//! Source: the problem package format, versions `legacy` and `legacy-icpc`.

use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::Value;

use super::file::{Package, Read};
use super::limits::PackageLimits;
use super::open::{Asked, Validation};
use super::timing;
use crate::spec::Problem;

/// `problem.yaml` as written. What judges nothing is taken as it is.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
struct LegacyProblem {
    #[serde(rename = "problem_format_version")]
    _version: Option<String>,
    #[serde(rename = "type")]
    ty: Option<String>,
    name: Option<Value>,
    limits: PackageLimits,
    validation: Option<String>,
    validator_flags: Option<String>,
    #[serde(rename = "uuid")]
    _uuid: Option<Value>,
    #[serde(rename = "author")]
    _author: Option<Value>,
    #[serde(rename = "source")]
    _source: Option<Value>,
    #[serde(rename = "source_url")]
    _source_url: Option<Value>,
    #[serde(rename = "license")]
    _license: Option<Value>,
    #[serde(rename = "rights_owner")]
    _rights_owner: Option<Value>,
    #[serde(rename = "grading")]
    _grading: Option<Value>,
    #[serde(rename = "keywords")]
    _keywords: Option<Value>,
    /// Of earlier states of the format.
    #[serde(rename = "languages")]
    _languages: Option<Value>,
    #[serde(rename = "libraries")]
    _libraries: Option<Value>,
}

/// The limits that the format does not have.
const NOT_HERE: [&str; 4] = ["time_limit", "time_multipliers", "time_resolution", "validation_passes"];

pub(super) fn read(package: &mut Package) -> Option<Asked> {
    let read: Read<LegacyProblem> = package.yaml("problem.yaml")?;
    match read.value.ty.as_deref() {
        None | Some("pass-fail") => {}
        Some("scoring") => {
            let problem = Problem::new("type", "is `scoring`: problems that give a score are not supported");
            read.tell(package, problem.with_hint("write them as cases.yaml, with points and groups"));
        }
        Some(other) => {
            read.tell(package, Problem::new("type", format!("must be `pass-fail` or `scoring`, not `{other}`")));
        }
    }
    read.value.limits.refuse(&NOT_HERE, &read, package);
    let time = timing::time_limit(package);
    let limits = read.value.limits.ready(&read, time, package);
    let validation = validation(&read, package);
    let flags = read.value.validator_flags.as_deref().unwrap_or_default();
    let flags = flags.split_whitespace().map(str::to_owned).collect();
    let name = read.value.name.as_ref().and_then(Value::as_str).map(str::to_owned);
    Some(Asked { name, limits, validation, flags })
}

fn validation(read: &Read<LegacyProblem>, package: &mut Package) -> Validation {
    let text = read.value.validation.as_deref().unwrap_or("default");
    let mut words = text.split_whitespace();
    let validation = match words.next() {
        Some("default") => Validation::Default,
        Some("custom") => Validation::Custom,
        Some(_) | None => {
            read.tell(
                package,
                Problem::new("validation", format!("must begin with `default` or `custom`, not `{text}`")),
            );
            return Validation::Default;
        }
    };
    for word in words {
        let message = match (word, validation) {
            ("interactive", Validation::Custom) => {
                "asks for `interactive`: interactive problems are not supported".to_owned()
            }
            ("score", Validation::Custom) => {
                "asks for `score`: problems that give a score are not supported".to_owned()
            }
            (_, Validation::Custom) => format!("has an unknown word `{word}`"),
            (_, Validation::Default) => format!("has `{word}` behind `default`"),
        };
        read.tell(package, Problem::new("validation", message));
    }
    validation
}
