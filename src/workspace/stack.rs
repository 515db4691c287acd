//! A path of open directories that never holds more than a few descriptors, however deep it goes.

use std::ffi::CStr;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};

use rustix::fs::{Mode, OFlags};
use rustix::io::Errno;

use super::at;

/// How many directories are open at once, beside the first.
const OPEN: usize = 32;

/// Directories from a root down; those in the middle are closed and found again through `..`.
#[derive(Debug)]
pub(crate) struct DirStack {
    frames: Vec<Frame>,
}

#[derive(Debug)]
struct Frame {
    directory: Option<OwnedFd>,
    identity: (u64, u64),
    /// The permissions to give back when the directory is left.
    restore: Option<u32>,
}

impl DirStack {
    /// Starts at a directory, which is opened anew.
    pub(crate) fn new(root: BorrowedFd<'_>) -> Result<Self, Errno> {
        let root = match at::open_again(root) {
            Err(Errno::ACCESS) => root.try_clone_to_owned().map_err(|_| Errno::MFILE)?,
            opened => opened?,
        };
        let identity = at::meta(&root)?.identity();
        Ok(Self { frames: vec![Frame { directory: Some(root), identity, restore: None }] })
    }

    /// Gives the directory that the path ends in.
    pub(crate) fn top(&self) -> BorrowedFd<'_> {
        let top = self.frames.last().and_then(|frame| frame.directory.as_ref());
        top.expect("the root is never popped and the last directory is always open").as_fd()
    }

    /// Counts the steps down from the root.
    pub(crate) fn depth(&self) -> usize {
        self.frames.len() - 1
    }

    /// Goes down into a directory that was opened inside the top one.
    pub(crate) fn push(&mut self, directory: OwnedFd, restore: Option<u32>) -> Result<(), Errno> {
        let identity = at::meta(&directory)?.identity();
        self.frames.push(Frame { directory: Some(directory), identity, restore });
        let depth = self.depth();
        if depth > OPEN {
            self.frames[depth - OPEN].directory = None;
        }
        Ok(())
    }

    /// Opens the directory `name` of the top one and goes down into it, lending the owner its rights when it lacks them.
    pub(crate) fn enter(&mut self, name: &CStr) -> Result<(), Errno> {
        match at::open_dir(self.top(), name) {
            Ok(directory) if is_searchable(&directory)? => self.push(directory, None),
            Ok(_) | Err(Errno::ACCESS) => {
                let (directory, before) = at::open_forced(self.top(), name, 0o700)?;
                self.push(directory, Some(before.mode))
            }
            Err(error) => Err(error),
        }
    }

    /// Goes up again. `ESTALE` when `..` is not the directory that was come from.
    pub(crate) fn pop(&mut self) -> Result<(), Errno> {
        let left = self.frames.pop().expect("pop follows push");
        let above = self.frames.last_mut().expect("the root is never popped");
        if above.directory.is_none() {
            let child = left.directory.as_ref().expect("the last directory is always open");
            let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
            let directory = rustix::fs::openat(child, c"..", flags, Mode::empty())?;
            if at::meta(&directory)?.identity() != above.identity {
                return Err(Errno::STALE);
            }
            above.directory = Some(directory);
        }
        Ok(())
    }
}

/// Says whether names can be looked up in a directory; asks the system only when not everybody may.
fn is_searchable(directory: &OwnedFd) -> Result<bool, Errno> {
    use rustix::fs::{Access, AtFlags};
    let for_all = at::meta(directory)?.mode & 0o111 == 0o111;
    Ok(for_all || rustix::fs::accessat(directory, c".", Access::EXEC_OK, AtFlags::EACCESS).is_ok())
}

impl Drop for Frame {
    fn drop(&mut self) {
        if let (Some(directory), Some(mode)) = (&self.directory, self.restore) {
            // A directory that is gone needs no permissions.
            let _ = rustix::fs::fchmod(directory, Mode::from_raw_mode(mode));
        }
    }
}
