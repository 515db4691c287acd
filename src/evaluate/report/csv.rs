//! The report as a table: a row a case.

use std::io::Write;

use super::kind::unwritten;
use super::{Audience, CaseRecord, Results, StepRecord};
use crate::error::ExecutionError;
use crate::evaluate::Verdict;

const HEADER: [&str; 10] =
    ["case", "group", "points", "possible", "verdict", "exit_code", "wall_seconds", "cpu_seconds", "peak_bytes", "why"];

/// Writes the table.
pub(super) fn write(results: &Results, audience: Audience, out: &mut dyn Write) -> Result<(), ExecutionError> {
    let mut table = csv::Writer::from_writer(out);
    table.write_record(HEADER).map_err(unwritten)?;
    for record in results.view(audience) {
        table.write_record(row(&record?)).map_err(unwritten)?;
    }
    table.flush().map_err(unwritten)
}

fn row(record: &CaseRecord) -> [String; 10] {
    let earned = if record.verdict == Verdict::Ac { record.points } else { 0.0 };
    let last = record.steps.last();
    let largest = |figure: &dyn Fn(&StepRecord) -> Option<f64>| {
        let figures = record.steps.iter().filter_map(figure);
        figures.reduce(f64::max).map(|figure| figure.to_string()).unwrap_or_default()
    };
    let sum = |figure: &dyn Fn(&StepRecord) -> Option<f64>| {
        let figures = record.steps.iter().filter_map(figure);
        figures.reduce(|sum, next| sum + next).map(|sum| format!("{sum:.6}")).unwrap_or_default()
    };
    #[expect(clippy::cast_precision_loss, reason = "a table for people; 9 PB are exact")]
    let peak = |step: &StepRecord| step.peak_memory.as_ref()?.size().map(|bytes| bytes as f64);
    [
        plain(&record.id),
        plain(&record.group),
        earned.to_string(),
        record.points.to_string(),
        record.verdict.name().to_owned(),
        last.and_then(|step| step.exit_code).map(|code| code.to_string()).unwrap_or_default(),
        sum(&|step| step.wall_time.as_ref()?.seconds()),
        sum(&|step| step.cpu_time.as_ref()?.seconds()),
        largest(&peak),
        plain(&record.facts.first().map(ToString::to_string).unwrap_or_default()),
    ]
}

/// Keeps a cell from being read as a formula by the programs that open tables.
pub(super) fn plain(text: &str) -> String {
    match text.starts_with(['=', '+', '-', '@', '\t', '\r']) {
        true => format!("'{text}"),
        false => text.to_owned(),
    }
}
