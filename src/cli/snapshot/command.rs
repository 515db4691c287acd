//! The commands of `snapshot`.

use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Args, Subcommand, ValueHint};

use super::{create, diff, keep, restore, show};
use crate::cli::app::App;
use crate::cli::failure::Usage;
use crate::workspace::SnapshotStore;

/// The commands.
#[derive(Debug, Subcommand)]
pub(in crate::cli) enum SnapshotCommand {
    /// Take a snapshot of a directory and keep it.
    Create(CreateArgs),
    /// Show what a snapshot holds.
    Show(ShowArgs),
    /// Make a directory equal to a snapshot.
    Restore(RestoreArgs),
    /// Show what is different between two snapshots.
    Diff(DiffArgs),
    /// List the snapshots that are kept, the oldest first.
    List,
    /// Stop keeping snapshots; `bailiwick gc` gives back what only they took.
    Remove(RemoveArgs),
}

/// The arguments of `snapshot create`.
#[derive(Debug, Args)]
pub(in crate::cli) struct CreateArgs {
    /// The directory.
    #[arg(value_name = "DIR", value_hint = ValueHint::DirPath)]
    pub(super) dir: PathBuf,
    /// Write it to this archive as well, whose name says how it is compressed: `.tar`, `.tar.gz`, `.tar.zst`, …
    #[arg(short, long, value_name = "ARCHIVE", value_hint = ValueHint::FilePath)]
    pub(super) output: Option<PathBuf>,
    /// Leave out what these globs match, as `snapshot.ignore_globs` of a spec does [default: nothing]
    #[arg(long, value_name = "GLOB")]
    pub(super) ignore: Vec<String>,
    /// Take only the files that these globs match, as `snapshot.keep_globs` of a spec does [default: all]
    #[arg(long, value_name = "GLOB")]
    pub(super) only: Vec<String>,
    /// Read every file again, also those that have not changed since the last snapshot of this directory.
    #[arg(long)]
    pub(super) reread: bool,
}

/// The arguments of `snapshot show`.
#[derive(Debug, Args)]
pub(in crate::cli) struct ShowArgs {
    /// An id or how it begins, a directory, or an archive.
    #[arg(value_name = "SNAPSHOT", value_hint = ValueHint::AnyPath)]
    pub(super) snapshot: String,
}

/// The arguments of `snapshot restore`.
#[derive(Debug, Args)]
pub(in crate::cli) struct RestoreArgs {
    /// An id or how it begins, a directory, or an archive.
    #[arg(value_name = "SNAPSHOT", value_hint = ValueHint::AnyPath)]
    pub(super) snapshot: String,
    /// The directory; it is made if there is none.
    #[arg(value_name = "DIR", value_hint = ValueHint::DirPath)]
    pub(super) dir: PathBuf,
    /// Replace whatever the directory holds.
    #[arg(long)]
    pub(super) replace: bool,
}

/// The arguments of `snapshot diff`.
#[derive(Debug, Args)]
pub(in crate::cli) struct DiffArgs {
    /// The snapshot before: an id or how it begins, a directory, or an archive.
    #[arg(value_name = "BEFORE", value_hint = ValueHint::AnyPath)]
    pub(super) before: String,
    /// The snapshot after.
    #[arg(value_name = "AFTER", value_hint = ValueHint::AnyPath)]
    pub(super) after: String,
    /// Print a patch for `git apply`, byte for byte [default: the same, made harmless to a terminal]
    #[arg(long, conflicts_with = "stat")]
    pub(super) patch: bool,
    /// Print one line a path, and their sum.
    #[arg(long)]
    pub(super) stat: bool,
}

/// The arguments of `snapshot remove`.
#[derive(Debug, Args)]
pub(in crate::cli) struct RemoveArgs {
    /// Ids, or how they begin.
    #[arg(value_name = "ID", required = true)]
    pub(super) ids: Vec<String>,
}

pub(in crate::cli) async fn run(app: App, command: SnapshotCommand) -> anyhow::Result<ExitCode> {
    match command {
        SnapshotCommand::Create(args) => create::run(&app, args).await,
        SnapshotCommand::Show(args) => show::run(&app, args).await,
        SnapshotCommand::Restore(args) => restore::run(&app, args).await,
        SnapshotCommand::Diff(args) => diff::run(&app, args).await,
        SnapshotCommand::List => keep::list(&app),
        SnapshotCommand::Remove(args) => keep::remove(&app, &args),
    }
}

/// Gives the store of this host.
pub(super) fn store(app: &App) -> anyhow::Result<SnapshotStore> {
    let usage = || {
        Usage::new("there is no place for snapshots: this host has no data directory")
            .with_hint("set BAILIWICK_DATA_DIR or HOME")
    };
    Ok(app.registry.snapshot_store()?.ok_or_else(usage)?)
}
