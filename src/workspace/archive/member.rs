//! One member of an archive, and its name.

use std::ffi::OsStr;
use std::io::Read;
use std::os::unix::ffi::OsStrExt;

use super::super::{WorkspacePath, path};
use super::{ArchiveBounds, ArchiveError};

/// One member of an archive.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Member {
    pub(super) path: WorkspacePath,
    pub(super) kind: MemberKind,
    /// Permission bits, 0777.
    pub(super) mode: u32,
}

/// What a member is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum MemberKind {
    /// A regular file of so many bytes.
    File(u64),
    Directory,
    /// A link, and where it points.
    Symlink(Vec<u8>),
    /// Another name of a member that came before.
    HardLink(WorkspacePath),
    /// A FIFO or a device.
    Special,
}

/// What is done with each member, in the order of the archive. The reader gives the bytes of a file.
pub(super) type EachMember<'a> = dyn FnMut(Member, &mut dyn Read) -> Result<(), ArchiveError> + 'a;

/// Makes a refusal of a member.
pub(super) fn refused(name: &[u8], problem: &'static str) -> ArchiveError {
    ArchiveError::Refused { member: path::display(name), problem }
}

/// Reads a member's name: `./` before it and, of directories, a `/` after it are dropped; beyond that it is a path
/// like every other. `None` is the root.
pub(super) fn name(
    name: &[u8],
    is_directory: bool,
    bounds: &ArchiveBounds,
) -> Result<Option<WorkspacePath>, ArchiveError> {
    let mut rest = name;
    while let Some(after) = rest.strip_prefix(b"./") {
        rest = after;
    }
    if is_directory {
        rest = rest.strip_suffix(b"/").unwrap_or(rest);
        if rest == b"." || (rest.is_empty() && name.starts_with(b"./")) {
            return Ok(None);
        }
    }
    if rest.len() > bounds.path_bytes {
        return Err(refused(name, "has too long a path"));
    }
    if rest.split(|byte| *byte == b'/').count() > bounds.depth {
        return Err(refused(name, "lies too deep"));
    }
    let path = WorkspacePath::new(OsStr::from_bytes(rest)).map_err(|error| refused(name, error.problem))?;
    Ok(Some(path))
}
