//! How much room the cache of compiled modules takes: what was used least recently makes place.
//!
//! Two engines may work on one directory: an artifact that is mapped stays so when its name is gone, a name that is
//! gone already is no failure, and nothing is ever written in place.

use std::io;
use std::time::{Duration, SystemTime};

use cap_std::fs::Dir;

use crate::runtime::Cached;
use crate::spec::ByteSize;

/// What the cache may take when the host says nothing.
pub(super) const DEFAULT_ROOM: ByteSize = ByteSize(4 << 30);

/// The sort of what is kept here.
pub(super) const SORT: &str = "module";

/// Drafts that are older than this were left by engines that died.
const STALE: Duration = Duration::from_secs(60 * 60);

/// Lists the artifacts, drafts that were left behind too. What vanishes meanwhile is not there.
pub(super) fn list(dir: &Dir) -> io::Result<Vec<Cached>> {
    let mut found = Vec::new();
    for entry in dir.entries()? {
        let Ok(entry) = entry else { continue };
        let Some(meta) = entry.metadata().ok().filter(cap_std::fs::Metadata::is_file) else { continue };
        let Ok(name) = entry.file_name().into_string() else { continue };
        let used = meta.modified().map_or(SystemTime::UNIX_EPOCH, cap_std::time::SystemTime::into_std);
        if name.starts_with('.') && used.elapsed().is_ok_and(|age| age < STALE) {
            continue;
        }
        found.push(Cached::new(SORT, name, meta.len(), used));
    }
    Ok(found)
}

/// Removes what was used least recently until the rest fits; `keep` is never removed.
pub(super) fn make_room(dir: &Dir, most: u64, keep: &str) -> io::Result<()> {
    let mut found = list(dir)?;
    let mut taken: u64 = found.iter().map(|cached| cached.bytes).sum();
    found.sort_by_key(|cached| cached.used);
    for cached in found.iter().filter(|cached| cached.name != keep) {
        if taken <= most {
            break;
        }
        remove(dir, &cached.name)?;
        taken = taken.saturating_sub(cached.bytes);
    }
    Ok(())
}

/// Removes one artifact; one that is gone is removed.
pub(super) fn remove(dir: &Dir, name: &str) -> io::Result<()> {
    match dir.remove_file(name) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
        _ => Ok(()),
    }
}

/// Marks an artifact as used now. Times of access cannot be relied on: many hosts do not keep them.
pub(super) fn touch(file: &std::fs::File) {
    // Only the order of removal depends on it.
    let _ = file.set_modified(SystemTime::now());
}

#[cfg(test)]
mod tests {
    use std::fs::File;
    use std::io::Write;

    use super::*;

    fn names(dir: &Dir) -> Vec<String> {
        let mut names: Vec<String> = list(dir).unwrap().into_iter().map(|cached| cached.name).collect();
        names.sort();
        names
    }

    #[test]
    fn what_was_used_least_recently_goes_first_and_what_is_kept_stays() {
        let temp = tempfile::tempdir().unwrap();
        let dir = Dir::open_ambient_dir(temp.path(), cap_std::ambient_authority()).unwrap();
        let old = SystemTime::now() - Duration::from_secs(1000);
        for (age, name) in ["a", "b", "c", "d"].into_iter().enumerate() {
            let mut file = File::create(temp.path().join(name)).unwrap();
            file.write_all(&[0; 100]).unwrap();
            file.set_modified(old + Duration::from_secs(age as u64)).unwrap();
        }
        touch(&File::open(temp.path().join("a")).unwrap());
        make_room(&dir, 250, "b").unwrap();
        assert_eq!(names(&dir), ["a", "b"]);
        make_room(&dir, 0, "").unwrap();
        assert!(names(&dir).is_empty());
        remove(&dir, "a").unwrap();
    }

    #[test]
    fn a_draft_is_somebody_elses_until_it_is_old() {
        let temp = tempfile::tempdir().unwrap();
        let dir = Dir::open_ambient_dir(temp.path(), cap_std::ambient_authority()).unwrap();
        let draft = File::create(temp.path().join(".draft")).unwrap();
        assert!(names(&dir).is_empty());
        draft.set_modified(SystemTime::now() - 2 * STALE).unwrap();
        assert_eq!(names(&dir), [".draft"]);
    }
}
