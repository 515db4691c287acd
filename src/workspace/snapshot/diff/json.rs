//! A diff as JSON, and back.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::os::unix::ffi::OsStringExt;
use std::time::SystemTime;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::super::super::WorkspacePath;
use super::super::{Entry, EntryKind};
use super::file::{DiffBody, FileChange, FileDiff, Omission, TextDiff};
use super::{SnapshotDiff, names, patch};

/// The version of the form. Within one, fields are only added.
const VERSION: u32 = 1;

/// A text is no diff in JSON.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum DiffJsonError {
    /// It is not JSON, or not of this form.
    #[error("this is no diff")]
    Form {
        /// What the reader said.
        #[source]
        source: serde_json::Error,
    },
    /// It has another version.
    #[error("the diff has version {found}, and this release reads version 1")]
    Version {
        /// The version that it has.
        found: u32,
    },
    /// An entry contradicts itself.
    #[error("the diff's entry `{path}` has a wrong `{field}`")]
    Entry {
        /// The key of the entry, as it stands there.
        path: String,
        /// The field.
        field: &'static str,
    },
}

/// What became of a tree between two snapshots.
#[derive(Serialize, Deserialize, JsonSchema)]
#[schemars(title = "snapshot diff")]
struct Wire {
    version: u32,
    from_checksum: String,
    to_checksum: String,
    from_timestamp: Option<String>,
    to_timestamp: Option<String>,
    #[serde(default)]
    stats: BTreeMap<String, u64>,
    file_diffs: BTreeMap<String, WireFile>,
}

#[derive(Serialize, Deserialize, JsonSchema)]
struct WireFile {
    path: String,
    change_type: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    renamed_from: Option<String>,
    is_binary: bool,
    /// Both sides of a change of type, one after the other.
    diff_text: String,
    /// Of a change of type, what `diff_text` is put together from.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    sides: Option<Box<[WireBody; 2]>>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    encoding: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    omitted: Option<String>,
    lines_added: u64,
    lines_removed: u64,
    old_size: Option<u64>,
    new_size: Option<u64>,
    old: Option<WireEntry>,
    new: Option<WireEntry>,
}

/// What can be shown of one side of a change of type.
#[derive(Serialize, Deserialize, JsonSchema)]
struct WireBody {
    is_binary: bool,
    diff_text: String,
    encoding: Option<String>,
    omitted: Option<String>,
    lines: u64,
}

#[derive(Serialize, Deserialize, JsonSchema)]
struct WireEntry {
    kind: String,
    mode: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    size: Option<u64>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    blake3: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    target: Option<String>,
}

impl SnapshotDiff {
    /// Gives the diff as JSON; `docs/execution/snapshots.md` has the form. With the content of the files it turns the
    /// one tree into the other, exactly.
    pub fn to_json(&self) -> serde_json::Value {
        let time = |time: Option<SystemTime>| time.map(|time| humantime::format_rfc3339_micros(time).to_string());
        let stats = self.stats();
        let stats = [
            ("created", stats.created),
            ("deleted", stats.deleted),
            ("modified", stats.modified),
            ("renamed", stats.renamed),
            ("mode_changed", stats.mode_changed),
            ("type_changed", stats.type_changed),
            ("lines_added", stats.lines_added),
            ("lines_removed", stats.lines_removed),
        ];
        let wire = Wire {
            version: VERSION,
            from_checksum: self.from.to_string(),
            to_checksum: self.to.to_string(),
            from_timestamp: time(self.from_time),
            to_timestamp: time(self.to_time),
            stats: stats.into_iter().map(|(name, count)| (name.to_owned(), count)).collect(),
            file_diffs: self.files.iter().map(|file| (names::to_text(file.path.as_bytes()), write(file))).collect(),
        };
        // Nothing in it can fail: keys are texts, numbers are whole.
        serde_json::to_value(wire).unwrap_or_default()
    }

    /// Gives the JSON Schema of what [`Self::to_json`] gives.
    pub fn json_schema() -> serde_json::Value {
        let settings = schemars::generate::SchemaSettings::draft2020_12().for_serialize();
        settings.into_generator().into_root_schema_for::<Wire>().to_value()
    }

