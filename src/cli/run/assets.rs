//! `--asset` to assets.

use std::sync::Arc;

use cap_std::ambient_authority;
use cap_std::fs::Dir;

use super::parse::AssetFlag;
use crate::ExecutionError;
use crate::cli::failure::Usage;
use crate::workspace::{ResolvedStaticAsset, StaticAssetConfig};

/// Resolves the assets that were granted; existence and type are checked here.
pub(super) fn resolve(flags: &[AssetFlag]) -> anyhow::Result<Vec<ResolvedStaticAsset>> {
    let mut resolved: Vec<ResolvedStaticAsset> = Vec::new();
    for flag in flags {
        if resolved.iter().any(|other| other.name() == flag.name) {
            return Err(Usage::new(format!("the asset `{}` is granted twice", flag.name)).into());
        }
        resolved.push(resolve_one(flag)?);
    }
    ResolvedStaticAsset::check_together(&resolved).map_err(ExecutionError::from)?;
    Ok(resolved)
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
