//! What an engine sent, put together beside the workspace; refused whole where a guest made it unfit.

use std::ffi::{CString, OsStr};
use std::fmt;
use std::io::{self, Read};
use std::os::unix::ffi::OsStrExt as _;
use std::sync::Arc;

use super::entries::{self, Entries, Entry, Sort};
use crate::runtime::Stop;
use crate::runtime::docker::DockerError;
use crate::spec::{LimitName, LimitValue, Limits};
use crate::workspace::{Attributes, Bounds, Incoming, Workspace, WorkspaceError, WorkspacePath};

/// The deepest directory that comes back: an engine's own paths go no further.
const DEEPEST: usize = 2048;

/// What a guest did, so that its files do not come back. The workspace is as it was.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::runtime::docker) enum Refusal {
    /// There is more than may come back.
    TooLarge {
        /// `entries`, `bytes`.
        what: &'static str,
        /// How much may.
        limit: u64,
    },
    /// A directory lies too deep.
    TooDeep,
    /// The directory of the workspace is gone, or something else.
    NoDirectory,
    /// Names changed while they were read.
    Changing,
}

/// Why files did not come back.
#[derive(Debug)]
pub(super) enum Unfit {
    /// The guest's doing.
    Refused(Refusal),
    /// The engine's or the host's.
    Failed(DockerError),
}

impl Refusal {
    /// Gives the limit that a command has met, where it was one.
    pub(in crate::runtime::docker) fn limit(&self, limits: &Limits) -> Option<Stop> {
        let Self::TooLarge { what, limit } = self else { return None };
        let (name, value) = match *what {
            "entries" => (LimitName::Entries, LimitValue::Count(*limit)),
            _ => (LimitName::Disk, LimitValue::Bytes(*limit)),
        };
        limits.amount(name).map(|_| Stop::Limit(name, value))
    }
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::TooLarge { what, limit } => write!(f, "the workspace in the container has more than {limit} {what}"),
            Self::TooDeep => write!(f, "the workspace in the container is deeper than {DEEPEST} directories"),
            Self::NoDirectory => f.write_str("the workspace in the container is no directory any more"),
            Self::Changing => f.write_str("the workspace in the container kept changing while it was read"),
        }
    }
}

/// Reads an archive of one directory and puts its content together. `root` is what all names begin with.
pub(super) fn unpack(
    from: impl Read,
    root: &[u8],
    workspace: Arc<Workspace>,
    bounds: Bounds,
) -> Result<Incoming, Unfit> {
    let incoming = Incoming::new(workspace).map_err(DockerError::from)?;
    let mut unpacker = Unpacker { incoming, root, bounds, entries: 0, bytes: 0 };
    let mut entries = Entries::new(from);
    let mut is_first = true;
    while let Some(entry) = entries.next()? {
        let below = unpacker.below(&entry.name)?;
        if std::mem::take(&mut is_first) && (below.is_some() || entry.sort != Sort::Directory) {
            return Err(Unfit::Refused(Refusal::NoDirectory));
        }
        unpacker.take(entry, below, &mut entries)?;
    }
    if is_first {
        return Err(entries::Stop::Malformed("it is empty").into());
    }
    Ok(unpacker.incoming)
}

struct Unpacker<'a> {
    incoming: Incoming,
    root: &'a [u8],
    bounds: Bounds,
    entries: u64,
    bytes: u64,
}

