//! Values put over a spec from outside: `--set PATH=VALUE`, typed by the schema.

use serde_json::{Map, Value};

use super::path::{self, Step};
use super::structure::Checker;
use super::{LimitName, LimitsConfig, Problem, suggest, tree};

/// Settings, sorted into limits and the rest.
#[derive(Debug)]
pub(super) struct Settings {
    pub(super) limits: LimitsConfig,
    rest: Vec<(Vec<Step>, String)>,
}

/// Reads settings; what cannot be read is told.
pub(super) fn parse(settings: &[(String, String)], problems: &mut Vec<Problem>) -> Settings {
    let mut parsed = Settings { limits: LimitsConfig::default(), rest: Vec::new() };
    for (at, text) in settings {
        let steps = path::read(at).filter(|steps| !steps.is_empty());
        let result = match steps.as_deref() {
            None => Err(Problem::new(at, "is not a path").with_hint("write it as limits.wall_time or env[\"A.B\"]")),
            Some([Step::Key(limits), Step::Key(name)]) if limits == "limits" => {
                set_limit(&mut parsed.limits, name, text)
            }
            Some(_) => {
                parsed.rest.push((steps.unwrap_or_default(), text.clone()));
                Ok(())
            }
        };
        problems.extend(result.err());
    }
    parsed
}

fn set_limit(limits: &mut LimitsConfig, name: &str, text: &str) -> Result<(), Problem> {
    if let Some(name) = LimitName::ALL.into_iter().find(|limit| limit.name() == name) {
        return limits.set_text(name, text);
    }
    let at = format!("limits.{name}");
    let policy = |at: String| move |_| Problem::new(at, format!("`{text}` is not one of its values"));
    match name {
        "output_overflow" => {
            let value = serde_json::from_value(text.into());
            limits.output_overflow = Some(value.map_err(policy(at)).map_err(|p| p.with_hint("known: stop, truncate"))?);
        }
        "on_unsupported" => {
            let value = serde_json::from_value(text.into());
            limits.on_unsupported =
                Some(value.map_err(policy(at)).map_err(|p| p.with_hint("known: refuse, best_effort"))?);
        }
        _ => {
            let known = LimitName::ALL.map(LimitName::name).into_iter().chain(["output_overflow", "on_unsupported"]);
            return Err(Problem::new(at, "is not a known key").with_hint(suggest::hint(name, known)));
        }
    }
    Ok(())
}

impl Settings {
    /// Puts the setting of the type, if there is one: the schema of the rest depends on it.
    pub(super) fn put_type(&self, value: &mut Value) {
        for (steps, text) in &self.rest {
            if matches!(steps.as_slice(), [Step::Key(key)] if key == "type") {
                value["type"] = text.as_str().into();
            }
        }
    }

    /// Puts the rest into the value and gives the paths that were written.
    pub(super) fn put(&self, value: &mut Value, checker: &Checker) -> Vec<String> {
        let mut written = Vec::new();
        for (steps, text) in &self.rest {
            let at = path::write(steps);
            let typed = tree::read(text).map(|tree| tree.value).unwrap_or_else(|_| text.as_str().into());
            place(value, steps, typed);
            // What reads as a number or a list may be meant as a text: `--set environment.env.N=1`.
            if fails_at(checker, value, &at) {
                let mut other = value.clone();
                place(&mut other, steps, text.as_str().into());
                if !fails_at(checker, &other, &at) {
                    *value = other;
                }
            }
            written.push(at);
        }
        written
    }
}

fn fails_at(checker: &Checker, value: &Value, at: &str) -> bool {
    checker.findings(value).iter().any(|finding| path::is_within(&finding.problem.path, at))
}

/// Puts a value at a path, making the maps on the way.
fn place(root: &mut Value, steps: &[Step], value: Value) {
    let mut here = root;
    for step in steps {
        match step {
            Step::Key(key) => {
                if !here.is_object() {
                    *here = Map::new().into();
                }
                here = &mut here[key.as_str()];
            }
            Step::Index(index) => {
                if !here.is_array() {
                    *here = Vec::<Value>::new().into();
                }
                let Value::Array(items) = here else { return };
                // One past the end adds; further off would leave holes, so it adds as well.
                let index = (*index).min(items.len());
                if index == items.len() {
                    items.push(Value::Null);
                }
                here = &mut items[index];
            }
        }
    }
    *here = value;
}
