//! `snapshot list` and `snapshot remove`: which snapshots are kept.

use std::process::ExitCode;

use super::command::{RemoveArgs, store};
use crate::ExecutionError;
use crate::cli::app::App;
use crate::cli::json::{KeptObject, KeptSnapshotsObject, RemovedSnapshotsObject, VERSION};
use crate::cli::terminal::printable;
use crate::spec::ByteSize;
use crate::workspace::KeptSnapshot;

pub(super) fn list(app: &App) -> anyhow::Result<ExitCode> {
    let kept = store(app)?.list().map_err(ExecutionError::from)?;
    let object = KeptSnapshotsObject { version: VERSION, snapshots: kept.iter().map(describe).collect() };
    app.terminal.print_either(&object, draw);
    Ok(ExitCode::SUCCESS)
}

pub(super) fn remove(app: &App, args: &RemoveArgs) -> anyhow::Result<ExitCode> {
    let store = store(app)?;
    // All are found before the first goes: a mistyped one leaves everything as it was.
    let ids = args.ids.iter().map(|id| store.find(id)).collect::<Result<Vec<_>, _>>().map_err(ExecutionError::from)?;
    for id in &ids {
        store.remove(*id).map_err(ExecutionError::from)?;
    }
    let removed: Vec<String> = ids.iter().map(ToString::to_string).collect();
    let object = RemovedSnapshotsObject { version: VERSION, removed };
    app.terminal.print_either(&object, |object| object.removed.iter().map(|id| format!("removed {id}\n")).collect());
    if !app.terminal.wants_json() {
        app.terminal.explain("`bailiwick gc` gives back what only they took");
    }
    Ok(ExitCode::SUCCESS)
}

fn describe(kept: &KeptSnapshot) -> KeptObject {
    let created = jiff::Timestamp::try_from(kept.created).map(|time| time.to_string()).unwrap_or_default();
    let (entries, bytes, specials) = (kept.entries, kept.bytes, kept.specials);
    KeptObject { id: kept.id.to_string(), created, source: kept.source.clone(), entries, bytes, specials }
}

fn draw(object: &KeptSnapshotsObject) -> String {
    if object.snapshots.is_empty() {
        return "no snapshot is kept\n".to_owned();
    }
    let line = |kept: &KeptObject| {
        let KeptObject { id, created, source, entries, bytes, .. } = kept;
        format!("{id}  {created}  {entries:>8} entries  {:>10}  {}\n", ByteSize(*bytes).to_string(), printable(source))
    };
    object.snapshots.iter().map(line).collect()
}
