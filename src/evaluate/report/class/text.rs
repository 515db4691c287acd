//! The class as JSON, and as a page for people.

use std::io::Write;

use super::super::kind::unwritten;
use super::super::markdown::cell;
use crate::error::ExecutionError;
use crate::evaluate::{Audience, ClassReport, ClassResults};

/// Writes the class as one object.
pub(in crate::evaluate::report) fn write(
    results: &ClassResults,
    audience: Audience,
    out: &mut dyn Write,
) -> Result<(), ExecutionError> {
    serde_json::to_writer(&mut *out, &ClassReport::new(results, audience)).map_err(unwritten)?;
    writeln!(out).map_err(unwritten)
}

/// Writes the class as a head and a line a submission.
pub(in crate::evaluate::report) fn write_lines(
    results: &ClassResults,
    audience: Audience,
    out: &mut dyn Write,
) -> Result<(), ExecutionError> {
    let mut head = ClassReport::new(results, audience);
    let rows = std::mem::take(&mut head.submissions);
    serde_json::to_writer(&mut *out, &head).map_err(unwritten)?;
    writeln!(out).map_err(unwritten)?;
    for row in rows {
        serde_json::to_writer(&mut *out, &row).map_err(unwritten)?;
        writeln!(out).map_err(unwritten)?;
    }
    Ok(())
}

/// Writes the class as a page in Markdown.
pub(in crate::evaluate::report) fn write_page(
    results: &ClassResults,
    audience: Audience,
    out: &mut dyn Write,
) -> Result<(), ExecutionError> {
    let report = ClassReport::new(results, audience);
    let head = format!(
        "# {}\n\n{} of {} submissions passed, {:.1} s, runtime `{}`.\n\n\
         | submission | passed | points | verdicts | why |\n| --- | --- | --- | --- | --- |\n",
        cell(&report.suite),
        report.passed,
        report.total,
        report.seconds,
        report.runtime
    );
    out.write_all(head.as_bytes()).map_err(unwritten)?;
    for row in &report.submissions {
        let verdicts: Vec<String> =
            row.verdicts.iter().rev().map(|(verdict, count)| format!("{count} {verdict}")).collect();
        let points = row.score.map_or("–".to_owned(), |score| score.to_string());
        let line = format!(
            "| {} | {} | {points} of {} | {} | {} |\n",
            cell(&row.submission),
            if row.passed { "yes" } else { "no" },
            row.possible,
            verdicts.join(", "),
            cell(row.why.as_deref().unwrap_or_default())
        );
        out.write_all(line.as_bytes()).map_err(unwritten)?;
    }
    Ok(())
}
