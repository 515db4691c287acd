//! Giving a tree to another user, by descriptors.

use std::os::fd::BorrowedFd;

use rustix::fs::{AtFlags, Gid, Uid};
use rustix::io::Errno;

use super::WorkspaceError;
use super::at;
use super::walk::{self, Descend, Seen, Visit};

struct Give {
    user: u32,
    group: u32,
}

/// Gives a directory and all below it to a user and a group.
pub(crate) fn give(root: BorrowedFd<'_>, user: u32, group: u32) -> Result<(), WorkspaceError> {
    let own = at::meta(root).map_err(|error| WorkspaceError::io("look at", b"", error))?;
    if own.user != user {
        rustix::fs::fchown(root, Some(Uid::from_raw(user)), Some(Gid::from_raw(group)))
            .map_err(|error| WorkspaceError::io("give away", b"", error))?;
    }
    walk::walk(root, u64::MAX, &mut Give { user, group })
}

impl Give {
    fn one(&self, seen: Seen<'_>) -> Result<(), WorkspaceError> {
        if seen.meta.user == self.user {
            return Ok(());
        }
        let ids = (Some(Uid::from_raw(self.user)), Some(Gid::from_raw(self.group)));
        match rustix::fs::chownat(seen.parent, seen.name, ids.0, ids.1, AtFlags::SYMLINK_NOFOLLOW) {
            // It went away, so it belongs to nobody.
            Ok(()) | Err(Errno::NOENT) => Ok(()),
            Err(error) => Err(WorkspaceError::io("give away", seen.path, error)),
        }
    }
}

impl Visit for Give {
    fn enter(&mut self, seen: Seen<'_>) -> Result<Descend, WorkspaceError> {
        self.one(seen).map(|()| Descend::Into)
    }

    fn entry(&mut self, seen: Seen<'_>) -> Result<(), WorkspaceError> {
        self.one(seen)
    }
}