impl Unpacker<'_> {
    fn take(&mut self, entry: Entry, path: Option<WorkspacePath>, content: &mut dyn Read) -> Result<(), Unfit> {
        let with = Attributes { mode: entry.mode, modified: entry.modified };
        let Some(path) = path else {
            // Only the root has no name, and it comes once.
            let is_again = self.entries > 0 || entry.sort != Sort::Directory;
            return if is_again { Err(Refusal::Changing.into()) } else { Ok(self.incoming.directory(None, with)?) };
        };
        self.entries += 1;
        if self.entries > self.bounds.entries {
            return Err(Refusal::TooLarge { what: "entries", limit: self.bounds.entries }.into());
        }
        if path.components().count() > DEEPEST {
            return Err(Refusal::TooDeep.into());
        }
        match entry.sort {
            Sort::Directory => self.incoming.directory(Some(path), with)?,
            Sort::File { size } => {
                self.charge(size)?;
                self.incoming.file(&path, with, size, content)?;
            }
            Sort::Link { target } => {
                let target =
                    CString::new(target).map_err(|_| entries::Stop::Malformed("a link's target holds a NUL byte"))?;
                self.incoming.link(&path, &target, entry.modified)?;
            }
            Sort::Copy { original } => {
                let original = self.below(&original)?.ok_or(Refusal::Changing)?;
                let left = self.bounds.bytes - self.bytes;
                match self.incoming.copy_of(&path, with, &original, left)? {
                    Some(size) => self.charge(size)?,
                    // A link or special stands there, or what it was a link to had gone: then so has this one.
                    None => self.incoming.leave_out(),
                }
            }
            Sort::Special => self.incoming.leave_out(),
        }
        Ok(())
    }

    fn charge(&mut self, size: u64) -> Result<(), Refusal> {
        self.bytes = self.bytes.saturating_add(size);
        let limit = self.bounds.bytes;
        if self.bytes > limit { Err(Refusal::TooLarge { what: "bytes", limit }) } else { Ok(()) }
    }

    /// Takes the root off a name; `None` is the root itself.
    fn below(&self, name: &[u8]) -> Result<Option<WorkspacePath>, Unfit> {
        const FOREIGN: entries::Stop =
            entries::Stop::Malformed("an entry lies outside of the directory that was asked for");
        let name = name.strip_suffix(b"/").unwrap_or(name);
        let below = name.strip_prefix(self.root).ok_or(FOREIGN)?;
        if below.is_empty() {
            return Ok(None);
        }
        let below = below.strip_prefix(b"/").ok_or(FOREIGN)?;
        // No file system gives such a name; who sends it means no good.
        WorkspacePath::new(OsStr::from_bytes(below)).map(Some).map_err(|_| FOREIGN.into())
    }
}

impl From<Refusal> for Unfit {
    fn from(refusal: Refusal) -> Self {
        Self::Refused(refusal)
    }
}

impl From<DockerError> for Unfit {
    fn from(error: DockerError) -> Self {
        Self::Failed(error)
    }
}

impl From<entries::Stop> for Unfit {
    fn from(stop: entries::Stop) -> Self {
        Self::Failed(match stop {
            entries::Stop::Malformed(problem) => DockerError::Transfer { why: problem.to_owned() },
            entries::Stop::Broken(source) => DockerError::Transfer { why: source.to_string() },
        })
    }
}

impl From<WorkspaceError> for Unfit {
    fn from(error: WorkspaceError) -> Self {
        if let WorkspaceError::TooLarge { what, limit } = error {
            return Refusal::TooLarge { what, limit }.into();
        }
        if let WorkspaceError::Io { source, .. } = &error {
            if is_broken(source) {
                return DockerError::Transfer { why: source.to_string() }.into();
            }
            if is_conflict(source) {
                return Refusal::Changing.into();
            }
        }
        DockerError::from(error).into()
    }
}

/// Says whether an archive broke off in the content of a file.
fn is_broken(error: &io::Error) -> bool {
    matches!(error.kind(), io::ErrorKind::UnexpectedEof | io::ErrorKind::ConnectionAborted)
}

/// Says whether two entries of one archive stand in each other's way, which happens only to what changes meanwhile.
fn is_conflict(error: &io::Error) -> bool {
    use io::ErrorKind::{AlreadyExists, DirectoryNotEmpty, IsADirectory, NotADirectory};
    let is_link = error.raw_os_error() == Some(rustix::io::Errno::LOOP.raw_os_error());
    is_link || matches!(error.kind(), AlreadyExists | DirectoryNotEmpty | IsADirectory | NotADirectory)
}
