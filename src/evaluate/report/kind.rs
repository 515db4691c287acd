//! The forms of a report.

use std::io::Write;

use super::{Audience, Results, class, csv, html, json, junit, markdown};
use crate::error::{ErrorKind, ExecutionError};
use crate::evaluate::ClassResults;

/// A form of report.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum ReportKind {
    /// One JSON object, versioned.
    Json,
    /// A header and a line a case, as the journal has them, in the order of the cases.
    Jsonl,
    /// JUnit XML, for tools that read test reports.
    Junit,
    /// A page for people.
    Markdown,
    /// A row a case.
    Csv,
    /// One page for a browser, with everything in it.
    Html,
}

impl ReportKind {
    /// All forms.
    pub const ALL: [Self; 6] = [Self::Json, Self::Jsonl, Self::Junit, Self::Markdown, Self::Csv, Self::Html];

    /// Gives the word used in flags.
    pub fn name(self) -> &'static str {
        match self {
            Self::Json => "json",
            Self::Jsonl => "jsonl",
            Self::Junit => "junit",
            Self::Markdown => "markdown",
            Self::Csv => "csv",
            Self::Html => "html",
        }
    }

    /// Says whether a whole class can be written in this form.
    pub fn is_for_classes(self) -> bool {
        !matches!(self, Self::Junit)
    }

    /// Writes the report of a class for an audience: a row a submission.
    ///
    /// # Errors
    /// A form that is not for classes, and a writer that fails.
    pub fn write_class(
        self,
        results: &ClassResults,
        audience: Audience,
        out: &mut dyn Write,
    ) -> Result<(), ExecutionError> {
        match self {
            Self::Json => class::json(results, audience, out),
            Self::Jsonl => class::jsonl(results, audience, out),
            Self::Markdown => class::markdown(results, audience, out),
            Self::Csv => class::csv(results, audience, out),
            Self::Html => html::write_class(results, audience, out),
            Self::Junit => Err(ExecutionError::new(ErrorKind::Spec, "a class cannot be written as JUnit XML")),
        }
    }

    /// Writes the report of a run for an audience.
    ///
    /// # Errors
    /// A journal that cannot be read, and a writer that fails.
    pub fn write(self, results: &Results, audience: Audience, out: &mut dyn Write) -> Result<(), ExecutionError> {
        match self {
            Self::Json => json::write(results, audience, out),
            Self::Jsonl => json::write_lines(results, audience, out),
            Self::Junit => junit::write(results, audience, out),
            Self::Markdown => markdown::write(results, audience, out),
            Self::Csv => csv::write(results, audience, out),
            Self::Html => html::write(results, audience, out),
        }
    }
}

/// Makes trouble with writing a report an error.
pub(super) fn unwritten(error: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> ExecutionError {
    ExecutionError::new(ErrorKind::Workspace, error).with_hint("the verdicts are in the journal, if there is one")
}
