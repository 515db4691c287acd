//! `problem.yaml` of version 2025-09, and of 2023-07, the draft that it was.
//!
//! Source: the problem package format, version `2025-09`, and the states that `2023-07-draft` had before it.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::Value;

use super::file::{Package, Read};
use super::limits::PackageLimits;
use super::metadata::{Credits, Name, OneOrMore, Source, check_embargo, check_licence};
use super::open::{Asked, Format, Validation};
use super::timing;
use super::validator::{MODERN_VALIDATOR, has_draft_validators};
use crate::spec::Problem;

/// `problem.yaml` as written. What judges nothing is looked at for its form.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
struct ModernProblem {
    #[serde(rename = "problem_format_version")]
    _version: Option<String>,
    #[serde(rename = "type")]
    ty: Option<OneOrMore>,
    name: Option<Name>,
    uuid: Option<String>,
    limits: PackageLimits,
    constants: BTreeMap<String, Constant>,
    #[serde(rename = "version")]
    _problem_version: Option<String>,
    #[serde(rename = "credits")]
    _credits: Option<Credits>,
    #[serde(rename = "source")]
    _source: Option<Source>,
    license: Option<String>,
    #[serde(rename = "rights_owner")]
    _rights_owner: Option<String>,
    embargo_until: Option<String>,
    keywords: Option<OneOrMore>,
    languages: Option<OneOrMore>,
    /// Guests may always write files of their own workspace.
    #[serde(rename = "allow_file_writing")]
    _allow_file_writing: Option<bool>,
    /// Of the draft alone.
    author: Option<Value>,
    source_url: Option<String>,
    validation: Option<String>,
}

/// A value that texts of the package name: itself, or with other ways to write it.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(untagged)]
#[schemars(inline)]
#[expect(dead_code, reason = "packages whose texts name one are refused")]
enum Constant {
    Number(f64),
    Text(String),
    Variants(BTreeMap<String, NumberOrText>),
}

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(untagged)]
#[schemars(inline)]
#[expect(dead_code, reason = "packages whose texts name one are refused")]
enum NumberOrText {
    Number(f64),
    Text(String),
}

/// The limits that the format does not have.
const NOT_HERE: [&str; 2] = ["time_multiplier", "time_safety_margin"];

pub(super) fn read(package: &mut Package, format: Format) -> Option<Asked> {
    let read: Read<ModernProblem> = package.yaml("problem.yaml")?;
    types(&read, package, format);
    for (key, is_there) in [("name", read.value.name.is_some()), ("uuid", read.value.uuid.is_some())] {
        if !is_there {
            read.tell(package, Problem::new(key, "is missing").with_hint(format!("add `{key}`")));
        }
    }
    if format == Format::Modern {
        refuse_draft(&read, package);
    }
    check_licence(read.value.license.as_deref(), &read, package);
    check_embargo(read.value.embargo_until.as_deref(), &read, package);
    constants(&read, package);
    if read.value.languages.as_ref().is_some_and(|languages| languages.words() != ["all"]) {
        package.warn("`languages` of the package is not checked: the spec says what starts a submission");
    }
    read.value.limits.refuse(&NOT_HERE, &read, package);
    read.value.limits.check_passes(&read, package);
    let time = if read.value.limits.time_limit.is_some() { None } else { timing::time_limit(package) };
    let limits = read.value.limits.ready(&read, time, package);
    let validation = validation(&read, package, format);
    package.has_constants = !read.value.constants.is_empty();
    let name = read.value.name.as_ref().and_then(Name::english).map(str::to_owned);
    Some(Asked { name, limits, validation, flags: Vec::new() })
}

fn types(read: &Read<ModernProblem>, package: &mut Package, format: Format) {
    let Some(types) = &read.value.ty else { return };
    let mut seen = Vec::new();
    for ty in types.words() {
        // An early draft had the words in one text.
        let words: Vec<&str> = if format == Format::Draft { ty.split_whitespace().collect() } else { vec![ty] };
        for ty in words {
            if seen.contains(&ty) {
                read.tell(package, Problem::new("type", format!("names `{ty}` twice")));
            }
            seen.push(ty);
            let message = match ty {
                "pass-fail" => continue,
                "scoring" | "multi-pass" | "interactive" | "submit-answer" => {
                    format!("is `{ty}`: problems of this type are not supported")
                }
                _ => format!("`{}` is no type of problem", ty.escape_debug()),
            };
            read.tell(package, Problem::new("type", message));
        }
    }
    if seen.is_empty() {
        read.tell(package, Problem::new("type", "names no type"));
    }
}

/// Tells what the draft had and version 2025-09 has not.
fn refuse_draft(read: &Read<ModernProblem>, package: &mut Package) {
    for (key, is_there, instead) in [
        ("author", read.value.author.is_some(), "write `credits`"),
        ("source_url", read.value.source_url.is_some(), "write `source: {name: …, url: …}`"),
        ("validation", read.value.validation.is_some(), "a validator is asked for by `output_validator/`"),
    ] {
        if is_there {
            read.tell(package, Problem::new(key, "is not a known key").with_hint(instead));
        }
    }
    if matches!(read.value.keywords, Some(OneOrMore::One(_))) {
        read.tell(package, Problem::new("keywords", "must be a list"));
    }
}

fn constants(read: &Read<ModernProblem>, package: &mut Package) {
    for (name, constant) in &read.value.constants {
        let path = || format!("constants.{name}");
        let is_letter = |byte: u8| byte.is_ascii_alphabetic() || byte == b'_';
        let is_name = name.bytes().next().is_some_and(is_letter)
            && name.bytes().all(|byte| is_letter(byte) || byte.is_ascii_digit());
        if !is_name {
            read.tell(package, Problem::new(path(), "is no name of a constant: letters, digits and `_`"));
        }
        if matches!(constant, Constant::Variants(variants) if !variants.contains_key("value")) {
            read.tell(package, Problem::new(path(), "has no `value`"));
        }
    }
}

/// A validator is asked for by being there; an early draft asked for it by `validation`.
fn validation(read: &Read<ModernProblem>, package: &mut Package, format: Format) -> Validation {
    let is_there = package.has_dir(MODERN_VALIDATOR) || (format == Format::Draft && has_draft_validators(package));
    let by_presence = if is_there { Validation::Custom } else { Validation::Default };
    let Some(text) = read.value.validation.as_deref().filter(|_| format == Format::Draft) else { return by_presence };
    let mut words = text.split_whitespace();
    let asked = match words.next() {
        Some("default") => Validation::Default,
        Some("custom") => Validation::Custom,
        Some(_) | None => {
            let message = format!("must begin with `default` or `custom`, not `{}`", text.escape_debug());
            read.tell(package, Problem::new("validation", message));
            return by_presence;
        }
    };
    for word in words {
        let message = match word {
            "interactive" | "multi-pass" | "score" => format!("asks for `{word}`, which is not supported"),
            _ => format!("has an unknown word `{}`", word.escape_debug()),
        };
        read.tell(package, Problem::new("validation", message));
    }
    asked
}
