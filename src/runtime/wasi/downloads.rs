//! The archives that programs were installed from, as a part of the cache: what is gone is downloaded again.

use std::io;
use std::path::Path;

use cap_std::fs::Dir;

use super::cache_room;
use crate::runtime::Cached;

/// The sort of what is kept here.
pub(super) const SORT: &str = "download";

/// Lists the archives; none where nothing was ever downloaded.
pub(super) fn list(path: Option<&Path>) -> io::Result<Vec<Cached>> {
    open(path)?.map_or(Ok(Vec::new()), |dir| cache_room::list(&dir, SORT))
}

/// Removes one archive; one that is gone is removed.
pub(super) fn remove(path: Option<&Path>, name: &str) -> io::Result<()> {
    open(path)?.map_or(Ok(()), |dir| cache_room::remove(&dir, name))
}

fn open(path: Option<&Path>) -> io::Result<Option<Dir>> {
    let Some(path) = path else { return Ok(None) };
    match Dir::open_ambient_dir(path, cap_std::ambient_authority()) {
        Ok(dir) => Ok(Some(dir)),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error),
    }
}

#[cfg(test)]
mod tests {
    use std::fs::File;
    use std::io::Write;

    use super::*;

    #[test]
    fn archives_are_listed_and_removed_and_a_missing_directory_holds_none() {
        let temp = tempfile::tempdir().unwrap();
        let path = temp.path().join("downloads");
        assert!(list(Some(&path)).unwrap().is_empty() && list(None).unwrap().is_empty());
        remove(Some(&path), "x").unwrap();
        std::fs::create_dir(&path).unwrap();
        File::create(path.join("abc.whl")).unwrap().write_all(&[0; 10]).unwrap();
        let found = list(Some(&path)).unwrap();
        assert_eq!((found[0].sort, found[0].name.as_str(), found[0].bytes), (SORT, "abc.whl", 10));
        remove(Some(&path), "abc.whl").unwrap();
        assert!(list(Some(&path)).unwrap().is_empty());
    }
}
