//! A checker, ready to use: everything that a file may have said wrongly is behind it.

use std::sync::Arc;

use regex::bytes::Regex;

use super::json::Values;
use super::schema::Schema;
use super::table::Table;
use super::text::{Case, last_lines};
use super::tokens::Rule;
use super::validator::DefaultValidator;
use super::{CheckName, Mismatch, ProgramCheck};
use super::{contains, exact, lines, pattern, tokens, trimmed};

/// A checker, ready to use.
#[derive(Clone, Debug)]
pub enum Check {
    /// One that compares, here and now.
    Compare(Comparison),
    /// One that is a program, which the evaluation runs.
    Program(Arc<ProgramCheck>),
}

/// A checker that compares what came with what was expected.
#[derive(Clone, Debug)]
pub struct Comparison {
    pub(super) method: Method,
    pub(super) case: Case,
    /// How many lines at the end of what came are looked at.
    pub(super) last: Option<u64>,
}

/// How what came is looked at.
#[derive(Clone, Debug)]
pub(super) enum Method {
    Exact,
    Trimmed,
    Words(CheckName, Rule),
    Lines,
    Contains,
    Regex(Regex),
    Values(CheckName, Box<Values>),
    Schema(Schema),
    Table(Table),
    Exists,
    Absent,
    DefaultValidator(DefaultValidator),
}

impl Default for Check {
    /// The default checker, `trimmed`.
    fn default() -> Self {
        Self::Compare(Comparison::new(Method::Trimmed))
    }
}

impl Check {
    /// Gives the name used in files and reports.
    pub fn name(&self) -> &'static str {
        match self {
            Self::Compare(comparison) => comparison.name(),
            Self::Program(_) => CheckName::Program.name(),
        }
    }
}

impl Comparison {
    pub(super) fn new(method: Method) -> Self {
        Self { method, case: Case::Matters, last: None }
    }

    /// Makes the default validator of problem packages.
    pub fn of_validator(validator: DefaultValidator) -> Self {
        Self::new(Method::DefaultValidator(validator))
    }

    /// Gives the name used in files and reports.
    pub fn name(&self) -> &'static str {
        match &self.method {
            Method::Exact => CheckName::Exact.name(),
            Method::Trimmed => CheckName::Trimmed.name(),
            Method::Words(name, _) | Method::Values(name, _) => name.name(),
            Method::Lines => CheckName::Lines.name(),
            Method::Contains => CheckName::Contains.name(),
            Method::Regex(_) => CheckName::Regex.name(),
            Method::Schema(_) => CheckName::JsonSchema.name(),
            Method::Table(_) => CheckName::Csv.name(),
            Method::Exists => CheckName::Exists.name(),
            Method::Absent => CheckName::Absent.name(),
            Method::DefaultValidator(_) => "default_validator",
        }
    }

    /// Says why a text cannot be what is expected; none when it can.
    pub fn fault_of(&self, expected: &[u8]) -> Option<String> {
        match &self.method {
            Method::Values(_, values) if values.expected.is_none() => values.fault_of(expected),
            Method::Table(table) => table.fault_of(expected),
            Method::Contains if expected.iter().all(|byte| matches!(byte, b'\n' | b'\r')) => {
                Some("is empty, which every output holds".to_owned())
            }
            Method::Exact
            | Method::Trimmed
            | Method::Words(..)
            | Method::Lines
            | Method::Contains
            | Method::Regex(_)
            | Method::Values(..)
            | Method::Schema(_)
            | Method::Exists
            | Method::Absent
            | Method::DefaultValidator(_) => None,
        }
    }

    /// Compares what came with what was expected.
    ///
    /// `actual` is none where there is no such file; `expected` is empty where the checker has it or needs none.
    /// Takes time linear in both, whatever they hold.
    ///
    /// # Errors
    /// The first difference.
    pub fn compare(&self, expected: &[u8], actual: Option<&[u8]>) -> Result<(), Mismatch> {
        let actual = match (&self.method, actual) {
            (Method::Absent, None) | (Method::Exists, Some(_)) => return Ok(()),
            (Method::Absent, Some(_)) => return Err(Mismatch::new("is there, and should not be")),
            (_, None) => return Err(Mismatch::missing()),
            (_, Some(actual)) => actual,
        };
        let actual = self.last.map_or(actual, |count| last_lines(actual, count));
        match &self.method {
            Method::Exact => exact::compare(self.case, expected, actual),
            Method::Trimmed => trimmed::compare(self.case, expected, actual),
            Method::Words(_, rule) => tokens::compare(*rule, self.case, expected, actual),
            Method::Lines => lines::compare(self.case, expected, actual),
            Method::Contains => contains::compare(self.case, expected, actual),
            Method::Regex(regex) => pattern::compare(regex, actual),
            Method::Values(_, values) => values.compare(expected, actual),
            Method::Schema(schema) => schema.compare(actual),
            Method::Table(table) => table.compare(expected, actual),
            Method::DefaultValidator(validator) => validator.compare(expected, actual),
            Method::Exists | Method::Absent => Ok(()),
        }
    }
}
