//! `cache`: what runtimes, and bailiwick itself, keep to be faster next time, in one table.

use std::path::Path;
use std::process::ExitCode;
use std::sync::Arc;

use clap::{Args, Subcommand};

use super::app::App;
use super::json::{CacheObject, CachedObject, VERSION};
use super::kept;
use super::terminal::printable;
use crate::runtime::{AnyRuntimeKind, Cached};
use crate::spec::ByteSize;

/// The commands of `cache`.
#[derive(Debug, Subcommand)]
pub(super) enum CacheCommand {
    /// List what is kept, the least recently used first.
    List,
    /// Remove what was used least recently until the rest fits.
    Prune(PruneArgs),
}

/// The arguments of `cache prune`.
#[derive(Debug, Args)]
pub(super) struct PruneArgs {
    /// Leave at most this much; 0 removes everything [default: the host file's `cache.max_size`, else 4GiB]
    #[arg(long, value_name = "SIZE", value_parser = parse_size)]
    max_size: Option<ByteSize>,
}

/// Something that is kept, and the runtime that keeps it, where one does.
type Kept = (Option<Arc<dyn AnyRuntimeKind>>, Cached);

/// What is left when nothing says how much.
const DEFAULT_SIZE: ByteSize = ByteSize(4 << 30);

pub(super) async fn run(app: App, command: CacheCommand) -> anyhow::Result<ExitCode> {
    let cache = app.registry.host().dirs.cache.clone();
    let mut kept: Vec<Kept> = match &cache {
        Some(cache) => kept::list(cache)?.into_iter().map(|cached| (None, cached)).collect(),
        None => Vec::new(),
    };
    for kind in app.registry.kinds() {
        kept.extend(kind.cached().await?.into_iter().map(|cached| (Some(Arc::clone(kind)), cached)));
    }
    kept.sort_by_key(|(_, cached)| cached.used);
    let mut removed = Vec::new();
    if let CacheCommand::Prune(args) = command {
        let ruled = app.registry.host().policy.cache_size.as_ref().map(|ruled| ruled.value);
        let most = args.max_size.or(ruled).unwrap_or(DEFAULT_SIZE).0;
        removed = prune(&mut kept, most, cache.as_deref()).await?;
    }
    let bytes = |all: &[Kept]| all.iter().map(|(_, cached)| cached.bytes).sum();
    let object = CacheObject {
        version: VERSION,
        bytes: bytes(&kept),
        removed_bytes: bytes(&removed),
        kept: kept.iter().map(describe).collect(),
        removed: removed.iter().map(describe).collect(),
    };
    app.terminal.print_either(&object, draw);
    Ok(ExitCode::SUCCESS)
}

/// Removes from the front of the list until the rest fits, and gives what was removed.
async fn prune(kept: &mut Vec<Kept>, most: u64, cache: Option<&Path>) -> anyhow::Result<Vec<Kept>> {
    let mut taken: u64 = kept.iter().map(|(_, cached)| cached.bytes).sum();
    let mut goes = 0;
    while let Some((kind, cached)) = kept.get(goes).filter(|_| taken > most) {
        match (kind, cache) {
            (Some(kind), _) => kind.evict(cached).await?,
            (None, Some(cache)) => kept::remove(cache, cached)?,
            (None, None) => {}
        }
        taken = taken.saturating_sub(cached.bytes);
        goes += 1;
    }
    Ok(kept.drain(..goes).collect())
}

fn parse_size(text: &str) -> Result<ByteSize, String> {
    match text.trim() {
        // A limit is never zero; what is left may be.
        "0" => Ok(ByteSize(0)),
        text => text.parse().map_err(|problem: crate::spec::Problem| problem.message),
    }
}

fn describe((kind, cached): &Kept) -> CachedObject {
    let used = jiff::Timestamp::try_from(cached.used).map(|used| used.to_string());
    CachedObject {
        runtime: kind.as_ref().map(|kind| kind.ty()),
        sort: cached.sort,
        name: cached.name.clone(),
        bytes: cached.bytes,
        used: used.unwrap_or_default(),
    }
}

fn draw(object: &CacheObject) -> String {
    let row = |did: &str, one: &CachedObject| {
        let size = ByteSize(one.bytes).to_string();
        let runtime = one.runtime.unwrap_or("-");
        format!("{did}{runtime}  {}  {size:>10}  {}  {}\n", one.sort, one.used, printable(&one.name))
    };
    let mut text: String = object.removed.iter().map(|one| row("removed ", one)).collect();
    if object.removed.is_empty() {
        text.extend(object.kept.iter().map(|one| row("", one)));
    }
    text + &format!("{} kept, {}\n", object.kept.len(), ByteSize(object.bytes))
}
