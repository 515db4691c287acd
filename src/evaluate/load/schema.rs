//! The JSON Schema of case files, generated from the types, with the sections of every registered adapter.

use serde_json::{Value, json};

use super::wire::{CaseWire, CasesWire};
use crate::evaluate::AdapterRegistry;

/// Gives the JSON Schema of `cases.yaml`.
pub fn cases_schema(adapters: &AdapterRegistry) -> Value {
    let mut schema = schemars::schema_for!(CasesWire).to_value();
    for adapter in adapters.iter() {
        schema["properties"][adapter.name()] = inline(adapter.schema());
    }
    schema["properties"]["adapter"]["enum"] =
        json!(adapters.names().into_iter().map(Some).chain([None]).collect::<Vec<_>>());
    schema
}

/// Gives the JSON Schema of `case.yaml`, which holds one case.
pub(super) fn case_schema() -> Value {
    schemars::schema_for!(CaseWire).to_value()
}

fn inline(mut section: Value) -> Value {
    if let Some(map) = section.as_object_mut() {
        map.remove("$schema");
    }
    section
}
