//! Where an unchanged file of the reference system behaves differently: what the page of it says, as far as it applies.

use serde_json::Value;

use crate::cli::json::{DifferenceObject, ExplainedKey};
use crate::spec::Mode;

/// The page is the list: what it says and what is printed cannot differ.
const PAGE: &str = include_str!("../../../docs/execution/reference.md");
const CHAPTER: &str = "## An unchanged environment file";
const EVERY: &str = "### Every runtime";

/// Lists the rows that apply to a spec of this type with these keys.
pub(super) fn of(ty: &str, mode: Mode, keys: &[ExplainedKey]) -> Vec<DifferenceObject> {
    let own = format!("### `type: {ty}`");
    let chapter = PAGE.split_once(CHAPTER).map(|(_, rest)| rest.split("\n## ").next().unwrap_or_default());
    let mut is_wanted = false;
    let mut found = Vec::new();
    for line in chapter.unwrap_or_default().lines() {
        if line.starts_with("### ") {
            is_wanted = line == EVERY || line == own;
        }
        let Some([subject, reference, here]) = row(line).filter(|_| is_wanted) else { continue };
        if applies(&subject, ty, mode, keys) {
            found.push(DifferenceObject { subject, reference, here });
        }
    }
    found
}

/// Reads a row of a table; its head and the line below that are none.
fn row(line: &str) -> Option<[String; 3]> {
    let bar = "\u{0}";
    let line = line.replace("\\|", bar);
    let cells = line.strip_prefix("| ")?.strip_suffix(" |")?.split(" | ").collect::<Vec<_>>();
    let [subject, reference, here] = cells[..] else { return None };
    let is_head = subject == "key or fact" || subject.starts_with("---");
    (!is_head).then(|| [subject, reference, here].map(|cell| cell.replace(bar, "|")))
}

/// Says whether a row speaks of something in the spec, or of what holds for all.
fn applies(subject: &str, ty: &str, mode: Mode, keys: &[ExplainedKey]) -> bool {
    let other = match mode {
        Mode::Evaluation => "agent",
        Mode::Agent => "evaluating",
    };
    if subject.split([' ', ',']).any(|word| word == other) {
        return false;
    }
    let words = subject.split('`').skip(1).step_by(2);
    let named: Vec<(&ExplainedKey, Option<&str>)> = words
        .flat_map(|word| {
            let (name, value) = word.split_once(": ").map_or((word, None), |(name, value)| (name, Some(value)));
            keys.iter().filter(move |key| is_named(&key.path, name, ty)).map(move |key| (key, value))
        })
        .collect();
    let is_absent = subject.contains("absent");
    let holds = |key: &ExplainedKey, value: Option<&str>| {
        let is_written = key.from != "default";
        match value {
            Some(value) => key.value.as_str().map_or_else(|| key.value.to_string(), str::to_owned) == value,
            None if key.path.starts_with("limits.") => key.value != Value::Null,
            None => is_written != is_absent,
        }
    };
    named.is_empty() || named.iter().any(|(key, value)| holds(key, *value))
}

/// Says whether a path is the key of this name: of the runtime's own section, else the whole path or its end.
fn is_named(path: &str, name: &str, ty: &str) -> bool {
    let path = path.strip_prefix(ty).and_then(|rest| rest.strip_prefix('.')).unwrap_or(path);
    let is_at = |at: usize| path[..at].ends_with('.') && path[at..].split(['.', '[']).next() == Some(name);
    path == name || path.starts_with(&format!("{name}.")) || path.match_indices(name).any(|(at, _)| at > 0 && is_at(at))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key(path: &str, value: Value, from: &'static str) -> ExplainedKey {
        ExplainedKey { path: path.to_owned(), value, from, line: None, means: String::new() }
    }

    fn subjects(ty: &str, mode: Mode, keys: &[ExplainedKey]) -> Vec<String> {
        of(ty, mode, keys).into_iter().map(|row| row.subject).collect()
    }

    #[test]
    fn a_key_that_is_not_written_has_no_row_unless_the_row_is_of_that() {
        let absent = [key("docker.network", Value::Null, "default"), key("docker.binary", Value::Null, "default")];
        let rows = subjects("docker", Mode::Evaluation, &absent);
        assert!(rows.contains(&"`network` absent".to_owned()) && !rows.contains(&"`binary`".to_owned()), "{rows:?}");
        let written = [key("docker.network", "host".into(), "spec"), key("docker.binary", "docker".into(), "flag")];
        let rows = subjects("docker", Mode::Evaluation, &written);
        assert!(!rows.contains(&"`network` absent".to_owned()) && rows.contains(&"`binary`".to_owned()), "{rows:?}");
        assert!(rows.iter().any(|row| row.starts_with("`network: host`")), "{rows:?}");
    }

    #[test]
    fn rows_of_another_type_or_mode_are_left_out() {
        let keys = [key("docker.user", Value::Null, "default"), key("snapshot.compression", "gz".into(), "default")];
        let rows = subjects("docker", Mode::Agent, &keys);
        assert!(rows.contains(&"`user` absent, agent".to_owned()), "{rows:?}");
        assert!(!rows.contains(&"`user` absent, evaluating".to_owned()), "{rows:?}");
        assert!(!rows.contains(&"`snapshot.compression`".to_owned()), "{rows:?}");
        let rows = subjects("local", Mode::Evaluation, &keys);
        assert!(rows.contains(&"the command line".to_owned()) && !rows.iter().any(|row| row.contains("network")));
        assert!(subjects("other", Mode::Evaluation, &[]).contains(&"results".to_owned()));
    }

    #[test]
    fn every_row_of_the_page_is_read() {
        let chapter = PAGE.split_once(CHAPTER).unwrap().1.split("\n## ").next().unwrap();
        let lines = chapter.lines().filter(|line| line.starts_with("| ")).count();
        let heads = chapter.lines().filter(|line| line.starts_with("### ")).count();
        let rows = chapter.lines().filter_map(row).count();
        assert_eq!(rows, lines - 2 * heads);
        assert!(rows > 40, "{rows}");
    }
}
