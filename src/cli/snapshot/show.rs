//! `snapshot show`: what a snapshot holds.

use std::process::ExitCode;

use super::command::ShowArgs;
use super::source::{Place, Source};
use super::work;
use crate::cli::app::App;
use crate::cli::json::{EntryObject, ShownSnapshotObject, VERSION};
use crate::cli::terminal::printable;
use crate::workspace::{Entry, EntryKind, WorkspacePath};

pub(super) async fn run(app: &App, args: ShowArgs) -> anyhow::Result<ExitCode> {
    let (place, source) = (Place::of(app, args.bounds)?, Source::parse(&args.snapshot)?);
    let seen = work::run(app, "reading the snapshot", move |watch| source.look(&place, watch)).await?;
    let manifest = seen.manifest();
    let object = ShownSnapshotObject {
        version: VERSION,
        id: manifest.id().to_string(),
        bytes: manifest.total_bytes(),
        entries: manifest.iter().map(|(path, entry)| describe(path, entry)).collect(),
    };
    app.terminal.print_either(&object, draw);
    Ok(ExitCode::SUCCESS)
}

fn describe(path: &WorkspacePath, entry: &Entry) -> EntryObject {
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    let (kind, hash, target) = match &entry.kind {
        EntryKind::File { hash, .. } => ("file", Some(blake3::Hash::from_bytes(*hash).to_hex().to_string()), None),
        EntryKind::Directory => ("directory", None, None),
        EntryKind::Symlink { target } => ("symlink", None, Some(text(target))),
        EntryKind::Special => ("special", None, None),
    };
    let mode = format!("{:04o}", entry.mode);
    EntryObject { path: text(path.as_bytes()), kind, mode, size: entry.size(), hash, target }
}

fn draw(object: &ShownSnapshotObject) -> String {
    let line = |entry: &EntryObject| {
        let size = entry.size.map_or_else(|| "-".to_owned(), |size| size.to_string());
        let target = entry.target.as_deref().map(|target| format!(" -> {}", printable(target))).unwrap_or_default();
        format!("{:<9} {} {size:>12} {}{target}\n", entry.kind, entry.mode, printable(&entry.path))
    };
    let lines: String = object.entries.iter().map(line).collect();
    format!("{}\n{lines}", object.id)
}
