//! What may stand in a directory asset, asked entry by entry while it is copied.

use std::os::unix::ffi::OsStrExt as _;
use std::path::{Component, Path};

use super::AssetError;
use crate::workspace::at::{self, Kind};
use crate::workspace::path::display;
use crate::workspace::walk::Seen;

/// How deep a directory asset may be nested.
pub(super) const MAX_DEPTH: usize = 128;

/// Refuses links that may lead out, specials, names that are not UTF-8 and deep nesting.
pub(super) fn check(name: &str, seen: Seen<'_>) -> Result<(), AssetError> {
    let (owned, path) = (name.to_owned(), display(seen.path));
    if std::str::from_utf8(seen.name.to_bytes()).is_err() {
        return Err(AssetError::NotText { name: owned, path });
    }
    let depth = seen.path.split(|byte| *byte == b'/').count() - 1;
    match seen.meta.kind {
        Kind::Directory if depth >= MAX_DEPTH => Err(AssetError::Depth { name: owned, path }),
        Kind::File | Kind::Directory => Ok(()),
        Kind::Special => Err(AssetError::Special { name: owned, path }),
        Kind::Symlink => {
            let target = at::read_link(seen.parent, seen.name)
                .map_err(|error| AssetError::io("read the link", name, &path, error))?;
            if stays_inside(Path::new(std::ffi::OsStr::from_bytes(&target)), depth) {
                return Ok(());
            }
            Err(AssetError::Link { name: owned, path, target: display(&target) })
        }
    }
}

/// Says whether a link can lead nowhere but below the root of its tree.
///
/// `..` may stand only at the beginning, as often as the link is deep: behind a name, which may be
/// a link itself, it could climb out of wherever that leads.
fn stays_inside(target: &Path, depth: usize) -> bool {
    let mut up = 0;
    let mut named = false;
    for component in target.components() {
        match component {
            Component::ParentDir if named => return false,
            Component::ParentDir => up += 1,
            Component::CurDir => {}
            Component::Normal(_) => named = true,
            Component::RootDir | Component::Prefix(_) => return false,
        }
    }
    up <= depth && target != Path::new("")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn links_stay_below_their_root() {
        for (target, depth) in [("a", 0), ("a/b", 0), ("./a", 0), ("../a", 1), ("../../a/b", 2), ("..", 1)] {
            assert!(stays_inside(Path::new(target), depth), "{target}");
        }
        for (target, depth) in [("/a", 9), ("..", 0), ("../a", 0), ("a/..", 9), ("a/../b", 9), ("../../a", 1), ("", 0)]
        {
            assert!(!stays_inside(Path::new(target), depth), "{target}");
        }
    }
}
