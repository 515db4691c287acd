//! Files of a package that are read as YAML: strictly, with the place of every mistake.

use std::sync::Arc;

use cap_std::fs::Dir;
use schemars::JsonSchema;
use serde::de::DeserializeOwned;
use serde_json::Value;

use crate::evaluate::load::Problems;
use crate::spec::{Checked, Positions, Problem, TextBounds, read_checked};

/// A package that is being read.
pub(super) struct Package {
    /// Its directory; nothing above it is reachable.
    pub(super) base: Arc<Dir>,
    pub(super) problems: Problems,
    pub(super) warnings: Vec<String>,
    /// Whether texts of it may hold names of constants.
    pub(super) has_constants: bool,
}

/// A file of YAML that was read.
pub(super) struct Read<T> {
    pub(super) value: T,
    positions: Positions,
    origin: String,
}

impl<T> Read<T> {
    /// Tells a problem of the file, with its place.
    pub(super) fn tell(&self, package: &mut Package, mut problem: Problem) {
        problem.position = self.positions.of(&problem.path);
        package.problems.add(&self.origin, &problem);
    }
}

impl Package {
    pub(super) fn new(base: Arc<Dir>) -> Self {
        Self { base, problems: Problems::default(), warnings: Vec::new(), has_constants: false }
    }

    /// Tells a problem of a whole file.
    pub(super) fn tell(&mut self, path: &str, message: impl Into<String>, hint: &str) {
        let problem = Problem::new("", message);
        self.problems.add(path, &if hint.is_empty() { problem } else { problem.with_hint(hint) });
    }

    /// Says that something is accepted and does not do what its author may think; once.
    pub(super) fn warn(&mut self, text: impl Into<String>) {
        let text = text.into();
        if !self.warnings.contains(&text) {
            self.warnings.push(text);
        }
    }

    /// Says whether a directory is there.
    pub(super) fn has_dir(&self, path: &str) -> bool {
        self.base.metadata(path).is_ok_and(|meta| meta.is_dir())
    }

    /// Says whether a directory is there and holds anything.
    pub(super) fn has_entries(&self, path: &str) -> bool {
        self.base.read_dir(path).is_ok_and(|mut entries| entries.next().is_some())
    }

    /// Says whether a regular file is there.
    pub(super) fn has_file(&self, path: &str) -> bool {
        self.base.metadata(path).is_ok_and(|meta| meta.is_file())
    }

    /// Reads a text of a modest size.
    pub(super) fn text(&mut self, path: &str) -> Option<String> {
        let read = || {
            let size = self.base.metadata(path)?.len();
            if size > TextBounds::SMALL.text as u64 {
                return Err(std::io::Error::other(format!("is longer than {} bytes", TextBounds::SMALL.text)));
            }
            self.base.read_to_string(path)
        };
        match read() {
            Ok(text) => Some(text),
            Err(error) => {
                self.tell(path, format!("cannot be read: {error}"), "");
                None
            }
        }
    }

    /// Reads a file of YAML as a type; an empty one is an empty map.
    pub(super) fn yaml<T: DeserializeOwned + JsonSchema>(&mut self, path: &str) -> Option<Read<T>> {
        let text = self.text(path)?;
        let schema = schemars::schema_for!(T).to_value();
        let Checked { mut value, positions, problems } = match read_checked(&text, schema, TextBounds::SMALL) {
            Ok(checked) => checked,
            Err(problem) => {
                self.problems.add(path, &problem);
                return None;
            }
        };
        // What has the wrong shape is told and left out, so that the rest is looked at all the same.
        for problem in &problems {
            self.problems.add(path, problem);
            leave_out(&mut value, &problem.path);
        }
        match serde_json::from_value(value) {
            Ok(value) => Some(Read { value, positions, origin: path.to_owned() }),
            Err(_) if !problems.is_empty() => None,
            Err(error) => {
                self.tell(path, error.to_string(), "");
                None
            }
        }
    }
}

/// Takes out of a value what stands at a path of plain keys.
fn leave_out(value: &mut Value, path: &str) {
    let (parent, key) = match path.rsplit_once('.') {
        Some((parent, key)) => (format!("/{}", parent.replace('.', "/")), key),
        None => (String::new(), path),
    };
    if let Some(map) = value.pointer_mut(&parent).and_then(Value::as_object_mut) {
        map.remove(key);
    }
}
