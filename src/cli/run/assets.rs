//! `--asset` and `--assets` to assets.

use std::path::Path;
use std::sync::Arc;

use cap_std::ambient_authority;
use cap_std::fs::Dir;
use schemars::JsonSchema;
use serde::Deserialize;

use super::parse::AssetFlag;
use crate::ExecutionError;
use crate::cli::failure::Usage;
use crate::host::Host;
use crate::spec::read_strict;
use crate::workspace::{AssetResolver, ResolvedStaticAsset, StaticAssetConfig, StaticAssets};

/// What names the assets of a run.
#[derive(Debug)]
pub(super) struct AssetFlags {
    pub(super) one_by_one: Vec<AssetFlag>,
    pub(super) files: Vec<std::path::PathBuf>,
}

/// A file of assets.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
struct AssetsFile {
    /// The assets, by name or in groups.
    assets: StaticAssets,
    /// The groups that apply, later ones over earlier ones.
    order: Option<Vec<String>>,
}

/// Resolves the assets that were granted; existence and type are checked here.
pub(super) fn resolve(flags: &AssetFlags, host: &Host) -> anyhow::Result<Vec<ResolvedStaticAsset>> {
    let mut resolved = Vec::new();
    for file in &flags.files {
        resolved.extend(resolve_file(file, host)?);
    }
    for flag in &flags.one_by_one {
        resolved.push(resolve_one(flag)?);
    }
    for (index, asset) in resolved.iter().enumerate() {
        if resolved[..index].iter().any(|other| other.name() == asset.name()) {
            return Err(Usage::new(format!("the asset `{}` is granted twice", asset.name())).into());
        }
    }
    ResolvedStaticAsset::check_together(&resolved).map_err(ExecutionError::from)?;
    Ok(resolved)
}

/// Resolves the assets of a file, below its directory; whoever names the file grants what it asks for.
fn resolve_file(path: &Path, host: &Host) -> anyhow::Result<Vec<ResolvedStaticAsset>> {
    let shown = path.display().to_string();
    let cannot = |error: std::io::Error| Usage::new(format!("cannot read the assets of `{shown}`: {error}"));
    let real = path.canonicalize().map_err(cannot)?;
    let text = std::fs::read_to_string(&real).map_err(cannot)?;
    let (file, _) = read_strict::<AssetsFile>(&text, &shown).map_err(ExecutionError::from)?;
    let parent = real.parent().unwrap_or(Path::new("/"));
    let base = Dir::open_ambient_dir(parent, ambient_authority()).map_err(cannot)?;
    let resolver = AssetResolver::new(Arc::new(base))
        .grant_secrets(Arc::new(host.env.clone()))
        .grant_file_urls(host.dirs.cache.clone());
    Ok(resolver.resolve_all(&file.assets, file.order.as_deref()).map_err(ExecutionError::from)?)
}

/// Resolves one asset below its own directory: a link that the flag names is followed, links in it stay in it.
fn resolve_one(flag: &AssetFlag) -> anyhow::Result<ResolvedStaticAsset> {
    let AssetFlag { name, path, save_path } = flag;
    let shown = path.display();
    let cannot = |why: &dyn std::fmt::Display| Usage::new(format!("the asset `{name}` cannot be `{shown}`: {why}"));
    let real = path.canonicalize().map_err(|error| cannot(&error))?;
    let (Some(parent), Some(file)) = (real.parent(), real.file_name()) else {
        return Err(cannot(&"it is the root of the host").into());
    };
    let text = |name: &std::ffi::OsStr| name.to_str().map(str::to_owned).ok_or_else(|| cannot(&"it is not UTF-8"));
    let mut config = StaticAssetConfig::new(text(file)?);
    config.save_path = Some(match save_path {
        Some(save_path) => save_path.clone(),
        None => text(path.file_name().unwrap_or(file))?,
    });
    let base = Dir::open_ambient_dir(parent, ambient_authority()).map_err(|error| cannot(&error))?;
    Ok(ResolvedStaticAsset::resolve(&Arc::new(base), name, &config).map_err(ExecutionError::from)?)
}
