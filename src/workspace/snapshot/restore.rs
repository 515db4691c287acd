//! Restoring a snapshot: the directory is equal to it afterwards, or what it was before.

use std::ffi::{CStr, CString};
use std::ops::ControlFlow;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::path::Path;

use cap_std::ambient_authority;
use cap_std::fs::Dir;
use rustix::fs::{AtFlags, Mode, OFlags};
use rustix::io::Errno;

use super::super::bytes::{ByteCopier, write_all_at};
use super::super::stack::DirStack;
use super::super::{CopyReport, WorkspaceError, WorkspacePath, at, path, remove};
use super::beside::Beside;
use super::settle::Settler;
use super::store::{Hash, Large, Reading, SMALL, StoreError};
use super::{Entry, EntryKind, Manifest, Snapshot, SnapshotProgress, Watch};

/// What becomes of what is in the directory already.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Restore {
    /// A directory that holds something is refused.
    Empty,
    /// It goes: the directory is a mirror of the snapshot afterwards.
    Mirror,
}

impl Snapshot {
    /// Makes a directory equal to the snapshot: nothing more, nothing less. The directory itself stays as it is.
    ///
    /// Content is shared with the store where the file system can share it, never by a hard link; every file is
    /// verified. Times are those of now, owners are those of this process. Where something is there already, the new
    /// content is written beside it first and changes places with it when it is whole, so that a full disk or a
    /// corrupt store loses nothing; that takes room for both.
    ///
    /// # Errors
    /// A store that has not what was written, a directory that cannot be written, names that its file system takes
    /// for the same, and [`WorkspaceError::Stopped`].
    pub fn restore(&self, to: &Dir, watch: Option<Watch<'_>>) -> Result<CopyReport, WorkspaceError> {
        let failed = |error: Errno| WorkspaceError::io("restore into", b"", error);
        let open = at::open_again(to.as_fd()).map_err(failed)?;
        let names = at::list(open.as_fd(), u64::MAX).map_err(failed)?.unwrap_or_default();
        if !names.is_empty() {
            return self.write_beside(open.as_fd(), &names, watch);
        }
        self.write_closed(open.as_fd(), watch).inspect_err(|_| {
            // The failure before it is the one to tell.
            let _ = remove::clear(open.as_fd());
        })
    }

    /// Restores to a path of the host; the directory is made if there is none.
    ///
    /// # Errors
    /// Those of [`restore`](Self::restore), and with [`Restore::Empty`] a directory that holds something.
    pub fn restore_ambient(
        &self,
        path: &Path,
        how: Restore,
        watch: Option<Watch<'_>>,
    ) -> Result<CopyReport, WorkspaceError> {
        let failed = |source| WorkspaceError::Destination { path: path.to_owned(), source };
        let is_new = !path.exists();
        Dir::create_ambient_dir_all(path, ambient_authority()).map_err(failed)?;
        let to = Dir::open_ambient_dir(path, ambient_authority()).map_err(failed)?;
        let open = at::open_again(to.as_fd()).map_err(|error| failed(error.into()))?;
        match how {
            Restore::Empty => {
                let listed = at::list(open.as_fd(), 0).map_err(|error| failed(error.into()))?;
                listed.ok_or(WorkspaceError::DestinationNotEmpty { path: path.to_owned() })?;
            }
            Restore::Mirror => refuse_the_root(open.as_fd()).map_err(failed)?,
        }
        self.restore(&to, watch).inspect_err(|_| {
            if is_new {
                let _ = rustix::fs::unlinkat(rustix::fs::CWD, path, AtFlags::REMOVEDIR);
            }
        })
    }

    /// Writes everything into a directory of its own inside, then lets both change places.
    fn write_beside(
        &self,
        to: BorrowedFd<'_>,
        names: &[CString],
        watch: Option<Watch<'_>>,
    ) -> Result<CopyReport, WorkspaceError> {
        let beside = Beside::make(to)?;
        let report = self.write_closed(beside.content(), watch).inspect_err(|_| {
            let _ = beside.remove();
        })?;
        beside.exchange(names)?;
        Ok(report)
    }

