//! What the submissions of a package promise: by their directories, and by `submissions/submissions.yaml`.
//!
//! Source: the problem package format, version `2025-09`, "Example submissions".

use std::collections::BTreeMap;

use serde_json::{Map, Value};

use super::file::{Package, Read};
use super::open::Format;
use crate::evaluate::{PathGlob, Promise, TimeBound, Verdict};
use crate::spec::Problem;

const FILE: &str = "submissions/submissions.yaml";

/// The verdicts that a rule names.
type Words = Option<&'static [Verdict]>;

/// What directories promise where the file says nothing else of them: what is permitted, and what is required.
const DIRECTORIES: [(&str, Words, Words); 6] = {
    use Verdict::{Ac, Rte, Tle, Wa};
    [
        ("accepted", Some(&[Ac]), None),
        ("rejected", None, Some(&[Rte, Tle, Wa])),
        ("wrong_answer", Some(&[Ac, Wa]), Some(&[Wa])),
        ("time_limit_exceeded", Some(&[Ac, Tle]), Some(&[Tle])),
        ("run_time_error", Some(&[Ac, Rte]), Some(&[Rte])),
        ("brute_force", Some(&[Ac, Rte, Tle]), Some(&[Rte, Tle])),
    ]
};

/// Reads what the submissions of a package promise; nothing in the legacy format, which says it by directories alone.
pub(super) fn read(package: &mut Package, format: Format) -> Vec<Promise> {
    if format == Format::Legacy {
        return Vec::new();
    }
    let of_directory = |(name, permitted, required): (&str, Words, Words)| {
        let mut promise = Promise::new(PathGlob::new(name).ok()?);
        (promise.permitted, promise.required) = (permitted.map(<[_]>::to_vec), required.map(<[_]>::to_vec));
        // What is slow by intent bounds no limit.
        promise.bound = if name == "brute_force" { TimeBound::No } else { TimeBound::ByVerdicts };
        Some(promise)
    };
    let mut promises: Vec<Promise> = DIRECTORIES.into_iter().filter_map(of_directory).collect();
    if !package.has_file(FILE) {
        return promises;
    }
    let Some(read): Option<Read<BTreeMap<String, Map<String, Value>>>> = package.yaml(FILE) else { return promises };
    for (glob, rules) in &read.value {
        let Some(solutions) = path_glob(glob, glob, &read, package) else { continue };
        // A directory's own name replaces what it promised, key by key; every other glob promises more.
        let known = promises.iter().position(|promise| promise.cases.is_none() && promise.solutions.as_str() == glob);
        let mut promise = match known {
            Some(index) => promises.remove(index),
            None => Promise::new(solutions.clone()),
        };
        for (key, value) in rules {
            match value {
                Value::Object(inner) if !is_rule(key) => {
                    promises.extend(of_cases(&solutions, (glob, key), inner, &read, package));
                }
                Value::Null
                | Value::Bool(_)
                | Value::Number(_)
                | Value::String(_)
                | Value::Array(_)
                | Value::Object(_) => {
                    rule(&mut promise, (glob, key), value, &read, package);
                }
            }
        }
        promises.push(promise);
    }
    promises
}

type Globs = BTreeMap<String, Map<String, Value>>;

/// Reads what a glob says of some of the cases alone.
fn of_cases(
    solutions: &PathGlob,
    (glob, cases): (&str, &str),
    rules: &Map<String, Value>,
    read: &Read<Globs>,
    package: &mut Package,
) -> Option<Promise> {
    let mut promise = Promise::new(solutions.clone());
    promise.cases = Some(path_glob(cases, &format!("{glob}.{cases}"), read, package)?);
    for (key, value) in rules {
        rule(&mut promise, (&format!("{glob}.{cases}"), key), value, read, package);
    }
    Some(promise)
}

/// The keys of a rule; any other names cases.
fn is_rule(key: &str) -> bool {
    [
        "language",
        "entrypoint",
        "authors",
        "model_solution",
        "permitted",
        "required",
        "score",
        "message",
        "use_for_time_limit",
    ]
    .contains(&key)
}

fn rule(promise: &mut Promise, (place, key): (&str, &str), value: &Value, read: &Read<Globs>, package: &mut Package) {
    let told = |message: &str| Problem::new(format!("{place}.{key}"), message.to_owned());
    let of_all = promise.cases.is_none();
    match key {
        "permitted" | "required" => match verdicts(value) {
            Some(words) if key == "permitted" => promise.permitted = Some(words),
            Some(words) => promise.required = Some(words),
            None => read.tell(package, told("must be a list of AC, WA, TLE and RTE")),
        },
        "use_for_time_limit" => match value {
            Value::Bool(false) => promise.bound = TimeBound::No,
            Value::Bool(true) => promise.bound = TimeBound::ByVerdicts,
            Value::String(word) if word == "lower" => promise.bound = TimeBound::Lower,
            Value::String(word) if word == "upper" => promise.bound = TimeBound::Upper,
            Value::Null | Value::Number(_) | Value::String(_) | Value::Array(_) | Value::Object(_) => {
                read.tell(package, told("must be true, false, `lower` or `upper`"));
            }
        },
        "score" => read.tell(package, told("is not supported: it is of problems that give a score")),
        "message" => package.warn(format!("{FILE}: `message` is not checked")),
        "language" | "entrypoint" if of_all => {
            package.warn(format!("{FILE}: `{key}` is not used: the spec says what starts a submission"));
        }
        "authors" if of_all => {}
        "model_solution" if of_all && value.is_boolean() => {}
        "model_solution" if of_all => read.tell(package, told("must be true or false")),
        _ => read.tell(package, told("is not a known key")),
    }
}

fn verdicts(value: &Value) -> Option<Vec<Verdict>> {
    let of = |value: &Value| match value.as_str()? {
        "AC" => Some(Verdict::Ac),
        "WA" => Some(Verdict::Wa),
        "TLE" => Some(Verdict::Tle),
        "RTE" => Some(Verdict::Rte),
        _ => None,
    };
    value.as_array()?.iter().map(of).collect()
}

fn path_glob(text: &str, place: &str, read: &Read<Globs>, package: &mut Package) -> Option<PathGlob> {
    match PathGlob::new(text) {
        Ok(glob) => Some(glob),
        Err(why) => {
            read.tell(package, Problem::new(place, why));
            None
        }
    }
}
