//! A class: a row a submission, with plots of points and times.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::io::Write;

use super::super::kind::unwritten;
use super::page::{columns, filters, foot, head, tally, text};
use super::plot::{Bar, MOST_BARS, draw};
use crate::error::ExecutionError;
use crate::evaluate::{Audience, ClassReport, ClassResults, ClassRow, Verdict};

/// Writes the page.
pub(in crate::evaluate::report) fn write(
    results: &ClassResults,
    audience: Audience,
    out: &mut dyn Write,
) -> Result<(), ExecutionError> {
    let report = ClassReport::new(results, audience);
    let mut put = |text: &str| out.write_all(text.as_bytes()).map_err(unwritten);
    put(&beginning(&report))?;
    let rows = &report.submissions;
    let bars = |value: &dyn Fn(&ClassRow) -> Option<f64>| -> Vec<Bar> {
        let bar = |row: &ClassRow| Bar { name: row.submission.clone(), value: value(row), is_marked: !row.passed };
        rows.iter().take(MOST_BARS).map(bar).collect()
    };
    put(&draw("Points of each submission", &bars(&|row| row.score), &|points| format!("{points} points")))?;
    put(&draw("Time of each submission", &bars(&|row| Some(row.seconds)), &|seconds| format!("{seconds:.1} s")))?;
    put("<h2>Submissions</h2>\n")?;
    put(&filters(&[("p", "Passed", &["yes", "no", "no score"])]))?;
    put("<div class=\"wide\"><table class=\"class\">")?;
    put(&columns(&["Submission", "Passed", "#Points", "Verdicts", "#Time", "Why"]))?;
    put("<tbody>\n")?;
    for row in rows {
        put(&line(row))?;
    }
    put("</tbody></table></div>\n")?;
    put(&foot())
}

fn beginning(report: &ClassReport) -> String {
    let mut verdicts: BTreeMap<Verdict, usize> = BTreeMap::new();
    for (verdict, count) in report.submissions.iter().flat_map(|row| &row.verdicts) {
        *verdicts.entry(*verdict).or_default() += count;
    }
    let mut page = head(&report.suite);
    let _ = write!(
        page,
        "<h1>{}</h1>\n<p><strong>{} of {}</strong> submissions passed</p>\n\
         <p class=\"dim\">runtime {}, {:.1} s</p>\n<ul class=\"tally\">{}</ul>\n",
        text(&report.suite),
        report.passed,
        report.total,
        text(&report.runtime),
        report.seconds,
        tally(verdicts.iter().rev())
    );
    if report.interrupted {
        page += "<p class=\"v\">The run ended before all submissions were judged.</p>\n";
    }
    page
}

fn line(row: &ClassRow) -> String {
    let name = text(&row.submission);
    let name = match &row.page {
        Some(page) => format!("<a href=\"{}\">{name}</a>", text(page)),
        None => format!("<span>{name}</span>"),
    };
    let (state, class) = match (row.passed, row.is_complete()) {
        (true, _) => ("yes", "yes"),
        (false, true) => ("no", "v"),
        (false, false) => ("no score", "v IE"),
    };
    let verdicts: Vec<String> = row
        .verdicts
        .iter()
        .rev()
        .map(|(verdict, count)| format!("{count}&nbsp;<span class=\"v {verdict}\">{verdict}</span>"))
        .collect();
    format!(
        "<tr data-p=\"{state}\"><td data-l=\"Submission\">{name}</td>\
         <td data-l=\"Passed\"><span class=\"{class}\">{state}</span></td>\
         <td class=\"n\" data-l=\"Points\"><span>{} of {}</span></td>\
         <td data-l=\"Verdicts\"><span>{}</span></td>\
         <td class=\"n\" data-l=\"Time\"><span>{:.2} s</span></td><td data-l=\"Why\"><span>{}</span></td></tr>\n",
        row.score.map_or("–".to_owned(), |score| score.to_string()),
        row.possible,
        verdicts.join(", "),
        row.seconds,
        text(row.why.as_deref().unwrap_or_default())
    )
}
