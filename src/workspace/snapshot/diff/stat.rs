//! A diff in a few lines: one a path, and their sum.

use std::fmt::Write;

use super::super::Entry;
use super::quote::quote;
use super::{DiffBody, FileChange, FileDiff, SnapshotDiff};

/// The most signs of a line.
const GRAPH: u64 = 40;

/// The most columns that a name may take before the column of counts moves for it.
const NAME: usize = 60;

impl SnapshotDiff {
    /// Writes one line a path, as `git diff --stat` does, and one that sums them up. Names are quoted as in a patch.
    pub fn stat(&self) -> String {
        let rows: Vec<(String, &FileDiff)> = self.files.iter().map(|file| (name(file), file)).collect();
        let width = rows.iter().map(|(name, _)| name.chars().count()).max().unwrap_or(0).min(NAME);
        let most = self.files.iter().map(|file| sum(&file.body)).max().unwrap_or(0);
        let mut out = String::new();
        for (name, file) in rows {
            // Writing to a text cannot fail.
            let _ = writeln!(out, " {name:<width$} | {}", row(file, most));
        }
        let stats = self.stats();
        let files = self.files.len();
        let _ = writeln!(
            out,
            " {files} {} changed, {} insertions(+), {} deletions(-)",
            if files == 1 { "path" } else { "paths" },
            stats.lines_added,
            stats.lines_removed
        );
        out
    }
}

fn sum(body: &DiffBody) -> u64 {
    let (added, removed) = body.lines();
    added.saturating_add(removed)
}

fn name(file: &FileDiff) -> String {
    let path = quote("", file.path.as_bytes());
    match &file.change {
        FileChange::Renamed { from } => format!("{} => {path}", quote("", from.as_bytes())),
        FileChange::Created
        | FileChange::Deleted
        | FileChange::Modified
        | FileChange::ModeChanged
        | FileChange::TypeChanged => path,
    }
}

fn row(file: &FileDiff, most: u64) -> String {
    let size = |entry: &Option<Entry>| entry.as_ref().and_then(Entry::size).unwrap_or(0);
    let mode = |entry: &Option<Entry>| entry.as_ref().map_or(0, |entry| entry.mode);
    match &file.body {
        DiffBody::Binary => format!("Bin {} -> {} bytes", size(&file.old), size(&file.new)),
        DiffBody::Omitted(why) => format!("{} -> {} bytes, {}", size(&file.old), size(&file.new), why.name()),
        DiffBody::Nothing if file.change == FileChange::ModeChanged => {
            format!("mode {:04o} -> {:04o}", mode(&file.old), mode(&file.new))
        }
        DiffBody::Nothing => file.change.name().to_owned(),
        DiffBody::Text(_) | DiffBody::Replaced { .. } => {
            let (added, removed) = file.body.lines();
            format!("{} {}", added.saturating_add(removed), graph(added, removed, most)).trim_end().to_owned()
        }
    }
}

/// Draws the lines that came and went, scaled so that the longest row fits; what there is has at least one sign.
fn graph(added: u64, removed: u64, most: u64) -> String {
    let scaled = |count: u64| match most {
        most if most <= GRAPH => count,
        most => (u128::from(count) * u128::from(GRAPH)).div_ceil(u128::from(most)).try_into().unwrap_or(GRAPH),
    };
    let repeat = |sign: &str, count| sign.repeat(usize::try_from(scaled(count)).unwrap_or(0));
    repeat("+", added) + &repeat("-", removed)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn graphs_fit_and_show_all_there_is() {
        assert_eq!(graph(2, 1, 3), "++-");
        assert_eq!(graph(1_000_000, 1, 1_000_001), "+".repeat(40) + "-");
        assert_eq!(graph(0, 0, 9), "");
    }
}
