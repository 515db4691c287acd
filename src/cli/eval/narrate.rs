//! How a run is told while it goes: counts and the time left on a terminal, a line a case in a pipe.

use std::sync::Mutex;

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

use crate::cli::terminal::{Terminal, printable};
use crate::evaluate::{CaseRecord, Fact, Progress, Results, Score, Verdict};

/// Tells of every case.
pub(super) struct Narrator {
    terminal: Terminal,
    /// Drawn on a terminal only.
    bar: Option<ProgressBar>,
    /// What the bar says: accepted, not accepted.
    counts: Mutex<(usize, usize)>,
}

impl Narrator {
    pub(super) fn new(terminal: &Terminal, drawn: bool, cases: usize) -> Self {
        let bar = drawn.then(|| {
            let bar = ProgressBar::with_draw_target(Some(cases as u64), ProgressDrawTarget::stderr());
            if let Ok(style) = ProgressStyle::with_template("{bar:30} {pos}/{len} {msg} ({elapsed}, {eta} left)") {
                bar.set_style(style);
            }
            bar
        });
        Self { terminal: terminal.clone(), bar, counts: Mutex::default() }
    }

    fn line(&self, text: &str) {
        if self.terminal.wants_json() {
            return;
        }
        match &self.bar {
            Some(bar) => bar.suspend(|| self.terminal.print(text)),
            None => self.terminal.print(text),
        }
    }
}

impl Progress for Narrator {
    fn judged(&self, record: &CaseRecord, done: usize, _: usize) {
        // On a terminal the bar counts, and only what is not accepted has a line.
        if self.bar.is_none() || record.verdict != Verdict::Ac {
            self.line(&case_line(record));
        }
        let Some(bar) = &self.bar else { return };
        let mut counts = self.counts.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        match record.verdict {
            Verdict::Ac => counts.0 += 1,
            Verdict::Ie
            | Verdict::Sk
            | Verdict::Ce
            | Verdict::Tle
            | Verdict::Mle
            | Verdict::Ole
            | Verdict::Rte
            | Verdict::Wa => counts.1 += 1,
        }
        bar.set_position(done as u64);
        bar.set_message(format!("{} AC, {} other", counts.0, counts.1));
    }

    fn trouble(&self, message: &str) {
        self.terminal.explain(&format!("cleaning up failed, `bailiwick gc` mends it: {message}"));
    }
}

impl Drop for Narrator {
    fn drop(&mut self) {
        self.bar.iter().for_each(ProgressBar::finish_and_clear);
    }
}

/// Gives the line of a case. Text of the submission in it is harmless to a terminal.
fn case_line(record: &CaseRecord) -> String {
    let why = record.facts.iter().find(|fact| fact.verdict == record.verdict).map(Fact::to_string);
    let why = why.map(|why| format!(": {}", printable(&why))).unwrap_or_default();
    format!("{:<3} {}{why}\n", record.verdict.name(), printable(&record.id))
}

/// Gives the lines that a run ends with.
pub(super) fn summary(results: &Results) -> String {
    let score = results.score();
    let mut text = String::new();
    if score.groups.len() > 1 {
        let width = score.groups.iter().map(|group| group.name.chars().count()).max().unwrap_or_default();
        for group in &score.groups {
            let name = printable(&group.name);
            let earned =
                group.score.map_or("no score".to_owned(), |points| format!("{points} of {} points", group.possible));
            text += &format!("{name:width$}  {} of {} accepted, {earned}\n", group.accepted, group.cases);
        }
    }
    text + &verdict_line(score)
}

fn verdict_line(score: &Score) -> String {
    let verdicts: Vec<String> =
        score.verdicts.iter().rev().map(|(verdict, count)| format!("{count} {verdict}")).collect();
    let points = match score.score {
        Some(points) => format!("{points} of {} points", score.possible),
        None => "no score, since not every case was judged".to_owned(),
    };
    let end = if score.passed { "passed" } else { "not passed" };
    format!("{end}: {points}, {} (policy {})\n", verdicts.join(", "), score.policy.name())
}
