//! What a kind must be to be registered: a name that specs can hold, and schemas that refuse unknown keys.

use serde_json::Value;

use crate::error::{ErrorKind, ExecutionError};

/// The keys beside which a section stands, sorted.
const KEYS_OF_EVERY_SPEC: [&str; 8] =
    ["commands", "compile", "environment", "limits", "name", "setup", "snapshot", "type"];

/// Refuses a name that is a key of every spec already, or would need quotes in one.
pub(super) fn check_name(ty: &str) -> Result<(), ExecutionError> {
    let is_plain = ty.starts_with(|c: char| c.is_ascii_lowercase())
        && ty.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || matches!(c, '-' | '_'));
    let is_taken = KEYS_OF_EVERY_SPEC.contains(&ty);
    if is_plain && !is_taken {
        return Ok(());
    }
    let message = format!("a runtime cannot be called `{}`", ty.escape_default());
    Err(ExecutionError::new(ErrorKind::Bug, message)
        .with_hint("use lower-case letters, digits, `-` and `_`, and no key that every spec has"))
}

/// Refuses a section or options whose schema takes keys that it does not name, at the top or anywhere within.
pub(super) fn check_closed(ty: &str, what: &str, schema: &Value) -> Result<(), ExecutionError> {
    let is_map = schema.get("type").is_some_and(|ty| ty == "object");
    let is_closed = schema.get("additionalProperties") == Some(&Value::Bool(false));
    if is_map && is_closed && !is_open(schema) {
        return Ok(());
    }
    let message = format!("the {what} of the runtime `{ty}` would accept unknown keys");
    Err(ExecutionError::new(ErrorKind::Bug, message)
        .with_hint("put `#[serde(deny_unknown_fields)]` on the type, which is a struct, and on all within it"))
}

/// Says whether a schema takes a map with keys that it does not name.
fn is_open(schema: &Value) -> bool {
    let Some(keywords) = schema.as_object() else { return false };
    let is_named = keywords.contains_key("properties");
    let is_closed = |keyword| keywords.get(keyword) == Some(&Value::Bool(false));
    // The second is what a type with flattened fields says.
    if is_named && !is_closed("additionalProperties") && !is_closed("unevaluatedProperties") {
        return true;
    }
    keywords.iter().any(|(keyword, value)| match keyword.as_str() {
        "properties" | "patternProperties" | "$defs" => value.as_object().is_some_and(|map| map.values().any(is_open)),
        "anyOf" | "oneOf" | "allOf" | "prefixItems" => value.as_array().is_some_and(|all| all.iter().any(is_open)),
        "items" | "additionalProperties" => is_open(value),
        _ => false,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::spec::{self, Problem, Section, SectionTypes};

    /// No section types: what every spec has.
    struct NoTypes;

    impl SectionTypes for NoTypes {
        fn names(&self) -> Vec<&str> {
            Vec::new()
        }

        fn schema(&self, _: &str) -> Option<Value> {
            None
        }

        fn parse(&self, _: &str, _: Option<&Value>) -> Result<std::sync::Arc<dyn Section>, Vec<Problem>> {
            Err(Vec::new())
        }
    }

    #[test]
    fn the_keys_of_every_spec_are_no_names() {
        let schema = spec::schema(&NoTypes);
        let mut keys: Vec<&str> = schema["properties"].as_object().unwrap().keys().map(String::as_str).collect();
        keys.sort_unstable();
        assert_eq!(keys, KEYS_OF_EVERY_SPEC);
        assert!(check_name("limits").is_err() && check_name("").is_err() && check_name("a.b").is_err());
        check_name("fire-cracker_2").unwrap();
    }
}
