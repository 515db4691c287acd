//! `snapshot diff`: what is different between two snapshots.

use std::process::ExitCode;

use super::command::{DiffArgs, store};
use super::source::Source;
use super::work;
use crate::cli::app::App;
use crate::cli::changes::{describe, draw};
use crate::cli::json::{SnapshotDiffObject, VERSION};
use crate::workspace::Changes;

pub(super) async fn run(app: &App, args: DiffArgs) -> anyhow::Result<ExitCode> {
    let store = store(app)?;
    let (before, after) = (Source::parse(&args.before)?, Source::parse(&args.after)?);
    let (before, after) = work::run(app, "comparing", move |watch| {
        let before = before.open(&store, &mut |progress| watch(progress))?;
        Ok((before, after.open(&store, watch)?))
    })
    .await?;
    let changes = Changes::between(before.manifest(), after.manifest(), usize::MAX);
    let object = SnapshotDiffObject {
        version: VERSION,
        from: before.id().to_string(),
        to: after.id().to_string(),
        changes: changes.list.iter().map(describe).collect(),
    };
    app.terminal.print_either(&object, |object| object.changes.iter().map(draw).collect());
    Ok(ExitCode::SUCCESS)
}
