//! One submission: the score, the groups, the plots, the table of cases, and what speaks against it.

use std::fmt::Write as _;
use std::io::Write;

use super::super::kind::unwritten;
use super::super::{Audience, CaseRecord, Measure, Results, RunFacts, SetupRecord, StepRecord};
use super::case;
use super::page::{bytes, columns, filters, foot, head, tally, text};
use super::plot::{Bar, MOST_BARS, draw};
use crate::error::ExecutionError;
use crate::evaluate::Verdict;

/// The most cases that the table lists.
const MOST_ROWS: usize = 20_000;
/// The most cases that are told in detail.
const MOST_DETAILS: usize = 500;

/// Writes the page.
pub(in crate::evaluate::report) fn write(
    results: &Results,
    audience: Audience,
    out: &mut dyn Write,
) -> Result<(), ExecutionError> {
    let facts = audience.facts(results.facts());
    let mut put = |text: &str| out.write_all(text.as_bytes()).map_err(unwritten);
    put(&beginning(results, &facts))?;
    put(&plots(results, audience)?)?;
    let groups: Vec<&str> = results.score().groups.iter().map(|group| group.name.as_str()).collect();
    let verdicts: Vec<&str> = results.score().verdicts.keys().rev().map(|verdict| verdict.name()).collect();
    put("<h2>Cases</h2>\n")?;
    put(&filters(&[("v", "Verdict", &verdicts), ("g", "Group", &groups)]))?;
    put("<div class=\"wide\"><table class=\"cases\">")?;
    put(&columns(&["Case", "Group", "#Points", "Verdict", "#Time", "#Memory", "Why"]))?;
    put("<tbody>\n")?;
    let mut listed = 0;
    for record in results.view(audience) {
        let record = record?;
        listed += 1;
        if listed <= MOST_ROWS {
            put(&row(&record))?;
        }
    }
    put("</tbody></table></div>\n")?;
    if listed > MOST_ROWS {
        put(&format!("<p class=\"dim\">{} more cases are not listed.</p>\n", listed - MOST_ROWS))?;
    }
    let mut told = 0;
    for record in results.view(audience) {
        let record = record?;
        if !is_told(&record) {
            continue;
        }
        told += 1;
        if told == 1 {
            put("<h2>What speaks against it</h2>\n")?;
        }
        if told <= MOST_DETAILS {
            put(&case::details(&record))?;
        }
    }
    if told > MOST_DETAILS {
        put(&format!("<p class=\"dim\">{} more cases are not told in detail.</p>\n", told - MOST_DETAILS))?;
    }
    put(&foot())
}

/// Says whether there is more to say of a case than its row has.
fn is_told(record: &CaseRecord) -> bool {
    record.verdict != Verdict::Ac && !(record.steps.is_empty() && record.facts.is_empty())
}

fn beginning(results: &Results, facts: &RunFacts) -> String {
    let score = results.score();
    let name = &facts.submission.name;
    let mut page = head(&format!("{name} – {}", facts.suite));
    let (class, word) = if score.passed { ("yes", "Passed") } else { ("v", "Not passed") };
    let points = match score.score {
        Some(points) => format!("{points} of {} points", score.possible),
        None => "no score, since not every case was judged".to_owned(),
    };
    let _ = write!(
        page,
        "<h1>{}</h1>\n<p>{}</p>\n<p><strong class=\"{class}\">{word}</strong>: {points}</p>\n\
         <p class=\"dim\">policy {}, runtime {}, {:.1} s</p>\n<ul class=\"tally\">{}</ul>\n",
        text(name),
        text(&facts.suite),
        score.policy.name(),
        text(&facts.runtime),
        results.elapsed().as_secs_f64(),
        tally(score.verdicts.iter().rev())
    );
    if let Some(why) = &facts.refused {
        let _ = writeln!(page, "<p class=\"v\">It never got to its cases: {}</p>", text(why));
    }
    facts.compile.iter().chain(&facts.setup).filter(|one| one.exit_code != 0).for_each(|one| page += &setup(one));
    if score.groups.len() > 1 {
        page += "<div class=\"wide\"><table class=\"groups\">";
        page += &columns(&["Group", "#Accepted", "#Points"]);
        for group in &score.groups {
            let earned = group.score.map_or("–".to_owned(), |points| points.to_string());
            let _ = writeln!(
                page,
                "<tr><td>{}</td><td class=\"n\">{} of {}</td><td class=\"n\">{earned} of {}</td></tr>",
                text(&group.name),
                group.accepted,
                group.cases,
                group.possible
            );
        }
        page += "</table></div>\n";
    }
    page
}

fn setup(record: &SetupRecord) -> String {
    let words = if record.stderr.bytes > 0 { &record.stderr } else { &record.stdout };
    format!("<p><code>{}</code>: {}</p>{}", text(&record.command), text(&record.ending), case::block(words))
}

fn plots(results: &Results, audience: Audience) -> Result<String, ExecutionError> {
    let (mut time, mut memory) = (Vec::new(), Vec::new());
    for record in results.view(audience).take(MOST_BARS) {
        let record = record?;
        let bar = |value| Bar { name: record.id.clone(), value, is_marked: record.verdict != Verdict::Ac };
        time.push(bar(seconds(&record)));
        #[expect(clippy::cast_precision_loss, reason = "drawn for people")]
        memory.push(bar(peak(&record).map(|bytes| bytes as f64)));
    }
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "it was a number of bytes before")]
    let size = |value: f64| bytes(value as u64);
    Ok(draw("Time of each case", &time, &|value| format!("{value:.3} s"))
        + &draw("Peak memory of each case", &memory, &size))
}

/// Gives the time that a case's guests ran.
fn seconds(record: &CaseRecord) -> Option<f64> {
    let of = |step: &StepRecord| step.wall_time.as_ref().and_then(Measure::seconds);
    record.steps.iter().filter_map(of).reduce(|sum, next| sum + next)
}

fn peak(record: &CaseRecord) -> Option<u64> {
    record.steps.iter().filter_map(|step| step.peak_memory.as_ref().and_then(Measure::size)).max()
}

fn row(record: &CaseRecord) -> String {
    let earned = if record.verdict == Verdict::Ac { record.points } else { 0.0 };
    let (id, group, verdict) = (text(&record.id), text(&record.group), record.verdict);
    let name = match is_told(record) {
        true => format!("<a href=\"#case-{}\">{id}</a>", record.index),
        false => format!("<span>{id}</span>"),
    };
    let time = seconds(record).map_or("–".to_owned(), |time| format!("{time:.3} s"));
    let memory = peak(record);
    let why = record.facts.first().map(ToString::to_string).unwrap_or_default();
    format!(
        "<tr data-v=\"{verdict}\" data-g=\"{group}\"><td data-l=\"Case\" data-k=\"{}\">{name}</td>\
         <td data-l=\"Group\"><span>{group}</span></td>\
         <td class=\"n\" data-l=\"Points\"><span>{earned} of {}</span></td>\
         <td data-l=\"Verdict\"><span class=\"v {verdict}\">{verdict}</span></td>\
         <td class=\"n\" data-l=\"Time\"><span>{time}</span></td>\
         <td class=\"n\" data-l=\"Memory\" data-k=\"{}\"><span>{}</span></td>\
         <td data-l=\"Why\"><span>{}</span></td></tr>\n",
        record.index,
        record.points,
        memory.unwrap_or_default(),
        memory.map_or("–".to_owned(), bytes),
        text(&why)
    )
}
