//! The JSON Schema of a whole spec, generated from the types, with the sections of every known type.

use std::sync::OnceLock;

use schemars::generate::SchemaSettings;
use serde_json::{Map, Value, json};

use super::SectionTypes;
use super::wire::Wire;

/// Gives the JSON Schema (draft 2020-12) of a spec with the sections of all known types.
pub fn schema(types: &dyn SectionTypes) -> Value {
    let names = types.names();
    let mut schema = compose(names.iter().filter_map(|ty| Some((*ty, types.schema(ty)?))));
    schema["properties"]["type"]["enum"] = json!(names);
    // Exactly the section that the type names, and all that this section needs.
    let rules: Vec<Value> = names
        .iter()
        .map(|ty| {
            let others = names.iter().filter(|other| other != &ty);
            let absent: Map<String, Value> = others.map(|other| ((*other).to_owned(), false.into())).collect();
            let required = if needs_section(&schema, ty) { vec![*ty] } else { vec![] };
            json!({
                "if": { "properties": { "type": { "const": ty } }, "required": ["type"] },
                "then": { "properties": absent, "required": required },
            })
        })
        .collect();
    if !rules.is_empty() {
        schema["allOf"] = rules.into();
    }
    schema
}

fn needs_section(schema: &Value, ty: &str) -> bool {
    schema["properties"][ty]["required"].as_array().is_some_and(|keys| !keys.is_empty())
}

/// Gives the schema of a spec with the given sections as optional keys.
pub(super) fn compose<'a>(sections: impl IntoIterator<Item = (&'a str, Value)>) -> Value {
    let mut schema = base().clone();
    let mut definitions = Map::new();
    for (ty, mut section) in sections {
        let moved = section.as_object_mut().and_then(|map| {
            map.remove("$schema");
            map.remove("$defs")
        });
        rebase(&mut section, ty);
        if let Some(Value::Object(moved)) = moved {
            definitions.extend(moved.into_iter().map(|(name, mut definition)| {
                rebase(&mut definition, ty);
                (format!("{ty}.{name}"), definition)
            }));
        }
        schema["properties"][ty] = section;
    }
    if !definitions.is_empty() {
        schema["$defs"] = definitions.into();
    }
    schema
}

fn base() -> &'static Value {
    static BASE: OnceLock<Value> = OnceLock::new();
    BASE.get_or_init(|| {
        let settings = SchemaSettings::draft2020_12().with(|settings| settings.inline_subschemas = true);
        settings.into_generator().into_root_schema_for::<Wire>().to_value()
    })
}

/// Points references of a section's own schema at where its definitions stand now.
fn rebase(schema: &mut Value, ty: &str) {
    match schema {
        Value::Object(map) => {
            for (key, value) in map {
                rebase(value, ty);
                let name = value.as_str().filter(|_| key == "$ref").and_then(|target| target.strip_prefix("#/$defs/"));
                if let Some(name) = name {
                    *value = format!("#/$defs/{ty}.{name}").into();
                }
            }
        }
        Value::Array(values) => values.iter_mut().for_each(|value| rebase(value, ty)),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
}
