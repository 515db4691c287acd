//! Files of other sorts than specs, read as strictly: every problem at once, each with its place.

use schemars::JsonSchema;
use serde::de::DeserializeOwned;
use serde_json::{Map, Value};

use super::structure::{Checker, Finding};
use super::tree::{self, Positions, TextBounds, Tree};
use super::{Problem, SpecError};

/// A text that was read and held against a schema.
#[derive(Debug)]
pub(crate) struct Checked {
    /// What stands in the text.
    pub(crate) value: Value,
    /// Where its parts stand.
    pub(crate) positions: Positions,
    /// What is wrong with its shape, in the order of the text.
    pub(crate) problems: Vec<Problem>,
}

/// Reads a text and holds it against a schema. An empty text is an empty map.
///
/// # Errors
/// A text that cannot be read at all, and a schema that is none.
pub(crate) fn read_checked(text: &str, schema: Value, bounds: TextBounds) -> Result<Checked, Problem> {
    let Tree { mut value, positions, duplicates } = tree::read_within(text, bounds)?;
    if value.is_null() {
        value = Value::Object(Map::new());
    }
    let mut problems = duplicates;
    for Finding { mut problem, of_key, .. } in Checker::new(schema)?.findings(&value) {
        problem.position = if of_key { positions.of_key(&problem.path) } else { positions.of(&problem.path) };
        problems.push(problem);
    }
    problems.sort_by_key(|problem| (problem.position.is_none(), problem.position));
    Ok(Checked { value, positions, problems })
}

/// Reads a text as a type, with the places of its parts. An empty text is an empty map.
pub(crate) fn read_strict<T: DeserializeOwned + JsonSchema>(
    text: &str,
    origin: &str,
) -> Result<(T, Positions), SpecError> {
    let invalid = |problems| SpecError::Invalid { origin: origin.to_owned(), problems };
    let schema = schemars::schema_for!(T).to_value();
    let checked = read_checked(text, schema, TextBounds::SMALL).map_err(|problem| invalid(vec![problem]))?;
    let Checked { value, positions, problems } = checked;
    if !problems.is_empty() {
        return Err(invalid(problems));
    }
    match serde_json::from_value(value) {
        Ok(read) => Ok((read, positions)),
        Err(error) => Err(invalid(vec![Problem::new("", error.to_string())])),
    }
}
