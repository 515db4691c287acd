//! `{{static:name}}`: how texts, bytes and structures name an asset wherever the guest sees it.
//!
//! `{{{{static:` stands for `{{static:` itself. Everything that is not a whole placeholder stays as it is.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Map, Value};

use crate::error::{ErrorKind, ExecutionError};
use crate::spec::suggest;

const OPEN: &[u8] = b"{{static:";
const CLOSE: &[u8] = b"}}";
const ESCAPE: &[u8] = b"{{";

/// A placeholder that names nothing, or makes two keys one.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum PlaceholderError {
    /// No asset has the name.
    #[error("`{{{{static:{name}}}}}` names no asset")]
    Unknown {
        /// The name.
        name: String,
        /// The names that there are, sorted.
        known: Vec<String>,
    },
    /// The name is that of a group of assets, which has no path.
    #[error("`{{{{static:{name}}}}}` names a group: only assets have paths")]
    Group {
        /// The name.
        name: String,
        /// The names of assets that there are, sorted.
        known: Vec<String>,
    },
    /// Several things are wrong with one structure.
    #[error("{} placeholders cannot be resolved{}", problems.len(), list(problems))]
    Several {
        /// What, in the order of the structure. At least two.
        problems: Vec<PlaceholderError>,
    },
    /// Two keys of a map are one after their placeholders were resolved.
    #[error("two keys of a map become `{key}`")]
    Collision {
        /// The key that they become.
        key: String,
    },
}

impl PlaceholderError {
    /// Says what to do about it.
    pub fn hint(&self) -> String {
        match self {
            Self::Unknown { known, .. } | Self::Group { known, .. } if known.is_empty() => {
                "there are no assets; {{{{static: writes the braces".into()
            }
            Self::Several { problems } => problems.first().map(Self::hint).unwrap_or_default(),
            Self::Unknown { name, known } | Self::Group { name, known } => {
                suggest::hint(name, known.iter().map(String::as_str))
            }
            Self::Collision { .. } => "give one of them another key".into(),
        }
    }
}

impl From<PlaceholderError> for ExecutionError {
    fn from(error: PlaceholderError) -> Self {
        let hint = error.hint();
        Self::new(ErrorKind::Asset, error).with_hint(hint)
    }
}

/// What each name stands for, on the runtime that reads the result.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Placeholders {
    paths: BTreeMap<String, String>,
    /// Names of groups, told apart from names that are nothing.
    groups: BTreeSet<String>,
}

fn list(problems: &[PlaceholderError]) -> String {
    problems.iter().map(|problem| format!("\n  {problem}")).collect()
}

fn all<T>(value: T, mut problems: Vec<PlaceholderError>) -> Result<T, PlaceholderError> {
    match problems.len() {
        0 => Ok(value),
        1 => Err(problems.remove(0)),
        _ => Err(PlaceholderError::Several { problems }),
    }
}

impl FromIterator<(String, String)> for Placeholders {
    fn from_iter<I: IntoIterator<Item = (String, String)>>(paths: I) -> Self {
        Self { paths: paths.into_iter().collect(), groups: BTreeSet::new() }
    }
}

impl Placeholders {
    /// Adds the names of groups of assets, which placeholders must not name.
    pub(crate) fn with_groups(mut self, groups: impl IntoIterator<Item = String>) -> Self {
        self.groups.extend(groups);
        self
    }

    /// Resolves the placeholders of a text. What is put in is not looked at again.
    ///
    /// # Errors
    /// Every name that is no asset's.
    pub fn resolve_str(&self, text: &str) -> Result<String, PlaceholderError> {
        let mut problems = Vec::new();
        let resolved = self.text(text, &mut problems);
        all(resolved, problems)
    }

    /// Resolves the placeholders of bytes, whatever else they are.
    ///
    /// # Errors
    /// Every name that is no asset's.
    pub fn resolve_bytes(&self, bytes: &[u8]) -> Result<Vec<u8>, PlaceholderError> {
        let mut problems = Vec::new();
        let resolved = self.bytes(bytes, &mut problems);
        all(resolved, problems)
    }

    /// Resolves the placeholders of a structure: texts, lists, maps and their keys. Other values stay.
    ///
    /// # Errors
    /// Every name that is no asset's, and every two keys of one map that become the same.
    pub fn resolve_value(&self, value: &Value) -> Result<Value, PlaceholderError> {
        let mut problems = Vec::new();
        let resolved = self.value(value, &mut problems);
        all(resolved, problems)
    }

    fn text(&self, text: &str, problems: &mut Vec<PlaceholderError>) -> String {
        // Braces are cut where characters end and paths are texts, so nothing is ever replaced.
        String::from_utf8_lossy(&self.bytes(text.as_bytes(), problems)).into_owned()
    }

    fn bytes(&self, mut rest: &[u8], problems: &mut Vec<PlaceholderError>) -> Vec<u8> {
        let mut out = Vec::with_capacity(rest.len());
        while let Some(at) = find(rest, OPEN) {
            let (before, after) = (&rest[..at], &rest[at + OPEN.len()..]);
            rest = after;
            if let Some(kept) = before.strip_suffix(ESCAPE) {
                out.extend_from_slice(kept);
                out.extend_from_slice(OPEN);
                continue;
            }
            out.extend_from_slice(before);
            let end = after.iter().position(|byte| *byte == b'}').unwrap_or(after.len());
            match after[end..].strip_prefix(CLOSE) {
                Some(behind) if end > 0 => {
                    match self.path(&after[..end]) {
                        Ok(path) => out.extend_from_slice(path.as_bytes()),
                        Err(problem) => problems.push(problem),
                    }
                    rest = behind;
                }
                _ => out.extend_from_slice(OPEN),
            }
        }
        out.extend_from_slice(rest);
        out
    }

