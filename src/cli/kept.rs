//! What is kept in the cache directory and by no runtime: each sort is a folder there.

use std::path::Path;

use crate::error::{ErrorKind, ExecutionError};
use crate::host::HostDirs;
use crate::runtime::Cached;
use crate::workspace::{CACHED_ASSETS, CacheFolder};

/// The sorts, and the folder of each.
const SORTS: &[(&str, &str)] = &[
    ("asset", CACHED_ASSETS),
    ("download", HostDirs::DOWNLOADS),
    #[cfg(feature = "evaluate")]
    ("submission", crate::evaluate::COMPILED_SUBMISSIONS),
];

/// Lists what is kept below a cache directory.
pub(super) fn list(cache: &Path) -> Result<Vec<Cached>, ExecutionError> {
    let failed = |error: std::io::Error| ExecutionError::new(ErrorKind::Workspace, error);
    let mut kept = Vec::new();
    for (sort, folder) in SORTS {
        if let Some(folder) = CacheFolder::open_ambient(cache, folder).map_err(failed)? {
            let listed = folder.list().map_err(failed)?.into_iter();
            kept.extend(listed.map(|entry| Cached::new(sort, entry.name, entry.bytes, entry.used)));
        }
    }
    Ok(kept)
}

/// Removes something that [`list`] gave. What is gone already is removed.
pub(super) fn remove(cache: &Path, cached: &Cached) -> Result<(), ExecutionError> {
    let failed = |error: std::io::Error| ExecutionError::new(ErrorKind::Workspace, error);
    let folder = SORTS.iter().find(|(sort, _)| *sort == cached.sort).map(|(_, folder)| *folder);
    let Some(folder) = folder else { return Ok(()) };
    match CacheFolder::open_ambient(cache, folder).map_err(failed)? {
        Some(folder) => folder.remove(&cached.name).map_err(ExecutionError::from),
        None => Ok(()),
    }
}
