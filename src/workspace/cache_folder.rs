//! A folder of the cache directory whose entries may go at any time: what is in it, and room made there.

use std::ffi::CString;
use std::io;
use std::os::fd::AsFd as _;
use std::path::Path;
use std::time::{Duration, SystemTime};

use cap_std::ambient_authority;
use cap_std::fs::{Dir, Metadata};

use super::cache_use::DRAFT;
use super::{WorkspaceError, remove, usage};

/// Drafts that are younger than this are somebody's who is at work.
const STALE: Duration = Duration::from_secs(60 * 60);

/// One such folder.
#[derive(Debug)]
pub(crate) struct CacheFolder(Dir);

/// One entry: a file, or a tree.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct CacheEntry {
    pub(crate) name: String,
    pub(crate) bytes: u64,
    /// When it was used last.
    pub(crate) used: SystemTime,
}

impl CacheFolder {
    /// Opens a folder of a cache directory; `None`: nothing was kept there yet.
    pub(crate) fn open_ambient(cache: &Path, folder: &str) -> io::Result<Option<Self>> {
        let opened = Dir::open_ambient_dir(cache, ambient_authority()).and_then(|cache| cache.open_dir(folder));
        match opened {
            Ok(dir) => Ok(Some(Self(dir))),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// Lists the entries, drafts that were left behind too. What vanishes meanwhile is not there.
    pub(crate) fn list(&self) -> io::Result<Vec<CacheEntry>> {
        let mut found = Vec::new();
        for entry in self.0.entries()? {
            let Ok(entry) = entry else { continue };
            let (Ok(meta), Ok(name)) = (entry.metadata(), entry.file_name().into_string()) else { continue };
            let used = meta.modified().map_or(SystemTime::UNIX_EPOCH, cap_std::time::SystemTime::into_std);
            if name.starts_with(DRAFT) && used.elapsed().is_ok_and(|age| age < STALE) {
                continue;
            }
            found.extend(self.bytes(&name, &meta).map(|bytes| CacheEntry { name, bytes, used }));
        }
        Ok(found)
    }

    fn bytes(&self, name: &str, meta: &Metadata) -> Option<u64> {
        if !meta.is_dir() {
            return Some(meta.len());
        }
        let tree = self.0.open_dir(name).ok()?;
        usage::measure(tree.as_fd()).ok().map(|usage| usage.bytes)
    }

    /// Removes an entry, however deep it is; one that is gone is removed.
    pub(crate) fn remove(&self, name: &str) -> Result<(), WorkspaceError> {
        // A name that was listed has neither a NUL nor a slash.
        CString::new(name).map_or(Ok(()), |name| remove::remove(self.0.as_fd(), &name))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_and_trees_are_entries_and_young_drafts_are_not() {
        let temp = tempfile::tempdir().unwrap();
        let folder = temp.path().join("kept");
        assert!(CacheFolder::open_ambient(temp.path(), "kept").unwrap().is_none());
        let made = Dir::open_ambient_dir(temp.path(), ambient_authority()).unwrap();
        made.create_dir_all("kept/tree/below").unwrap();
        made.write("kept/tree/below/file", [1; 100_000]).unwrap();
        made.write("kept/file", [1; 100]).unwrap();
        std::fs::create_dir(folder.join("draft-1")).unwrap();
        let old = std::fs::File::create(folder.join("draft-2")).unwrap();
        old.set_modified(SystemTime::now() - 2 * STALE).unwrap();
        let opened = CacheFolder::open_ambient(temp.path(), "kept").unwrap().unwrap();
        let mut listed = opened.list().unwrap();
        listed.sort_by(|one, other| one.name.cmp(&other.name));
        let names: Vec<&str> = listed.iter().map(|entry| entry.name.as_str()).collect();
        assert_eq!(names, ["draft-2", "file", "tree"]);
        assert!(listed[1].bytes == 100 && listed[2].bytes >= 100_000, "{listed:?}");
        listed.iter().for_each(|entry| opened.remove(&entry.name).unwrap());
        opened.remove("tree").unwrap();
        assert!(opened.list().unwrap().is_empty() && folder.join("draft-1").is_dir());
    }
}
