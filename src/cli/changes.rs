//! What changed in a tree, as an object and as a line.

use super::json::ChangeObject;
use super::terminal::printable;
use crate::workspace::{Change, ChangeKind, SnapshotDiff};

pub(super) fn describe(change: &Change) -> ChangeObject {
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    let (name, from) = match &change.kind {
        ChangeKind::Created => ("created", None),
        ChangeKind::Deleted => ("deleted", None),
        ChangeKind::Modified => ("modified", None),
        ChangeKind::ModeChanged => ("mode_changed", None),
        ChangeKind::Renamed { from } => ("renamed", Some(text(from.as_bytes()))),
    };
    ChangeObject { path: text(change.path.as_bytes()), change: name, size: change.size, from }
}

/// Draws a diff for people: what is in it cannot draw on the terminal.
pub(super) fn draw_diff(diff: &SnapshotDiff) -> String {
    let patch = diff.patch();
    let text = String::from_utf8_lossy(&patch);
    let line = |line: &str| {
        let cells: Vec<String> = line.split('\t').map(printable).collect();
        cells.join("\t") + "\n"
    };
    text.split_terminator('\n').map(line).collect()
}