    /// Reads what [`Self::to_json`] wrote.
    ///
    /// # Errors
    ///
    /// What is not of this form, or of a later version.
    pub fn from_json(text: &[u8]) -> Result<Self, DiffJsonError> {
        #[derive(Deserialize)]
        struct Versioned {
            version: u32,
        }
        let form = |source| DiffJsonError::Form { source };
        let Versioned { version } = serde_json::from_slice(text).map_err(form)?;
        if version != VERSION {
            return Err(DiffJsonError::Version { found: version });
        }
        let wire: Wire = serde_json::from_slice(text).map_err(form)?;
        let wrong = |field| move || DiffJsonError::Entry { path: String::new(), field };
        let time = |time: Option<String>, field| match time {
            Some(time) => humantime::parse_rfc3339(&time).map(Some).map_err(|_| wrong(field)()),
            None => Ok(None),
        };
        let files = wire
            .file_diffs
            .into_iter()
            .map(|(key, file)| read(file).map_err(|field| DiffJsonError::Entry { path: key.clone(), field }));
        let mut files = files.collect::<Result<Vec<_>, _>>()?;
        files.sort_by(|one, other| one.path.cmp(&other.path));
        Ok(Self {
            from: wire.from_checksum.parse().map_err(|_| wrong("from_checksum")())?,
            to: wire.to_checksum.parse().map_err(|_| wrong("to_checksum")())?,
            from_time: time(wire.from_timestamp, "from_timestamp")?,
            to_time: time(wire.to_timestamp, "to_timestamp")?,
            files,
        })
    }
}

const LATIN: &str = "latin-1";

fn write(file: &FileDiff) -> WireFile {
    let renamed_from = match &file.change {
        FileChange::Renamed { from } => Some(names::to_text(from.as_bytes())),
        FileChange::Created
        | FileChange::Deleted
        | FileChange::Modified
        | FileChange::ModeChanged
        | FileChange::TypeChanged => None,
    };
    let there = [file.old.is_some(), file.new.is_some()];
    let sides = match &file.body {
        DiffBody::Replaced { old, new } => {
            Some(Box::new([write_body(&file.path, [true, false], old), write_body(&file.path, [false, true], new)]))
        }
        DiffBody::Nothing | DiffBody::Text(_) | DiffBody::Binary | DiffBody::Omitted(_) => None,
    };
    let body = write_body(&file.path, there, &file.body);
    let (lines_added, lines_removed) = file.body.lines();
    WireFile {
        path: names::to_text(file.path.as_bytes()),
        change_type: file.change.name().to_owned(),
        renamed_from,
        is_binary: body.is_binary,
        diff_text: body.diff_text,
        sides,
        encoding: body.encoding,
        omitted: body.omitted,
        lines_added,
        lines_removed,
        old_size: file.old.as_ref().and_then(Entry::size),
        new_size: file.new.as_ref().and_then(Entry::size),
        old: file.old.as_ref().map(write_entry),
        new: file.new.as_ref().map(write_entry),
    }
}

fn write_body(path: &WorkspacePath, sides: [bool; 2], body: &DiffBody) -> WireBody {
    let mut lines = Vec::new();
    append_text(path, sides, body, &mut lines);
    let (diff_text, is_latin) = names::lines_to_text(&lines);
    let (added, removed) = body.lines();
    WireBody {
        is_binary: body.is_binary(),
        diff_text,
        encoding: is_latin.then(|| LATIN.to_owned()),
        omitted: body.omission().map(|why| why.name().to_owned()),
        lines: added + removed,
    }
}

fn append_text(path: &WorkspacePath, sides: [bool; 2], body: &DiffBody, out: &mut Vec<u8>) {
    match body {
        DiffBody::Text(text) => patch::write_text(path, sides, text, out),
        DiffBody::Replaced { old, new } => {
            append_text(path, [true, false], old, out);
            append_text(path, [false, true], new, out);
        }
        DiffBody::Nothing | DiffBody::Binary | DiffBody::Omitted(_) => {}
    }
}

