//! `spec check --explain`: every key with its value, where that came from and what it means.

use std::collections::BTreeMap;

use serde_json::Value;

use super::differences;
use crate::cli::app::App;
use crate::cli::json::{Amount, ExplainedKey, ExplainedSpec, InForce};
use crate::spec::{ByteSize, Loaded, Mode, Problem};

/// The most characters of a value that a line shows.
const SHOWN: usize = 60;

/// Explains a spec that was loaded.
///
/// # Errors
/// Limits that are no limits in this mode.
pub(super) fn explain(
    app: &App,
    loaded: &Loaded,
    (mode, settings): (Mode, &[(String, String)]),
) -> Result<ExplainedSpec, Vec<Problem>> {
    let schema = crate::spec::schema(&app.registry);
    let limits = InForce::all(&loaded.spec.resolve_limits(mode, &[])?);
    let mut keys = BTreeMap::new();
    collect("", &loaded.spec.to_value(), &schema, &mut keys);
    // What is in force is more than what is written.
    keys.retain(|path, _| path != "limits" && !path.starts_with("limits."));
    let is_set = |path: &str| settings.iter().any(|(at, _)| path == at || path.starts_with(&format!("{at}.")));
    let mut explained: Vec<ExplainedKey> = Vec::new();
    for (path, (value, means)) in keys {
        let written = loaded.positions.holds(&path);
        let from = if is_set(&path) {
            "flag"
        } else if written {
            "spec"
        } else {
            "default"
        };
        let line = loaded.positions.of_key(&path).filter(|_| from == "spec").map(|at| at.line);
        explained.push(ExplainedKey { path, value, from, line, means });
    }
    for (name, limit) in limits {
        let path = format!("limits.{name}");
        let means = describe(&schema["properties"]["limits"]["properties"][name], &schema).unwrap_or_default();
        let (value, from) = match limit {
            InForce::Limited { amount, from } => (write(amount), from),
            InForce::Unlimited { from, .. } => (Value::Null, from),
        };
        let line = loaded.positions.of_key(&path).filter(|_| from == "spec").map(|at| at.line);
        explained.push(ExplainedKey { path, value, from, line, means });
    }
    let differences = differences::of(&loaded.spec.ty, mode, &explained);
    Ok(ExplainedSpec { mode: mode.name(), keys: explained, differences })
}

/// Lists the keys below a value, each with what its schema says of it.
fn collect(path: &str, value: &Value, schema: &Value, keys: &mut BTreeMap<String, (Value, String)>) {
    fn walk(
        (path, means): (&str, &str),
        value: &Value,
        (here, root): (&Value, &Value),
        keys: &mut BTreeMap<String, (Value, String)>,
    ) {
        let here = resolved(here, root);
        let means = describe(here, root).unwrap_or_else(|| means.to_owned());
        match value.as_object().filter(|map| !map.is_empty()) {
            Some(map) => {
                for (key, value) in map {
                    let below = here.pointer(&format!("/properties/{key}")).unwrap_or(&here["additionalProperties"]);
                    walk((&crate::spec::join_key(path, key), &means), value, (below, root), keys);
                }
            }
            None => drop(keys.insert(path.to_owned(), (value.clone(), means))),
        }
    }
    walk((path, ""), value, (schema, schema), keys);
}

/// Follows a schema to where it says something: through a reference, or past the `null` that it may be instead.
fn resolved<'a>(here: &'a Value, root: &'a Value) -> &'a Value {
    let mut here = here;
    // A reference leads to a definition, and that to no other one more than a few times.
    for _ in 0..8 {
        let target = here["$ref"].as_str().and_then(|target| root.pointer(target.strip_prefix('#')?));
        let choices = here["anyOf"].as_array().filter(|_| here.get("properties").is_none());
        let choice = choices.and_then(|choices| choices.iter().find(|choice| choice["type"] != "null"));
        match target.or(choice) {
            Some(next) => here = next,
            None => return here,
        }
    }
    here
}

/// Gives what a schema says of its value: of the key first, else of the type.
fn describe(here: &Value, root: &Value) -> Option<String> {
    let text = here["description"].as_str().or_else(|| resolved(here, root)["description"].as_str())?;
    Some(text.split_whitespace().collect::<Vec<_>>().join(" "))
}

fn write(amount: Amount) -> Value {
    match amount {
        Amount::Seconds(seconds) => format!("{seconds}s").into(),
        Amount::Bytes(bytes) => ByteSize(bytes).to_string().into(),
        Amount::Count(count) => count.into(),
        Amount::Cores(cores) => cores.into(),
    }
}

/// Draws what is explained of one file.
pub(super) fn draw(spec: &ExplainedSpec) -> String {
    let mut text = format!("  in {} mode:\n", spec.mode);
    for key in &spec.keys {
        let value: String = key.value.to_string().chars().take(SHOWN).collect();
        let place = key.line.map(|line| format!(", line {line}")).unwrap_or_default();
        text += &format!("  {}: {value} ({}{place})\n    {}\n", key.path, key.from, key.means);
    }
    text += "  beside the reference system:\n";
    for row in &spec.differences {
        text += &format!("  {}\n    there: {}\n    here: {}\n", row.subject, row.reference, row.here);
    }
    text
}