    /// Writes everything with its own permissions.
    fn write_closed(&self, to: BorrowedFd<'_>, watch: Option<Watch<'_>>) -> Result<CopyReport, WorkspaceError> {
        let report = self.write(to, watch)?;
        close_directories(to, self.manifest())?;
        Ok(report)
    }

    fn write(&self, to: BorrowedFd<'_>, mut watch: Option<Watch<'_>>) -> Result<CopyReport, WorkspaceError> {
        let stack = DirStack::new(to).map_err(|error| WorkspaceError::io("open", b"", error))?;
        let mut writer = Writer {
            stack,
            inside: Vec::new(),
            reading: self.store().read()?,
            copier: ByteCopier::default(),
            settler: Settler::default(),
            report: CopyReport::default(),
        };
        for (number, (path, entry)) in self.manifest().iter().enumerate() {
            writer.entry(path, entry)?;
            let progress = SnapshotProgress { entries: number as u64 + 1, bytes: writer.report.bytes };
            if let Some(watch) = &mut watch
                && watch(progress) == ControlFlow::Break(())
            {
                return Err(WorkspaceError::Stopped);
            }
        }
        Ok(writer.report)
    }
}

struct Writer<'a> {
    stack: DirStack,
    /// The path of the directory that the stack ends in.
    inside: Vec<u8>,
    reading: Reading<'a>,
    copier: ByteCopier,
    settler: Settler,
    report: CopyReport,
}

