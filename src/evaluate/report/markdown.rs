//! The report as a page for people: the score, the groups, and what speaks against the submission.

use std::fmt::Write as _;
use std::io::Write;

use super::junit::sides;
use super::kind::unwritten;
use super::words::harmless_lines;
use super::{Audience, CaseRecord, Results, RunFacts, Score, SetupRecord, StreamRecord};
use crate::error::ExecutionError;
use crate::evaluate::{Evidence, Verdict};

/// The most cases that are told in detail.
const MOST_DETAILS: usize = 200;
/// The most characters of a text that are shown.
const MOST: usize = 1_000;

/// Writes the page.
pub(super) fn write(results: &Results, audience: Audience, out: &mut dyn Write) -> Result<(), ExecutionError> {
    let facts = audience.facts(results.facts());
    out.write_all(head(results, &facts).as_bytes()).map_err(unwritten)?;
    let failed = facts.compile.iter().chain(&facts.setup).filter(|one| one.exit_code != 0);
    for record in failed {
        out.write_all(setup(record).as_bytes()).map_err(unwritten)?;
    }
    writeln!(out, "\n## Cases\n\n| case | group | points | verdict | why |\n| --- | --- | --- | --- | --- |")
        .map_err(unwritten)?;
    for record in results.view(audience) {
        out.write_all(row(&record?).as_bytes()).map_err(unwritten)?;
    }
    let mut told = 0;
    for record in results.view(audience) {
        let record = record?;
        if record.verdict == Verdict::Ac || record.steps.is_empty() {
            continue;
        }
        told += 1;
        if told <= MOST_DETAILS {
            out.write_all(details(&record).as_bytes()).map_err(unwritten)?;
        }
    }
    if told > MOST_DETAILS {
        writeln!(out, "\n{} more cases are not told in detail.", told - MOST_DETAILS).map_err(unwritten)?;
    }
    Ok(())
}

fn head(results: &Results, facts: &RunFacts) -> String {
    let score = results.score();
    let mut text = format!("# {}: {}\n\n", cell(&facts.suite), cell(&facts.submission.name));
    let _ = writeln!(text, "**{}**, {}.", if score.passed { "Passed" } else { "Not passed" }, points(score));
    let _ = writeln!(
        text,
        "Policy `{}`, runtime `{}`, {:.1} s.",
        score.policy.name(),
        facts.runtime,
        results.elapsed().as_secs_f64()
    );
    if let Some(why) = &facts.refused {
        let _ = writeln!(text, "It never got to its cases: {}.", cell(why));
    }
    if !score.complete {
        let _ = writeln!(text, "Not every case was judged, so there is no score.");
    }
    let _ = writeln!(text, "\n| group | accepted | points |\n| --- | --- | --- |");
    for group in &score.groups {
        let earned = group.score.map_or("–".to_owned(), |score| score.to_string());
        let _ = writeln!(
            text,
            "| {} | {} of {} | {earned} of {} |",
            cell(&group.name),
            group.accepted,
            group.cases,
            group.possible
        );
    }
    text
}

fn points(score: &Score) -> String {
    let verdicts: Vec<String> =
        score.verdicts.iter().rev().map(|(verdict, count)| format!("{count} {verdict}")).collect();
    let earned = score.score.map_or("no score".to_owned(), |points| format!("{points} of {} points", score.possible));
    format!("{earned} ({})", verdicts.join(", "))
}

fn setup(record: &SetupRecord) -> String {
    let words = if record.stderr.bytes > 0 { &record.stderr } else { &record.stdout };
    format!("\n`{}`: {}\n\n{}", cell(&record.command), cell(&record.ending), block(words))
}

fn row(record: &CaseRecord) -> String {
    let earned = if record.verdict == Verdict::Ac { record.points } else { 0.0 };
    let why = record.facts.first().map(ToString::to_string).unwrap_or_default();
    let (id, group, points) = (cell(&record.id), cell(&record.group), record.points);
    format!("| {id} | {group} | {earned} of {points} | {} | {} |\n", record.verdict, cell(&why))
}

fn details(record: &CaseRecord) -> String {
    let mut text = format!("\n### {} — {}\n\n", cell(&record.id), record.verdict);
    for fact in &record.facts {
        let _ = writeln!(text, "- {}", cell(&fact.to_string()));
        for side in sides(&fact.evidence) {
            let _ = writeln!(text, "  - {}", cell(&side));
        }
        if let Evidence::Mismatch { check, .. } = &fact.evidence {
            let _ = writeln!(text, "  - checked by `{check}`");
        }
    }
    for step in &record.steps {
        let _ = writeln!(text, "\n`{}`", cell(&step.command).replace('`', "'"));
        let named = [("input", &step.input), ("stdout", &step.stdout), ("stderr", &step.stderr), ("body", &step.body)];
        for (name, stream) in named {
            if let Some(stream) = stream.as_ref().filter(|stream| stream.bytes > 0) {
                let _ = write!(text, "\n{name}, {} bytes:\n\n{}", stream.bytes, block(stream));
            }
        }
        for expected in step.expected.iter() {
            if let Some(content) = &expected.content {
                let _ =
                    write!(text, "\nexpected {} (`{}`):\n\n{}", cell(&expected.what), expected.check, block(content));
            }
        }
    }
    text
}

/// Puts text into a fence that it cannot end.
fn block(stream: &StreamRecord) -> String {
    let text = harmless_lines(&stream.shown());
    let cut = text.char_indices().nth(MOST).map_or(text.len(), |(cut, _)| cut);
    let text = &text[..cut];
    let longest = text.split(|sign| sign != '`').map(str::len).max().unwrap_or_default();
    let fence = "`".repeat(longest.max(2) + 1);
    format!("{fence}text\n{}\n{fence}\n", text.trim_end_matches('\n'))
}

/// Makes text fit into a line and a table, with nothing in it that Markdown or HTML reads.
pub(super) fn cell(text: &str) -> String {
    let mut safe = String::with_capacity(text.len());
    for sign in super::words::harmless(text).chars().take(MOST) {
        match sign {
            '<' => safe += "&lt;",
            '>' => safe += "&gt;",
            '&' => safe += "&amp;",
            '|' | '*' | '_' | '[' | ']' | '`' | '\\' | '#' | '!' | '~' => {
                safe.push('\\');
                safe.push(sign);
            }
            sign => safe.push(sign),
        }
    }
    safe
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_of_a_guest_ends_neither_its_fence_nor_its_cell() {
        let fenced = block(&StreamRecord::of(b"a\n````\n# AC\n", 100));
        assert!(fenced.starts_with("`````text\n") && fenced.ends_with("\n`````\n"), "{fenced}");
        assert_eq!(cell("a|b<img src=x>\n[x](y)"), "a\\|b&lt;img src=x&gt;\\\\n\\[x\\](y)");
    }
}
