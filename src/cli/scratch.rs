//! A private directory for what is fetched, unpacked or kept for a while, removed when dropped.

use std::os::unix::fs::DirBuilderExt;
use std::path::{Path, PathBuf};
use std::time::{SystemTime, UNIX_EPOCH};

use anyhow::Context;
use cap_std::ambient_authority;
use cap_std::fs::Dir;

use crate::host::Host;
use crate::workspace::DRAFT;

/// A directory of this process alone, below the cache, or below the temp directory where there is no cache.
#[derive(Debug)]
pub(in crate::cli) struct Scratch {
    path: PathBuf,
    #[cfg(feature = "wasi")]
    parent: PathBuf,
}

impl Scratch {
    /// Makes the directory.
    pub(in crate::cli) fn make(host: &Host) -> anyhow::Result<Self> {
        let parent = match host.dirs.downloads() {
            Some(dir) => dir,
            None => host.dirs.temp.clone().unwrap_or_else(|| "/tmp".into()),
        };
        let mut builder = std::fs::DirBuilder::new();
        builder.mode(0o700);
        builder.recursive(true).create(&parent).with_context(|| format!("make `{}`", parent.display()))?;
        let nanos = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |now| now.as_nanos());
        let path = parent.join(format!("{DRAFT}scratch-{}-{nanos:x}", std::process::id()));
        builder.recursive(false).create(&path).with_context(|| format!("make `{}`", path.display()))?;
        Ok(Self {
            path,
            #[cfg(feature = "wasi")]
            parent,
        })
    }

    pub(in crate::cli) fn path(&self) -> &Path {
        &self.path
    }

    /// Makes a directory in it.
    #[cfg(feature = "wasi")]
    pub(in crate::cli) fn dir(&self, name: &str) -> anyhow::Result<PathBuf> {
        let path = self.path.join(name);
        std::fs::DirBuilder::new().mode(0o700).create(&path).with_context(|| format!("make `{}`", path.display()))?;
        Ok(path)
    }

    /// Keeps a file of it beside it, under another name; a cache that cannot be written costs time, nothing else.
    #[cfg(feature = "wasi")]
    pub(in crate::cli) fn keep(&self, file: &Path, name: &str) -> Option<PathBuf> {
        let parent = Dir::open_ambient_dir(&self.parent, ambient_authority()).ok()?;
        let from = file.strip_prefix(&self.parent).ok()?;
        parent.rename(from, &parent, name).ok()?;
        Some(self.parent.join(name))
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        if let Ok(dir) = Dir::open_ambient_dir(&self.path, ambient_authority()) {
            // What cannot be removed lies in a cache that may be deleted.
            let _ = dir.remove_open_dir_all();
        }
    }
}
