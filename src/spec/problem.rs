//! What is wrong with a spec: all of it at once, each problem with its place and a way out.

use std::fmt;

use crate::error::{ErrorKind, ExecutionError};

/// Where in a file a problem stands, both counted from 1.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Position {
    /// The line, from 1.
    pub line: usize,
    /// The column in characters, from 1.
    pub column: usize,
}

/// What sort of problem it is, for callers that decide by it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum ProblemKind {
    /// The text has to change.
    #[default]
    Invalid,
    /// The text names a runtime that this build does not have; another build may.
    UnknownRuntime,
}

/// One thing that is wrong, where, and what to do about it.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Problem {
    /// What sort of problem it is.
    pub kind: ProblemKind,
    /// The path of the value as a reader writes it: `limits.wall_time`, `cases[3].args[0]`; empty for the whole.
    pub path: String,
    /// Where it stands in the text; absent when the value came from elsewhere.
    pub position: Option<Position>,
    /// What is wrong: a lower-case fragment.
    pub message: String,
    /// What to do about it.
    pub hint: Option<String>,
}

impl Problem {
    /// Makes a problem at a path.
    pub fn new(path: impl Into<String>, message: impl Into<String>) -> Self {
        Self { kind: ProblemKind::Invalid, path: path.into(), position: None, message: message.into(), hint: None }
    }

    /// Adds what to do about it.
    #[must_use]
    pub fn with_hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(Position { line, column }) = self.position {
            write!(f, "{line}:{column}: ")?;
        }
        if !self.path.is_empty() {
            write!(f, "{}: ", self.path)?;
        }
        f.write_str(&self.message)
    }
}

/// A spec that cannot be used, with every problem that it has.
#[derive(Clone, Debug, thiserror::Error)]
#[non_exhaustive]
pub enum SpecError {
    /// The spec has problems.
    #[error("{origin}: {}", list(.problems))]
    Invalid {
        /// Where the spec came from: a path, a built-in name, or `spec`.
        origin: String,
        /// What is wrong with it, in the order of the text. Never empty.
        problems: Vec<Problem>,
    },
}

fn list(problems: &[Problem]) -> String {
    match problems {
        [one] => one.to_string(),
        many => {
            let lines: String = many.iter().map(|problem| format!("\n  {problem}")).collect();
            format!("{} problems{lines}", many.len())
        }
    }
}

impl SpecError {
    /// Lists what is wrong.
    pub fn problems(&self) -> &[Problem] {
        match self {
            Self::Invalid { problems, .. } => problems,
        }
    }

    /// Says whether all that is wrong is a runtime that this build does not have.
    pub fn is_unknown_runtime(&self) -> bool {
        self.problems().iter().all(|problem| problem.kind == ProblemKind::UnknownRuntime)
    }
}

impl From<SpecError> for ExecutionError {
    fn from(error: SpecError) -> Self {
        let hints: Vec<String> = error.problems().iter().filter_map(|problem| problem.hint.clone()).collect();
        let wrapped = Self::new(ErrorKind::Spec, error);
        if hints.is_empty() { wrapped } else { wrapped.with_hint(hints.join("\n")) }
    }
}
