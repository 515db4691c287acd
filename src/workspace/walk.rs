//! Walking a tree by descriptors: no recursion, few descriptors, no link followed, no mount crossed.

use std::ffi::{CStr, CString};
use std::os::fd::BorrowedFd;

use rustix::io::Errno;

use super::WorkspaceError;
use super::at::{self, Kind, Meta};
use super::stack::DirStack;

/// One entry, as a visitor sees it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Seen<'a> {
    /// The directory that holds it.
    pub(crate) parent: BorrowedFd<'a>,
    /// Its name there.
    pub(crate) name: &'a CStr,
    /// Its path from the root of the walk.
    pub(crate) path: &'a [u8],
    /// What the file system said of it before the visit.
    pub(crate) meta: &'a Meta,
}

/// Whether a walk goes into a directory.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Descend {
    Into,
    Skip,
}

/// Says whether an error of an open means that the entry went away, or became something else, since it was listed.
pub(crate) fn is_gone(error: Errno) -> bool {
    matches!(error, Errno::NOENT | Errno::NOTDIR | Errno::LOOP | Errno::NOTSUP | Errno::NXIO)
}

/// What is done with the entries of a tree, in the order of their names.
pub(crate) trait Visit {
    /// Meets a directory, before what it holds.
    fn enter(&mut self, seen: Seen<'_>) -> Result<Descend, WorkspaceError>;
    /// Meets anything else.
    fn entry(&mut self, seen: Seen<'_>) -> Result<(), WorkspaceError>;
    /// Leaves a directory that was entered. Unless said otherwise, nothing is done.
    fn leave(&mut self, _: Seen<'_>) -> Result<(), WorkspaceError> {
        Ok(())
    }
    /// Meets a directory that was to be entered and cannot be: it went away (see [`is_gone`]), another file system
    /// is mounted there (`EXDEV`), or it cannot be opened. Unless said otherwise, only the last is an error.
    fn closed(&mut self, seen: Seen<'_>, why: Errno) -> Result<(), WorkspaceError> {
        if why == Errno::XDEV || is_gone(why) { Ok(()) } else { Err(WorkspaceError::io("open", seen.path, why)) }
    }
}

struct Level {
    /// What is still to be visited, last first.
    names: Vec<CString>,
    /// The directory's own name and meta, for when it is left. The root has none.
    own: Option<(CString, Meta)>,
    path_length: usize,
}

/// Visits everything below `root`, which is not visited itself.
///
/// At most `most` entries are read; a larger tree is [`WorkspaceError::TooLarge`].
pub(crate) fn walk(root: BorrowedFd<'_>, most: u64, visitor: &mut impl Visit) -> Result<(), WorkspaceError> {
    let mut stack = DirStack::new(root).map_err(|e| WorkspaceError::io("open", b"", e))?;
    let mut left = most;
    let mut path = Vec::new();
    let mut levels = vec![Level { names: names(&stack, &path, &mut left, most)?, own: None, path_length: 0 }];
    while let Some(level) = levels.last_mut() {
        let Some(name) = level.names.pop() else {
            let done = levels.pop().expect("the loop looked at it");
            path.truncate(done.path_length);
            if let Some((name, meta)) = done.own {
                stack.pop().map_err(|_| WorkspaceError::Changing { path: super::path::display(&path) })?;
                visitor.leave(Seen { parent: stack.top(), name: &name, path: &path, meta: &meta })?;
            }
            continue;
        };
        path.truncate(level.path_length);
        if !path.is_empty() {
            path.push(b'/');
        }
        path.extend_from_slice(name.as_bytes());
        if let Some(meta) = visit(&mut stack, &name, &path, visitor)? {
            let names = names(&stack, &path, &mut left, most)?;
            levels.push(Level { names, own: Some((name, meta)), path_length: path.len() });
        }
    }
    Ok(())
}

/// Visits one entry; gives its meta when the walk has gone into it.
fn visit(
    stack: &mut DirStack,
    name: &CStr,
    path: &[u8],
    visitor: &mut impl Visit,
) -> Result<Option<Meta>, WorkspaceError> {
    let meta = match at::meta_at(stack.top(), name) {
        Ok(meta) => meta,
        // It went away between the listing and now: then it is not part of the tree.
        Err(Errno::NOENT | Errno::NOTDIR) => return Ok(None),
        Err(error) => return Err(WorkspaceError::io("look at", path, error)),
    };
    let seen = Seen { parent: stack.top(), name, path, meta: &meta };
    if meta.kind != Kind::Directory {
        visitor.entry(seen)?;
        return Ok(None);
    }
    if visitor.enter(seen)? == Descend::Skip {
        return Ok(None);
    }
    match stack.enter(name) {
        Ok(()) => Ok(Some(meta)),
        Err(why) => {
            visitor.closed(Seen { parent: stack.top(), name, path, meta: &meta }, why)?;
            Ok(None)
        }
    }
}

fn names(stack: &DirStack, path: &[u8], left: &mut u64, most: u64) -> Result<Vec<CString>, WorkspaceError> {
    let listed = match at::list(stack.top(), *left) {
        // Removed since it was opened: then it holds nothing.
        Err(Errno::NOENT) => Some(Vec::new()),
        listed => listed.map_err(|e| WorkspaceError::io("list", path, e))?,
    };
    let mut names = listed.ok_or(WorkspaceError::TooLarge { what: "entries", limit: most })?;
    *left -= names.len() as u64;
    names.reverse();
    Ok(names)
}
