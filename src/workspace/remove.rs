//! Removing trees by descriptors only.

use std::ffi::CStr;
use std::io;
use std::os::fd::{AsFd, BorrowedFd};

use rustix::fs::AtFlags;
use rustix::io::Errno;

use super::walk::{self, Descend, Seen, Visit};
use super::{WorkspaceError, at};

/// How often a tree that others still write to is gone through.
const PASSES: usize = 8;

/// Removes the entry `name` of a directory, with all that it holds. What is not there is no error.
///
/// Links are removed and never followed; what is mounted inside is left and reported.
pub(crate) fn remove(parent: BorrowedFd<'_>, name: &CStr) -> Result<(), WorkspaceError> {
    match rustix::fs::unlinkat(parent, name, AtFlags::empty()) {
        Ok(()) | Err(Errno::NOENT) => return Ok(()),
        Err(Errno::ISDIR | Errno::PERM) => {}
        Err(error) => return Err(WorkspaceError::io("remove", name.to_bytes(), error)),
    }
    let mut outcome = Ok(());
    for _ in 0..PASSES {
        let directory = match at::open_dir(parent, name) {
            Err(Errno::ACCESS) => at::open_forced(parent, name, 0o700).map(|(directory, _)| directory),
            opened => opened,
        };
        outcome = match directory {
            Ok(directory) => clear(directory.as_fd()),
            Err(Errno::NOENT) => return Ok(()),
            // A race made it something else: the removal below finds out.
            Err(Errno::LOOP | Errno::NOTDIR) => Ok(()),
            Err(error) => Err(WorkspaceError::io("open", name.to_bytes(), error)),
        };
        match rustix::fs::unlinkat(parent, name, AtFlags::REMOVEDIR) {
            Ok(()) | Err(Errno::NOENT) => return Ok(()),
            Err(Errno::NOTDIR) => return remove_entry(parent, name),
            Err(Errno::NOTEMPTY) => {}
            Err(error) => {
                outcome = outcome.and(Err(WorkspaceError::io("remove", name.to_bytes(), error)));
                break;
            }
        }
    }
    outcome.and(Err(WorkspaceError::Changing { path: super::path::display(name.to_bytes()) }))
}

fn remove_entry(parent: BorrowedFd<'_>, name: &CStr) -> Result<(), WorkspaceError> {
    match rustix::fs::unlinkat(parent, name, AtFlags::empty()) {
        Ok(()) | Err(Errno::NOENT) => Ok(()),
        Err(error) => Err(WorkspaceError::io("remove", name.to_bytes(), error)),
    }
}

/// Removes what a directory holds and keeps the directory itself.
pub(crate) fn clear(directory: BorrowedFd<'_>) -> Result<(), WorkspaceError> {
    let mut remover = Remover::default();
    walk::walk(directory, u64::MAX, &mut remover)?;
    match remover.first {
        None => Ok(()),
        Some((path, source)) => Err(WorkspaceError::Remove { count: remover.count, path, source }),
    }
}

/// Goes on past what it cannot remove and keeps the first reason.
#[derive(Debug, Default)]
struct Remover {
    count: u64,
    first: Option<(String, io::Error)>,
}

impl Remover {
    fn unlink(&mut self, seen: Seen<'_>, flags: AtFlags) {
        match rustix::fs::unlinkat(seen.parent, seen.name, flags) {
            Ok(()) | Err(Errno::NOENT) => {}
            Err(error) => self.fail(seen, error),
        }
    }

    fn fail(&mut self, seen: Seen<'_>, error: Errno) {
        self.count += 1;
        self.first.get_or_insert_with(|| (super::path::display(seen.path), error.into()));
    }
}

impl Visit for Remover {
    fn enter(&mut self, seen: Seen<'_>) -> Result<Descend, WorkspaceError> {
        // Removing from a directory needs the right to write to it, which the walk does not lend.
        if seen.meta.mode & 0o700 != 0o700 {
            let lent = at::open_forced(seen.parent, seen.name, 0o700);
            if let Err(error) = lent
                && error != Errno::NOENT
            {
                self.fail(seen, error);
                return Ok(Descend::Skip);
            }
        }
        Ok(Descend::Into)
    }

    fn entry(&mut self, seen: Seen<'_>) -> Result<(), WorkspaceError> {
        self.unlink(seen, AtFlags::empty());
        Ok(())
    }

    fn leave(&mut self, seen: Seen<'_>) -> Result<(), WorkspaceError> {
        self.unlink(seen, AtFlags::REMOVEDIR);
        Ok(())
    }

    fn closed(&mut self, seen: Seen<'_>, why: Errno) -> Result<(), WorkspaceError> {
        match why {
            Errno::NOENT => {}
            // It was swapped for a link or a file while it was looked at: that goes instead.
            Errno::LOOP | Errno::NOTDIR => self.unlink(seen, AtFlags::empty()),
            other => self.fail(seen, other),
        }
        Ok(())
    }
}
