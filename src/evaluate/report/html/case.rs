//! One case that was not accepted: its facts, and how what came differs from what was expected.

use std::fmt::Write as _;

use imara_diff::{Algorithm, BasicLineDiffPrinter, Diff, InternedInput, UnifiedDiffConfig};

use super::super::{CaseRecord, StepRecord, StreamRecord};
use super::page::text;
use crate::evaluate::{Evidence, Fact};

/// The most characters of a text that are shown.
const MOST: usize = 4_000;

/// Tells of a case.
pub(super) fn details(record: &CaseRecord) -> String {
    let verdict = record.verdict;
    let mut page = format!(
        "<details id=\"case-{}\"><summary><span class=\"v {verdict}\">{verdict}</span> {}</summary><div class=\"inner\">\n",
        record.index,
        text(&record.id)
    );
    record.facts.iter().for_each(|fact| page += &of_fact(fact));
    for step in &record.steps {
        page += &of_step(step);
    }
    page + "</div></details>\n"
}

fn of_fact(fact: &Fact) -> String {
    let mut page = format!("<p>{}</p>\n", text(&fact.to_string()));
    if let Evidence::Mismatch { difference: Some(difference), check, .. } = &fact.evidence {
        let _ = writeln!(page, "<p class=\"dim\">checked by {}</p>", text(check));
        for (name, side, tag) in [("expected", &difference.expected, "ins"), ("got", &difference.actual, "del")] {
            if let Some(side) = side {
                let _ = writeln!(page, "<pre aria-label=\"{name}\"><{tag}>{name}: {}</{tag}></pre>", text(side));
            }
        }
    }
    page
}

fn of_step(step: &StepRecord) -> String {
    let mut page = String::new();
    if !step.command.is_empty() {
        let ending = step.ending.as_deref().map(|ending| format!(": {}", text(ending))).unwrap_or_default();
        let _ = writeln!(page, "<p><code>{}</code>{ending}</p>", text(&step.command));
    }
    let named = [("input", &step.input), ("stdout", &step.stdout), ("stderr", &step.stderr), ("body", &step.body)];
    for (name, stream) in named {
        let Some(stream) = stream.as_ref().filter(|stream| stream.bytes > 0) else { continue };
        let _ = write!(page, "<p class=\"dim\">{name}, {} bytes</p>{}", stream.bytes, block(stream));
    }
    for expected in &step.expected {
        let Some(content) = &expected.content else { continue };
        let got = match expected.what.as_str() {
            "stdout" => step.stdout.as_ref(),
            "stderr" => step.stderr.as_ref(),
            "body" => step.body.as_ref(),
            _ => None,
        };
        let (what, check) = (text(&expected.what), text(&expected.check));
        let _ = match got {
            Some(got) => write!(page, "<p class=\"dim\">{what}: expected (+) and got (−)</p>{}", diff(content, got)),
            None => write!(page, "<p class=\"dim\">expected {what} ({check})</p>{}", block(content)),
        };
    }
    page
}

/// Shows a text, cut, with what is missing.
pub(super) fn block(stream: &StreamRecord) -> String {
    let (shown, is_cut) = cut(stream);
    let more = if is_cut { format!("<p class=\"dim\">… {} bytes in all</p>\n", stream.bytes) } else { String::new() };
    format!("<pre tabindex=\"0\">{}</pre>\n{more}", text(&shown))
}

fn cut(stream: &StreamRecord) -> (String, bool) {
    let shown = stream.shown();
    match shown.char_indices().nth(MOST) {
        Some((at, _)) => (shown[..at].to_owned(), true),
        None => (shown, stream.omitted.is_some()),
    }
}

/// Shows line by line how what came differs: what is only expected, what only came, and what is in both.
fn diff(expected: &StreamRecord, got: &StreamRecord) -> String {
    let ((wanted, wanted_cut), (came, came_cut)) = (cut(expected), cut(got));
    let whole = |text: String| if text.is_empty() || text.ends_with('\n') { text } else { text + "\n" };
    let (wanted, came) = (whole(wanted), whole(came));
    let input = InternedInput::new(came.as_str(), wanted.as_str());
    let diff = Diff::compute(Algorithm::Histogram, &input);
    let printer = BasicLineDiffPrinter(&input.interner);
    let unified = diff.unified_diff(&printer, UnifiedDiffConfig::default(), &input);
    let mut page = String::from("<pre tabindex=\"0\" aria-label=\"difference\">");
    for line in unified.to_string().lines() {
        let shown = text(line);
        let _ = match line.as_bytes().first() {
            Some(b'+') => write!(page, "<ins>{shown}</ins>"),
            Some(b'-') => write!(page, "<del>{shown}</del>"),
            Some(_) | None => writeln!(page, "{shown}"),
        };
    }
    page += "</pre>\n";
    if wanted_cut || came_cut {
        page += "<p class=\"dim\">only the beginning is compared here</p>\n";
    }
    page
}
