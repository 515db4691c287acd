//! New content beside the old: written where nobody looks for it, then both change places, or nothing does.

use std::ffi::{CStr, CString};
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};

use rustix::fs::Mode;
use rustix::io::Errno;

use super::super::{WorkspaceError, at, remove, tree};

/// How many entries it takes beside those of the content.
pub(super) const ENTRIES: u64 = 3;

const NEW: &CStr = c"new";
const OLD: &CStr = c"old";

/// A directory inside of the one that is to change, with the new content, and room for the old.
#[derive(Debug)]
pub(super) struct Beside<'a> {
    to: BorrowedFd<'a>,
    name: CString,
    new: OwnedFd,
    old: OwnedFd,
}

impl<'a> Beside<'a> {
    /// Makes it; nothing of it is left when that fails.
    pub(super) fn make(to: BorrowedFd<'a>) -> Result<Self, WorkspaceError> {
        let failed = |error: Errno| WorkspaceError::io("restore into", b"", error);
        let random = at::random::<16>().map_err(|error| WorkspaceError::io("name a directory in", b"", error))?;
        let name = format!(".bailiwick-{:032x}", u128::from_ne_bytes(random));
        let name = CString::new(name).expect("hexadecimal digits hold no NUL");
        rustix::fs::mkdirat(to, &name, Mode::RWXU).map_err(failed)?;
        let folders = at::open_dir(to, &name).and_then(|own| {
            let new = at::make_dir(own.as_fd(), NEW, 0o700)?;
            Ok((new, at::make_dir(own.as_fd(), OLD, 0o700)?))
        });
        match folders {
            Ok((new, old)) => Ok(Self { to, name, new, old }),
            Err(error) => {
                // The failure before it is the one to tell.
                let _ = remove::remove(to, &name);
                Err(failed(error))
            }
        }
    }

    /// Gives the directory that the new content is written into.
    pub(super) fn content(&self) -> BorrowedFd<'_> {
        self.new.as_fd()
    }

    /// Puts the new content in the place of these names, and removes them. When that fails they are where they were.
    pub(super) fn exchange(self, names: &[CString]) -> Result<(), WorkspaceError> {
        let moved = names
            .iter()
            .try_for_each(|name| tree::move_one(self.to, name, self.old.as_fd()))
            .and_then(|()| tree::move_all(self.content(), self.to).inspect_err(|_| drop(self.take_back())));
        match moved {
            // What one pass could not remove may be gone with the next.
            Ok(()) => self.remove().or_else(|_| self.remove()),
            Err(error) => {
                // Where the old content cannot be moved back it stays here, rather than being lost.
                if tree::move_all(self.old.as_fd(), self.to).is_ok() {
                    let _ = self.remove();
                }
                Err(error)
            }
        }
    }

    /// Takes away what came of the new content already: the old is all in its own place by then.
    fn take_back(&self) -> Result<(), WorkspaceError> {
        let listed = at::open_again(self.to).and_then(|open| at::list(open.as_fd(), u64::MAX));
        let names = listed.map_err(|error| WorkspaceError::io("list", b"", error))?.unwrap_or_default();
        let others = names.iter().filter(|name| **name != self.name);
        others.into_iter().try_for_each(|name| tree::move_one(self.to, name, self.content()))
    }

    /// Removes it with all that it holds.
    pub(super) fn remove(&self) -> Result<(), WorkspaceError> {
        remove::remove(self.to, &self.name)
    }
}
