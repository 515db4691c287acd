//! What is expected of a step.

use std::collections::BTreeMap;

use super::Data;
use crate::evaluate::check::Check;

/// What is expected of a step. Starts with exit code 0, and anything else allowed.
#[derive(Clone, Debug, Default)]
#[non_exhaustive]
pub struct Expect {
    /// The exit codes that are accepted. Default: 0.
    pub exit_code: ExitCodes,
    /// What standard output must be. Default: anything.
    pub stdout: Option<Expectation>,
    /// What standard error must be. Default: anything.
    pub stderr: Option<Expectation>,
    /// What files of the workspace must be, by path.
    pub files: BTreeMap<String, Expectation>,
    /// The status codes that a server may answer with. Default: 200 to 299.
    pub status: StatusCodes,
    /// What header fields of an answer must be, by name in lower case.
    pub headers: BTreeMap<String, Expectation>,
    /// What the body of an answer must be. Default: anything.
    pub body: Option<Expectation>,
}

/// What one stream or file must be: a checker, and what it compares with.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Expectation {
    /// How it is looked at.
    pub check: Check,
    /// What it is compared with; absent where the checker carries it or needs none.
    pub expected: Option<Data>,
}

impl Expectation {
    /// Expects something by a checker.
    pub fn new(check: Check, expected: Option<Data>) -> Self {
        Self { check, expected }
    }
}

/// The exit codes that are accepted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ExitCodes {
    /// Any, as long as the submission ended by itself.
    Any,
    /// One of these.
    OneOf(Vec<i32>),
}

/// The status codes that are accepted.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum StatusCodes {
    /// 200 to 299.
    #[default]
    Success,
    /// Any.
    Any,
    /// One of these.
    OneOf(Vec<u16>),
}

impl Default for ExitCodes {
    fn default() -> Self {
        Self::OneOf(vec![0])
    }
}

impl ExitCodes {
    /// Says whether a code is accepted.
    pub fn accepts(&self, code: i32) -> bool {
        match self {
            Self::Any => true,
            Self::OneOf(codes) => codes.contains(&code),
        }
    }
}

impl StatusCodes {
    /// Says whether a status is accepted.
    pub fn accepts(&self, status: u16) -> bool {
        match self {
            Self::Success => (200..300).contains(&status),
            Self::Any => true,
            Self::OneOf(codes) => codes.contains(&status),
        }
    }
}
