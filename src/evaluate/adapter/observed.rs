//! What an adapter saw in one step: facts, not yet judged.

use std::sync::Arc;

use bytes::Bytes;

use crate::evaluate::{Evidence, Verdict};
use crate::runtime::RuntimeResult;

/// What was seen in one step.
#[derive(Clone, Debug, Default)]
#[non_exhaustive]
pub struct Observed {
    /// What was run or asked, as reports show it.
    pub command: String,
    /// What the command did; absent where the step was a request to a server that lives on.
    pub result: Option<Arc<RuntimeResult>>,
    /// The status with which a server answered.
    pub status: Option<u16>,
    /// What the step's expectations are held against.
    pub parts: Vec<(Part, Seen)>,
    /// What only the adapter knows: a server that gave no answer.
    pub facts: Vec<(Verdict, Evidence)>,
    /// How long the step took where there is no result, in seconds.
    pub seconds: Option<f64>,
}

/// A part of what a submission gave, on which something may be expected.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Part {
    /// Standard output.
    Stdout,
    /// Standard error.
    Stderr,
    /// A file of the workspace, by the path that the case writes.
    File(String),
    /// A header field of an answer, by its name in lower case.
    Header(String),
    /// The body of an answer.
    Body,
}

/// What was seen of one part.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Seen {
    /// Its bytes, all of them.
    Bytes(Bytes),
    /// There is no such part.
    Missing,
    /// It is there, and cannot be looked at: why, a lower-case fragment.
    Unusable(String),
}

impl Part {
    /// Gives the name used in reports: `stdout`, `files.out.json`.
    pub fn name(&self) -> String {
        match self {
            Self::Stdout => "stdout".to_owned(),
            Self::Stderr => "stderr".to_owned(),
            Self::File(path) => format!("files.{path}"),
            Self::Header(name) => format!("headers.{name}"),
            Self::Body => "body".to_owned(),
        }
    }
}
