//! The commands of `snapshot`.

use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Args, Subcommand, ValueHint};

use super::{create, diff, keep, restore, show};
use crate::cli::app::App;
use crate::cli::failure::Usage;
use crate::spec::{ByteSize, Problem};
use crate::workspace::{Bounds, SnapshotStore};

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

/// How large a tree may be; an id stands for a tree of any size.
#[derive(Clone, Copy, Debug, Args)]
pub(in crate::cli) struct BoundArgs {
    /// Refuse a directory or archive of more entries [default: 1000000]
    #[arg(long, value_name = "COUNT", value_parser = clap::value_parser!(u64).range(1..))]
    max_entries: Option<u64>,
    /// Refuse a directory or archive of more bytes, holes counted [default: 64GiB]
    #[arg(long, value_name = "SIZE", value_parser = parse_size)]
    max_bytes: Option<ByteSize>,
}

impl BoundArgs {
    pub(super) fn bounds(self) -> Bounds {
        let Bounds { entries, bytes } = Bounds::default();
        Bounds { entries: self.max_entries.unwrap_or(entries), bytes: self.max_bytes.map_or(bytes, |size| size.0) }
    }
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
    #[command(flatten)]
    pub(super) bounds: BoundArgs,
}

/// The arguments of `snapshot show`.
#[derive(Debug, Args)]
pub(in crate::cli) struct ShowArgs {
    /// An id or how it begins, a directory, or an archive.
    #[arg(value_name = "SNAPSHOT", value_hint = ValueHint::AnyPath)]
    pub(super) snapshot: String,
    #[command(flatten)]
    pub(super) bounds: BoundArgs,
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
    #[command(flatten)]
    pub(super) bounds: BoundArgs,
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
    #[command(flatten)]
    pub(super) bounds: BoundArgs,
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

fn parse_size(text: &str) -> Result<ByteSize, String> {
    text.parse().map_err(|problem: Problem| problem.message)
}

/// Gives the store of this host.
pub(super) fn store(app: &App) -> anyhow::Result<SnapshotStore> {
    let usage = || {
        Usage::new("there is no place for snapshots: this host has no data directory")
            .with_hint("set BAILIWICK_DATA_DIR or HOME")
    };
    Ok(app.registry.snapshot_store()?.ok_or_else(usage)?)
}
