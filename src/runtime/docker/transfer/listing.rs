//! What the container has of a workspace, so that only what changed on our side goes in again.

use std::collections::BTreeMap;
use std::os::fd::AsFd as _;

use cap_std::fs::Dir;

use crate::workspace::{Bounds, Descend, Kind, Meta, Seen, Stamp, Visit, WorkspaceError, WorkspacePath, walk};

/// A workspace as it was when it and the container's were the same.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(in crate::runtime::docker) struct Listing {
    entries: BTreeMap<WorkspacePath, Looks>,
}

/// What has to happen in a container before it has the workspace again.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(in crate::runtime::docker) struct Pending {
    /// Paths to remove there, with all that they hold; none of them lies below another.
    pub(in crate::runtime::docker) removed: Vec<WorkspacePath>,
    /// Directories there that stand in the way of removing, because their owner may not write to them.
    pub(in crate::runtime::docker) shut: Vec<WorkspacePath>,
    /// Paths to put there.
    pub(in crate::runtime::docker) changed: Vec<WorkspacePath>,
}

/// What tells an entry from what it was.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Looks {
    kind: Kind,
    mode: u32,
    /// Of anything but a directory, which is the same whatever it holds.
    content: Option<(u64, (u64, u64), Stamp, Stamp)>,
}

impl Listing {
    /// Lists a directory.
    pub(in crate::runtime::docker) fn of(dir: &Dir, bounds: Bounds) -> Result<Self, WorkspaceError> {
        let mut listing = Self::default();
        walk(dir.as_fd(), bounds.entries, &mut listing)?;
        Ok(listing)
    }

    /// Says what has to happen where this is known, so that `now` is there.
    pub(in crate::runtime::docker) fn pending(&self, now: &Self) -> Pending {
        let mut pending = Pending::default();
        for (path, was) in &self.entries {
            let is_other = now.entries.get(path).is_none_or(|is| is.kind != was.kind);
            let is_below = pending.removed.last().is_some_and(|above: &WorkspacePath| path.starts_with(above));
            if is_other && !is_below {
                pending.removed.push(path.clone());
            }
        }
        let meets = |path: &WorkspacePath| {
            pending.removed.iter().any(|removed| path.starts_with(removed) || removed.starts_with(path))
        };
        let is_shut = |looks: &Looks| looks.kind == Kind::Directory && looks.mode & 0o700 != 0o700;
        let shut = self.entries.iter().filter(|(path, was)| is_shut(was) && meets(path));
        let shut: Vec<WorkspacePath> = shut.map(|(path, _)| path.clone()).collect();
        // Those that stay get their permissions back.
        let is_other = |path: &WorkspacePath, is: &Looks| self.entries.get(path) != Some(is) || shut.contains(path);
        let changed = now.entries.iter().filter(|(path, is)| is_other(path, is));
        pending.changed = changed.map(|(path, _)| path.clone()).collect();
        pending.shut = shut;
        pending
    }

    /// Says how large it is: all bytes of files, holes counted, and all entries.
    pub(in crate::runtime::docker) fn size(&self) -> Bounds {
        let bytes = self.entries.values().filter_map(|looks| Some(looks.content?.0));
        Bounds { bytes: bytes.fold(0, u64::saturating_add), entries: self.entries.len() as u64 }
    }

    fn keep(&mut self, seen: Seen<'_>) {
        if seen.meta.kind != Kind::Special {
            self.entries.insert(WorkspacePath::from_walk(seen.path), Looks::new(seen.meta));
        }
    }
}

impl Pending {
    /// Says whether the container has everything as it is.
    pub(in crate::runtime::docker) fn is_empty(&self) -> bool {
        self.removed.is_empty() && self.changed.is_empty()
    }
}

impl Looks {
    fn new(meta: &Meta) -> Self {
        let content = (meta.kind != Kind::Directory).then(|| (meta.size, meta.identity(), meta.modified, meta.changed));
        Self { kind: meta.kind, mode: meta.mode, content }
    }
}

impl Visit for Listing {
    fn enter(&mut self, seen: Seen<'_>) -> Result<Descend, WorkspaceError> {
        self.keep(seen);
        Ok(Descend::Into)
    }

    fn entry(&mut self, seen: Seen<'_>) -> Result<(), WorkspaceError> {
        self.keep(seen);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use cap_std::ambient_authority;

    #[test]
    fn only_what_changed_is_pending() {
        let temp = tempfile::tempdir().unwrap();
        let dir = Dir::open_ambient_dir(temp.path(), ambient_authority()).unwrap();
        dir.create_dir_all("kept/deep").unwrap();
        dir.create_dir_all("gone/deep").unwrap();
        for name in ["kept/file", "gone/deep/file", "gone-not", "turned"] {
            dir.write(name, "1").unwrap();
        }
        let list = || Listing::of(&dir, Bounds::default()).unwrap();
        let before = list();
        assert!(before.pending(&list()).is_empty());
        dir.remove_dir_all("gone").unwrap();
        dir.remove_file("turned").unwrap();
        dir.create_dir("turned").unwrap();
        dir.write("kept/deep/new", "2").unwrap();
        let names = |paths: &[WorkspacePath]| paths.iter().map(ToString::to_string).collect::<Vec<_>>();
        let pending = before.pending(&list());
        assert_eq!(names(&pending.removed), ["gone", "turned"]);
        assert_eq!(names(&pending.changed), ["kept/deep/new", "turned"]);
        // The first time everything has to go in.
        assert_eq!(Listing::default().pending(&list()).changed.len(), 6);
    }
}
