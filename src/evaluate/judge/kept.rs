//! Where compiled submissions are kept: by content, in a part of the cache that does not grow for ever.

use std::path::PathBuf;
use std::time::{Duration, SystemTime};

use cap_std::ambient_authority;
use cap_std::fs::{Dir, DirBuilder, DirBuilderExt as _};

use crate::error::{ErrorKind, ExecutionError};
use crate::runtime::RuntimeRegistry;
use crate::workspace::{DRAFT, touch};

/// The name of that part, below the cache directory.
pub(crate) const KEPT: &str = "compiled";
/// The most submissions that are kept; those that were used least recently go first.
const MOST_KEPT: usize = 512;
/// What is younger than this may be in use, and stays.
const YOUNG: Duration = Duration::from_secs(3600);

/// A directory of the host that goes when this does.
#[derive(Debug)]
pub(super) struct Scratch {
    parent: Dir,
    name: String,
    /// The directory above, where that goes too: where it stands, and its name.
    above: Option<(Dir, String)>,
}

impl Drop for Scratch {
    fn drop(&mut self) {
        // What cannot be removed is in a private directory, which may be deleted at any time.
        let _ = self.parent.remove_dir_all(&self.name);
        if let Some((root, name)) = &self.above {
            let _ = root.remove_dir(name);
        }
    }
}

/// Where what was compiled is kept: in the cache, else in a directory that goes with the evaluation.
pub(super) struct Place {
    path: PathBuf,
    /// The name in the cache; none where nothing is kept for the next time.
    name: Option<String>,
    draft: Scratch,
}

impl Place {
    /// Opens the place of this name; without one nothing is kept for the next time.
    pub(super) fn open(registry: &RuntimeRegistry, name: Option<&str>) -> Result<Self, ExecutionError> {
        let failed = |error: std::io::Error| ExecutionError::new(ErrorKind::Workspace, error);
        static NEXT: std::sync::atomic::AtomicU64 = std::sync::atomic::AtomicU64::new(0);
        let number = NEXT.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
        let own = format!("{}-{number}", std::process::id());
        let dirs = &registry.host().dirs;
        let (above, below, name) = match (&dirs.cache, name) {
            (Some(cache), Some(name)) => (cache.clone(), KEPT.to_owned(), Some(name.to_owned())),
            (Some(_) | None, _) => {
                let temp = dirs.temp.clone().unwrap_or_else(|| PathBuf::from("/tmp"));
                (temp, format!("bailiwick-{KEPT}-{own}"), None)
            }
        };
        let authority = ambient_authority();
        Dir::create_ambient_dir_all(&above, authority).map_err(failed)?;
        let root = Dir::open_ambient_dir(&above, authority).map_err(failed)?;
        let mut builder = DirBuilder::new();
        builder.recursive(name.is_some()).mode(0o700);
        root.create_dir_with(&below, &builder).map_err(failed)?;
        let parent = root.open_dir(&below).map_err(failed)?;
        let path = above.join(&below);
        let draft = Scratch { parent, name: format!("{DRAFT}{own}"), above: name.is_none().then_some((root, below)) };
        Ok(Self { path, name, draft })
    }

    pub(super) fn kept(&self) -> Option<PathBuf> {
        let name = self.name.as_ref()?;
        touch(&self.draft.parent.open_dir(name).ok()?);
        Some(self.path.join(name))
    }

    pub(super) fn draft(&self) -> PathBuf {
        self.path.join(&self.draft.name)
    }

    /// Gives the draft its name, in one step; another run that was faster has made the same.
    pub(super) fn finish(self) -> Result<(PathBuf, Option<Scratch>), ExecutionError> {
        let parent = &self.draft.parent;
        let Some(name) = &self.name else { return Ok((self.draft(), Some(self.draft))) };
        // Where it cannot have the name, it goes with the draft.
        let _ = parent.rename(&self.draft.name, parent, name);
        sweep(parent);
        match self.kept() {
            Some(path) => Ok((path, None)),
            None => Err(ExecutionError::new(ErrorKind::Workspace, "what was compiled cannot be kept")),
        }
    }
}

/// Removes what is too much, and drafts of runs that ended before their time. What cannot be removed stays.
fn sweep(parent: &Dir) {
    let Ok(entries) = parent.entries() else { return };
    let mut found: Vec<(SystemTime, String)> = entries
        .filter_map(|entry| {
            let entry = entry.ok()?;
            let modified = entry.metadata().ok()?.modified().ok()?.into_std();
            Some((modified, entry.file_name().into_string().ok()?))
        })
        .collect();
    found.sort();
    let surplus = found.len().saturating_sub(MOST_KEPT);
    let is_old = |modified: &SystemTime| modified.elapsed().is_ok_and(|age| age > YOUNG);
    let is_surplus = |index: usize, name: &str| index < surplus || name.starts_with(DRAFT);
    let surplus =
        found.iter().enumerate().filter(|(index, (modified, name))| is_surplus(*index, name) && is_old(modified));
    for (_, (_, name)) in surplus {
        let _ = parent.remove_dir_all(name);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_old_and_too_much_goes_and_what_is_young_stays() {
        let temp = tempfile::tempdir().unwrap();
        let parent = Dir::open_ambient_dir(temp.path(), ambient_authority()).unwrap();
        let old = SystemTime::now() - 2 * YOUNG;
        let make = |name: &str, is_old: bool| {
            std::fs::create_dir(temp.path().join(name)).unwrap();
            if is_old {
                std::fs::File::open(temp.path().join(name)).unwrap().set_modified(old).unwrap();
            }
        };
        (0..MOST_KEPT + 3).for_each(|index| make(&format!("kept-{index}"), index < 2));
        make("draft-1-1", true);
        make("draft-1-2", false);
        sweep(&parent);
        let left = |name: &str| temp.path().join(name).exists();
        assert!(!left("kept-0") && !left("kept-1") && !left("draft-1-1"));
        assert!(left("kept-2") && left("draft-1-2"));
    }
}
