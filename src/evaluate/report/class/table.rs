//! The class as a table: a row a submission, a column a verdict, a column a group.

use std::io::Write;

use super::super::csv::plain;
use super::super::kind::unwritten;
use crate::error::ExecutionError;
use crate::evaluate::{Audience, ClassResults, ClassRow, Verdict};

/// Writes the table.
pub(in crate::evaluate::report) fn write(
    results: &ClassResults,
    audience: Audience,
    out: &mut dyn Write,
) -> Result<(), ExecutionError> {
    let rows = results.view(audience);
    let mut groups: Vec<&str> = Vec::new();
    for group in rows.iter().flat_map(|row| &row.groups) {
        if !groups.contains(&group.name.as_str()) {
            groups.push(&group.name);
        }
    }
    let mut table = csv::Writer::from_writer(out);
    let fixed = ["submission", "passed", "score", "possible", "cases"].map(str::to_owned);
    let verdicts = Verdict::ALL.iter().rev().map(|verdict| verdict.name().to_owned());
    let by_group = groups.iter().map(|group| format!("group {group}"));
    let last = ["seconds", "why"].map(str::to_owned);
    table.write_record(fixed.into_iter().chain(verdicts).chain(by_group).chain(last)).map_err(unwritten)?;
    for row in &rows {
        table.write_record(cells(row, &groups)).map_err(unwritten)?;
    }
    table.flush().map_err(unwritten)
}

fn cells(row: &ClassRow, groups: &[&str]) -> Vec<String> {
    let number = |number: Option<f64>| number.map(|number| number.to_string()).unwrap_or_default();
    let mut cells = vec![
        plain(&row.submission),
        row.passed.to_string(),
        number(row.score),
        row.possible.to_string(),
        row.cases.to_string(),
    ];
    cells.extend(Verdict::ALL.iter().rev().map(|verdict| row.count(*verdict).to_string()));
    let score = |name: &&str| row.groups.iter().find(|group| group.name == *name).and_then(|group| group.score);
    cells.extend(groups.iter().map(|name| number(score(name))));
    cells.extend([format!("{:.3}", row.seconds), plain(row.why.as_deref().unwrap_or_default())]);
    cells
}