impl Writer<'_> {
    fn entry(&mut self, path: &WorkspacePath, entry: &Entry) -> Result<(), WorkspaceError> {
        let shown = path.as_bytes();
        let (parent, name) = match shown.iter().rposition(|byte| *byte == b'/') {
            Some(at) => (&shown[..at], &shown[at + 1..]),
            None => (&b""[..], shown),
        };
        self.go_to(parent)?;
        let name = CString::new(name).expect("a workspace path holds no NUL");
        let made = match &entry.kind {
            EntryKind::Directory => self.directory(&name, entry.mode),
            EntryKind::File { size, hash } => return self.file(&name, shown, entry.mode, *size, hash),
            EntryKind::Symlink { target } => {
                self.report.links += 1;
                rustix::fs::symlinkat(target.as_slice(), self.stack.top(), &name)
            }
            EntryKind::Special => {
                self.report.specials += 1;
                Ok(())
            }
        };
        made.map_err(|error| self.failed(shown, error))
    }

    fn failed(&self, shown: &[u8], error: Errno) -> WorkspaceError {
        match error {
            // Nothing was there when this began.
            Errno::EXIST => WorkspaceError::Collides { path: path::display(shown) },
            error => WorkspaceError::io("restore", shown, error),
        }
    }

    /// Goes to a directory that was made before. In the order of bytes `a.txt` comes between `a` and `a/b`.
    fn go_to(&mut self, parent: &[u8]) -> Result<(), WorkspaceError> {
        let changing = |shown: &[u8]| WorkspaceError::Changing { path: path::display(shown) };
        while !is_within(parent, &self.inside) {
            self.stack.pop().map_err(|_| changing(parent))?;
            let above = self.inside.iter().rposition(|byte| *byte == b'/').unwrap_or(0);
            self.inside.truncate(above);
        }
        while self.inside.len() < parent.len() {
            let begin = if self.inside.is_empty() { 0 } else { self.inside.len() + 1 };
            let length = parent[begin..].iter().position(|byte| *byte == b'/').unwrap_or(parent.len() - begin);
            let name = CString::new(&parent[begin..begin + length]).expect("a workspace path holds no NUL");
            self.stack.enter(&name).map_err(|error| WorkspaceError::io("open", parent, error))?;
            self.inside.clear();
            self.inside.extend_from_slice(&parent[..begin + length]);
        }
        Ok(())
    }

    /// Makes a directory that can be written to; what its owner may not do comes last.
    fn directory(&mut self, name: &CStr, mode: u32) -> Result<(), Errno> {
        let mode = Mode::from_raw_mode(mode | 0o700);
        rustix::fs::mkdirat(self.stack.top(), name, mode)?;
        let open = at::open_dir(self.stack.top(), name)?;
        self.report.directories += 1;
        // The umask of the process is not ours to know.
        rustix::fs::fchmod(&open, mode)
    }

    fn file(&mut self, name: &CStr, shown: &[u8], mode: u32, size: u64, hash: &Hash) -> Result<(), WorkspaceError> {
        let failed = |error: std::io::Error| WorkspaceError::io("restore", shown, error);
        let file = at::create_file(self.stack.top(), name).map_err(|error| self.failed(shown, error))?;
        if size <= SMALL {
            let content = self.reading.small(hash, size)?;
            write_all_at(&file, content, 0).map_err(failed)?;
        } else {
            self.large(&file, shown, size, hash)?;
        }
        self.report.files += 1;
        self.report.bytes += size;
        rustix::fs::fchmod(&file, Mode::from_raw_mode(mode)).map_err(|error| failed(error.into()))
    }

    fn large(&mut self, to: &OwnedFd, shown: &[u8], size: u64, hash: &Hash) -> Result<(), WorkspaceError> {
        let failed = |error: std::io::Error| WorkspaceError::io("restore", shown, error);
        let corrupt = |problem| WorkspaceError::from(StoreError::blob(hash, problem));
        match self.reading.large(hash)? {
            Large::Memory(content) => write_all_at(to, &content, 0).map_err(failed)?,
            Large::File(from) => {
                let meta = at::meta(&from).map_err(|error| failed(error.into()))?;
                if meta.size != size {
                    return Err(corrupt("has another length than its manifest says"));
                }
                self.copier.copy(&from, to, &meta).map_err(failed)?;
            }
        }
        // The copy is what counts, and nobody else has it.
        let meta = at::meta(to).map_err(|error| failed(error.into()))?;
        let (copied, found) = self.settler.hash(to, &meta, shown)?;
        if (copied, found) == (size, *hash) { Ok(()) } else { Err(corrupt("is not what was written")) }
    }
}

/// Says whether a directory is another one or below it.
fn is_within(path: &[u8], directory: &[u8]) -> bool {
    let rest = path.strip_prefix(directory);
    directory.is_empty() || rest.is_some_and(|rest| rest.is_empty() || rest[0] == b'/')
}

/// Gives directories that their owner may not write to their permissions, the deepest first.
fn close_directories(to: BorrowedFd<'_>, manifest: &Manifest) -> Result<(), WorkspaceError> {
    let closed = |(_, entry): &(&WorkspacePath, &Entry)| {
        matches!(entry.kind, EntryKind::Directory) && entry.mode & 0o700 != 0o700
    };
    for (path, entry) in manifest.iter().rev().filter(closed) {
        let failed = |error: Errno| WorkspaceError::io("restore", path.as_bytes(), error);
        let open = at::open_path(to, path, OFlags::RDONLY | OFlags::DIRECTORY).map_err(failed)?;
        rustix::fs::fchmod(open, Mode::from_raw_mode(entry.mode)).map_err(failed)?;
    }
    Ok(())
}

/// Refuses the one directory that nobody means to be replaced.
fn refuse_the_root(open: BorrowedFd<'_>) -> std::io::Result<()> {
    let root = rustix::fs::stat("/")?;
    let found = rustix::fs::fstat(open)?;
    match (root.st_dev, root.st_ino) == (found.st_dev, found.st_ino) {
        true => Err(std::io::Error::other("it is the root of the host, which no snapshot replaces")),
        false => Ok(()),
    }
}
