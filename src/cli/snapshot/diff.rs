//! `snapshot diff`: what is different between two snapshots.

use std::process::ExitCode;

use super::command::DiffArgs;
use super::source::{Place, Source};
use super::work;
use crate::cli::app::App;
use crate::cli::changes::draw_diff;
use crate::workspace::{DiffBounds, SnapshotDiff};

pub(super) async fn run(app: &App, args: DiffArgs) -> anyhow::Result<ExitCode> {
    let place = Place::of(app, args.bounds)?;
    let (before, after) = (Source::parse(&args.before)?, Source::parse(&args.after)?);
    let diff = work::run(app, "comparing", move |watch| {
        let before = before.look(&place, &mut |progress| watch(progress))?;
        let after = after.look(&place, &mut |progress| watch(progress))?;
        Ok(SnapshotDiff::between_watched(before.tree(), after.tree(), DiffBounds::default(), watch)?)
    })
    .await?;
    if app.terminal.wants_json() {
        app.terminal.print_object(&diff.to_json());
    } else if args.patch {
        let _ = app.terminal.stdout.write(&diff.patch());
    } else if args.stat {
        app.terminal.print(&diff.stat());
    } else {
        app.terminal.print(&draw_diff(&diff));
    }
    Ok(ExitCode::SUCCESS)
}