    fn value(&self, value: &Value, problems: &mut Vec<PlaceholderError>) -> Value {
        match value {
            Value::String(text) => self.text(text, problems).into(),
            Value::Array(values) => values.iter().map(|value| self.value(value, problems)).collect::<Vec<_>>().into(),
            Value::Object(map) => {
                let mut resolved = Map::new();
                for (key, value) in map {
                    let key = self.text(key, problems);
                    let value = self.value(value, problems);
                    if resolved.contains_key(&key) {
                        problems.push(PlaceholderError::Collision { key });
                    } else {
                        resolved.insert(key, value);
                    }
                }
                resolved.into()
            }
            Value::Null | Value::Bool(_) | Value::Number(_) => value.clone(),
        }
    }

    /// Says whether anything in the bytes begins like a placeholder.
    pub(crate) fn stand_in(&self, bytes: &[u8]) -> bool {
        let mut rest = bytes;
        // Braces are rare: the search for the first one is what takes the time.
        while let Some(at) = rest.iter().position(|byte| *byte == OPEN[0]) {
            rest = &rest[at..];
            if rest.starts_with(OPEN) {
                return true;
            }
            rest = &rest[1..];
        }
        false
    }

    fn path(&self, name: &[u8]) -> Result<&str, PlaceholderError> {
        let text = std::str::from_utf8(name).ok();
        if let Some(path) = text.and_then(|name| self.paths.get(name)) {
            return Ok(path);
        }
        let known = self.paths.keys().cloned().collect();
        let is_group = text.is_some_and(|name| self.groups.contains(name));
        let name = String::from_utf8_lossy(name).into_owned();
        Err(if is_group { PlaceholderError::Group { name, known } } else { PlaceholderError::Unknown { name, known } })
    }
}

fn find(text: &[u8], part: &[u8]) -> Option<usize> {
    text.windows(part.len()).position(|window| window == part)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use serde_json::json;

    fn known() -> Placeholders {
        let paths = [("data", "/static/d/x.csv"), ("my asset", "/static/y"), ("loop", "{{static:data}}")];
        paths.into_iter().map(|(name, path)| (name.to_owned(), path.to_owned())).collect()
    }

    #[test]
    fn the_grammar_is_that_of_the_reference() {
        for (text, resolved) in [
            ("--in={{static:data}}", "--in=/static/d/x.csv"),
            ("{{static:data}}{{static:my asset}}", "/static/d/x.csv/static/y"),
            ("{{{static:data}}}", "{/static/d/x.csv}"),
            ("{{static:loop}}", "{{static:data}}"),
            ("{{ static:data }}", "{{ static:data }}"),
            ("{{static:}}", "{{static:}}"),
            ("{{static:data}", "{{static:data}"),
            ("{{static:data} }{{static:data}}", "{{static:data} }/static/d/x.csv"),
            ("{{STATIC:data}}", "{{STATIC:data}}"),
            ("{{static:", "{{static:"),
            ("{{{{static:data}}", "{{static:data}}"),
            ("{{{{{static:data}}", "{{{static:data}}"),
            ("é{{static:data}}é", "é/static/d/x.csvé"),
        ] {
            assert_eq!(known().resolve_str(text).as_deref(), Ok(resolved), "{text}");
        }
        assert_eq!(known().resolve_bytes(b"\xff{{static:data}}").unwrap(), b"\xff/static/d/x.csv");
    }

    #[test]
    fn an_unknown_name_lists_the_known_ones() {
        let error = known().resolve_str("{{static:date}}").unwrap_err();
        assert_eq!(error.to_string(), "`{{static:date}}` names no asset");
        assert_eq!(error.hint(), "did you mean `data`?");
        let error = ExecutionError::from(known().resolve_str("{{static:banana}}").unwrap_err());
        assert_eq!((error.kind(), error.hint()), (ErrorKind::Asset, Some("known: data, loop, my asset")));
    }

    #[test]
    fn structures_are_resolved_throughout() {
        let value = json!({"{{static:data}}": ["{{static:data}}", {"k": "x{{static:my asset}}"}, 7, null, true]});
        let resolved = json!({"/static/d/x.csv": ["/static/d/x.csv", {"k": "x/static/y"}, 7, null, true]});
        assert_eq!(known().resolve_value(&value).unwrap(), resolved);
        let value = json!({"{{static:data}}": 1, "/static/d/x.csv": 2});
        let key = "/static/d/x.csv".to_owned();
        assert_eq!(known().resolve_value(&value), Err(PlaceholderError::Collision { key }));
    }

    proptest! {
        #[test]
        fn escaping_gives_any_text_back(parts in proptest::collection::vec(
            prop_oneof![Just("{{static:".to_owned()), Just("{".to_owned()), Just("}}".to_owned()), "\\PC{0,3}"], 0..8)) {
            let text = parts.concat();
            let escaped = text.replace("{{static:", "{{{{static:");
            prop_assert_eq!(known().resolve_str(&escaped).unwrap(), text);
        }
    }
}
