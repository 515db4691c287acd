//! A diff as a patch that `git apply` takes, and `patch -p1` where only text changed.

use std::fmt::Write;

use super::super::super::WorkspacePath;
use super::super::{Entry, EntryKind};
use super::file::{DiffBody, FileChange, FileDiff, TextDiff};
use super::quote::quote;
use super::{Omission, SnapshotDiff};

/// The name of an empty file's content to git, and that of nothing: without them `patch` makes no empty file.
const EMPTY: &str = "e69de29bb2d1d6434b8b29ae775ad8c2e48c5391";
const NOTHING: &str = "0000000000000000000000000000000000000000";

impl SnapshotDiff {
    /// Writes the diff as a patch with git's extended headers.
    ///
    /// It holds text files, links and the executable bit, which is what `git apply` takes; `patch -p1` takes the text
    /// files. What a patch cannot say (other permissions, directories, specials, binary content, lines that were
    /// left out) is a comment line that begins with `# `, which both skip; only the JSON form has it.
    pub fn patch(&self) -> Vec<u8> {
        let mut out = Vec::new();
        // What goes is said first: it may stand in the way of what comes.
        let (gone, rest): (Vec<_>, Vec<_>) = self.files.iter().partition(|file| file.change == FileChange::Deleted);
        for file in gone.into_iter().chain(rest) {
            write_file(file, &mut out);
        }
        out
    }
}

/// Gives the mode that git has for an entry; `None` for what it has none for.
fn git_mode(entry: &Entry) -> Option<&'static str> {
    match entry.kind {
        EntryKind::File { .. } if entry.mode & 0o100 != 0 => Some("100755"),
        EntryKind::File { .. } => Some("100644"),
        EntryKind::Symlink { .. } => Some("120000"),
        EntryKind::Directory | EntryKind::Special => None,
    }
}

/// One entry of a patch.
struct Section<'a> {
    /// Where it was and where it is.
    paths: [&'a WorkspacePath; 2],
    modes: [Option<&'static str>; 2],
    body: &'a DiffBody,
}

fn write_file(file: &FileDiff, out: &mut Vec<u8>) {
    let mode = |entry: &Option<Entry>| entry.as_ref().and_then(git_mode);
    let modes = [mode(&file.old), mode(&file.new)];
    let paths = match &file.change {
        FileChange::Renamed { from } => [from, &file.path],
        FileChange::Created
        | FileChange::Deleted
        | FileChange::Modified
        | FileChange::ModeChanged
        | FileChange::TypeChanged => [&file.path, &file.path],
    };
    match &file.body {
        DiffBody::Replaced { old, new } => {
            write_section(&Section { paths, modes: [modes[0], None], body: old }, file, out);
            write_section(&Section { paths, modes: [None, modes[1]], body: new }, file, out);
        }
        body @ (DiffBody::Nothing | DiffBody::Text(_) | DiffBody::Binary | DiffBody::Omitted(_)) => {
            write_section(&Section { paths, modes, body }, file, out);
        }
    }
}

fn write_section(section: &Section<'_>, file: &FileDiff, out: &mut Vec<u8>) {
    let what = match (section.body, section.modes) {
        (DiffBody::Binary, _) => "binary content",
        (DiffBody::Omitted(why), _) => match why {
            Omission::TooLarge => "lines of a file that is too large",
            Omission::TooMuch => "lines beyond the bound of the diff",
            Omission::OutOfTime => "lines, for want of time",
            Omission::Changed => "lines of a file that changed meanwhile",
        },
        (_, [None, None]) => "what is neither file nor link",
        (DiffBody::Nothing, [Some(old), Some(new)]) if old == new && section.paths[0] == section.paths[1] => {
            "permissions beside the executable bit"
        }
        (DiffBody::Nothing | DiffBody::Text(_) | DiffBody::Replaced { .. }, _) => {
            write_headers(section, out);
            return;
        }
    };
    let line = format!("# not in this patch: {} ({}: {what})\n", quote("", file.path.as_bytes()), file.change.name());
    out.extend_from_slice(line.as_bytes());
}

fn write_headers(section: &Section<'_>, out: &mut Vec<u8>) {
    let [old, new] = section.paths.map(WorkspacePath::as_bytes);
    let mut head = format!("diff --git {} {}\n", quote("a/", old), quote("b/", new));
    let text = match section.body {
        DiffBody::Text(text) => Some(text),
        DiffBody::Nothing | DiffBody::Binary | DiffBody::Omitted(_) | DiffBody::Replaced { .. } => None,
    };
    let is_empty = text.is_some_and(|text| text.hunks.is_empty());
    // Writing to a text cannot fail.
    let _ = match section.modes {
        [None, None] => return,
        [None, Some(mode)] if is_empty => writeln!(head, "new file mode {mode}\nindex {NOTHING}..{EMPTY}"),
        [None, Some(mode)] => writeln!(head, "new file mode {mode}"),
        [Some(mode), None] if is_empty => writeln!(head, "deleted file mode {mode}\nindex {EMPTY}..{NOTHING}"),
        [Some(mode), None] => writeln!(head, "deleted file mode {mode}"),
        [Some(old), Some(new)] if old != new => writeln!(head, "old mode {old}\nnew mode {new}"),
        [Some(_), Some(_)] => Ok(()),
    };
    if old != new {
        let (from, to) = (quote("", old), quote("", new));
        let _ = writeln!(head, "similarity index 100%\nrename from {from}\nrename to {to}");
    }
    out.extend_from_slice(head.as_bytes());
    if let Some(text) = text {
        write_text(section.paths[1], section.modes.map(|mode| mode.is_some()), text, out);
    }
}

/// Writes hunks below the two names; nothing when there are none.
pub(super) fn write_text(path: &WorkspacePath, sides: [bool; 2], text: &TextDiff, out: &mut Vec<u8>) {
    if text.hunks.is_empty() {
        return;
    }
    let name = |is_there, prefix| if is_there { quote(prefix, path.as_bytes()) } else { "/dev/null".to_owned() };
    let [old, new] = [name(sides[0], "a/"), name(sides[1], "b/")];
    out.extend_from_slice(format!("--- {old}\n+++ {new}\n").as_bytes());
    out.extend_from_slice(&text.hunks);
}