fn write_entry(entry: &Entry) -> WireEntry {
    let (kind, blake3, target) = match &entry.kind {
        EntryKind::File { hash, .. } => ("file", Some(blake3::Hash::from_bytes(*hash).to_hex().to_string()), None),
        EntryKind::Directory => ("directory", None, None),
        EntryKind::Symlink { target } => ("symlink", None, Some(names::to_text(target))),
        EntryKind::Special => ("special", None, None),
    };
    let size = blake3.as_ref().and(entry.size());
    WireEntry { kind: kind.to_owned(), mode: format!("{:04o}", entry.mode), size, blake3, target }
}

fn read(file: WireFile) -> Result<FileDiff, &'static str> {
    let path = |text: &str| WorkspacePath::new(OsString::from_vec(names::from_text(text)?)).ok();
    let old = file.old.map(read_entry).transpose()?;
    let new = file.new.map(read_entry).transpose()?;
    let change = match (file.change_type.as_str(), &old, &new) {
        ("created", None, Some(_)) => FileChange::Created,
        ("deleted", Some(_), None) => FileChange::Deleted,
        ("modified", Some(_), Some(_)) => FileChange::Modified,
        ("mode_changed", Some(_), Some(_)) => FileChange::ModeChanged,
        ("type_changed", Some(_), Some(_)) => FileChange::TypeChanged,
        ("renamed", Some(_), Some(_)) => {
            FileChange::Renamed { from: file.renamed_from.as_deref().and_then(path).ok_or("renamed_from")? }
        }
        _ => return Err("change_type"),
    };
    let has_text = [&old, &new].into_iter().flatten().any(|entry| entry.size().is_some());
    let whole = WireBody {
        is_binary: file.is_binary,
        diff_text: file.diff_text,
        encoding: file.encoding,
        omitted: file.omitted,
        lines: 0,
    };
    let body = match (&change, file.sides) {
        (FileChange::TypeChanged, Some(sides)) => {
            let [one, two] = *sides;
            let (removed, added) = (one.lines, two.lines);
            let has_text = |entry: &Option<Entry>| entry.as_ref().and_then(Entry::size).is_some();
            let gone = read_body(one, has_text(&old), (0, removed))?;
            DiffBody::Replaced { old: Box::new(gone), new: Box::new(read_body(two, has_text(&new), (added, 0))?) }
        }
        (FileChange::TypeChanged, None) => return Err("sides"),
        (FileChange::ModeChanged | FileChange::Renamed { .. }, _) => DiffBody::Nothing,
        (FileChange::Created | FileChange::Deleted | FileChange::Modified, _) => {
            read_body(whole, has_text, (file.lines_added, file.lines_removed))?
        }
    };
    Ok(FileDiff { path: path(&file.path).ok_or("path")?, change, old, new, body })
}

fn read_body(body: WireBody, has_text: bool, (added, removed): (u64, u64)) -> Result<DiffBody, &'static str> {
    if let Some(why) = &body.omitted {
        let known = Omission::ALL.into_iter().find(|omission| omission.name() == why);
        return Ok(DiffBody::Omitted(known.ok_or("omitted")?));
    }
    if body.is_binary {
        return Ok(DiffBody::Binary);
    }
    if !has_text {
        return Ok(DiffBody::Nothing);
    }
    let text = names::lines_from_text(&body.diff_text, body.encoding.as_deref() == Some(LATIN)).ok_or("diff_text")?;
    // The two names stand before the hunks.
    let hunks: Vec<u8> = text.split_inclusive(|byte| *byte == b'\n').skip(2).flatten().copied().collect();
    Ok(DiffBody::Text(TextDiff { hunks, added, removed }))
}

fn read_entry(entry: WireEntry) -> Result<Entry, &'static str> {
    let kind = match entry.kind.as_str() {
        "file" => {
            let hash = entry.blake3.and_then(|hash| blake3::Hash::from_hex(hash).ok()).ok_or("blake3")?;
            EntryKind::File { size: entry.size.ok_or("size")?, hash: *hash.as_bytes() }
        }
        "directory" => EntryKind::Directory,
        "symlink" => EntryKind::Symlink { target: entry.target.as_deref().and_then(names::from_text).ok_or("target")? },
        "special" => EntryKind::Special,
        _ => return Err("kind"),
    };
    Ok(Entry::new(kind, u32::from_str_radix(&entry.mode, 8).map_err(|_| "mode")?))
}
