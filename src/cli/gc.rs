//! `gc`: removes what engines that are dead left behind.

use std::path::PathBuf;
use std::process::ExitCode;

use clap::Args;

use super::app::App;
use super::failure::HOST_FAILURE;
use super::json::{GcFailure, GcObject, GcSnapshots, VERSION};
use crate::ExecutionError;
use crate::spec::ByteSize;
use crate::workspace::{GcMode, GcScope, StoreError, StoreGcReport, WorkspaceError};

/// The arguments of `gc`.
#[derive(Debug, Args)]
pub(super) struct GcArgs {
    /// Say what would be removed, and remove nothing.
    #[arg(long)]
    dry_run: bool,
    /// Also remove directories whose owner left no lock and that nobody holds open.
    #[arg(long)]
    all: bool,
}

pub(super) async fn run(app: App, args: GcArgs) -> anyhow::Result<ExitCode> {
    let mode = if args.dry_run { GcMode::DryRun } else { GcMode::Remove };
    let scope = if args.all { GcScope::Ownerless } else { GcScope::DeadOwners };
    let report = app.registry.gc(mode, scope).await;
    let text = |path: &PathBuf| path.display().to_string();
    let failed = |(path, error): &(PathBuf, WorkspaceError)| GcFailure { path: text(path), message: why(error) };
    let elsewhere = report.failed_elsewhere.iter();
    let elsewhere = elsewhere.map(|(place, error)| GcFailure { path: place.clone(), message: why(error) });
    let (snapshots, unswept) = sweep_store(&app, mode)?;
    let object = GcObject {
        version: VERSION,
        dry_run: args.dry_run,
        removed: report.removed.iter().map(text).chain(report.removed_elsewhere.iter().cloned()).collect(),
        ownerless: report.ownerless.iter().map(text).collect(),
        alive: report.alive,
        snapshots,
        failures: report.failures.iter().map(failed).chain(elsewhere).chain(unswept).collect(),
    };
    app.terminal.print_either(&object, draw);
    Ok(if object.failures.is_empty() { ExitCode::SUCCESS } else { ExitCode::from(HOST_FAILURE) })
}

/// Removes what nothing reaches in the snapshot store, where there is one.
fn sweep_store(app: &App, mode: GcMode) -> anyhow::Result<(Option<GcSnapshots>, Vec<GcFailure>)> {
    let data = app.registry.host().dirs.data.as_deref();
    // Looking for what to remove makes nothing.
    if !data.is_some_and(|data| data.join("snapshots").is_dir()) {
        return Ok((None, Vec::new()));
    }
    let Some(store) = app.registry.snapshot_store()? else { return Ok((None, Vec::new())) };
    let report = store.gc(mode).map_err(ExecutionError::from)?;
    let failure = |(what, error): &(String, StoreError)| GcFailure { path: what.clone(), message: why(error) };
    let failures = report.failures.iter().map(failure).collect();
    let StoreGcReport { kept, held, manifests: removed, blobs, bytes, .. } = report;
    Ok((Some(GcSnapshots { kept, held, removed, blobs, bytes }), failures))
}

fn why(error: &dyn std::error::Error) -> String {
    let causes = std::iter::successors(Some(error), |error| error.source());
    causes.map(ToString::to_string).collect::<Vec<_>>().join(": ")
}

fn draw(object: &GcObject) -> String {
    let did = if object.dry_run { "would remove" } else { "removed" };
    let mut text: String = object.removed.iter().map(|path| format!("{did} {path}\n")).collect();
    text.extend(object.failures.iter().map(|failure| format!("cannot remove {}: {}\n", failure.path, failure.message)));
    if !object.ownerless.is_empty() {
        let kept = object.ownerless.iter().filter(|path| !object.removed.contains(path));
        text.extend(kept.map(|path| format!("left alone {path} (no owner; --all removes it)\n")));
    }
    text += &format!("{} {did}, {} in use\n", object.removed.len(), object.alive);
    if let Some(store) = &object.snapshots {
        let GcSnapshots { kept, held, removed, bytes, .. } = store;
        let bytes = ByteSize(*bytes);
        text += &format!("snapshots: {removed} {did} ({bytes}), {kept} kept, {held} held\n");
    }
    text
}
