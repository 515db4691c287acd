//! Files of other sorts than specs, read as strictly: every problem at once, each with its place.

use schemars::JsonSchema;
use serde::de::DeserializeOwned;
use serde_json::{Map, Value};

use super::structure::{Checker, Finding};
use super::tree::{self, Positions, Tree};
use super::{Problem, SpecError};

/// Reads a text as a type, with the places of its parts. An empty text is an empty map.
pub(crate) fn read_strict<T: DeserializeOwned + JsonSchema>(
    text: &str,
    origin: &str,
) -> Result<(T, Positions), SpecError> {
    let invalid = |problems| SpecError::Invalid { origin: origin.to_owned(), problems };
    let Tree { mut value, positions, duplicates } = tree::read(text).map_err(|problem| invalid(vec![problem]))?;
    if value.is_null() {
        value = Value::Object(Map::new());
    }
    let checker = Checker::new(schemars::schema_for!(T).to_value()).map_err(|problem| invalid(vec![problem]))?;
    let mut problems = duplicates;
    for Finding { mut problem, of_key, .. } in checker.findings(&value) {
        problem.position = if of_key { positions.of_key(&problem.path) } else { positions.of(&problem.path) };
        problems.push(problem);
    }
    if !problems.is_empty() {
        problems.sort_by_key(|problem| (problem.position.is_none(), problem.position));
        return Err(invalid(problems));
    }
    match serde_json::from_value(value) {
        Ok(read) => Ok((read, positions)),
        Err(error) => Err(invalid(vec![Problem::new("", error.to_string())])),
    }
}
