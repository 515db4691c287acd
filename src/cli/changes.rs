//! What changed in a tree, as an object and as a line.

use super::json::ChangeObject;
use super::terminal::printable;
use crate::workspace::{Change, ChangeKind};

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

pub(super) fn draw(change: &ChangeObject) -> String {
    let from = change.from.as_deref().map(|from| format!(" (from {})", printable(from))).unwrap_or_default();
    let size = change.size.map(|size| format!(" ({size} bytes)")).unwrap_or_default();
    format!("{:<12} {}{from}{size}\n", change.change, printable(&change.path))
}
