//! Unpacking: directories first, then files, then links, then the permissions of directories.

use std::collections::HashSet;
use std::io::Read;
use std::os::fd::{AsFd, OwnedFd};

use cap_std::fs::Dir;
use rustix::fs::Mode;
use rustix::io::Errno;

use super::super::copy_options::{CopyReport, Modes};
use super::super::memory::Room;
use super::super::snapshot::{Entry, EntryKind, Watch};
use super::super::{Globs, WorkspaceError, WorkspacePath, at, bytes, remove, tree, usage};
use super::member::{Member, MemberKind};
use super::watched::Watched;
use super::{Archive, ArchiveError, gauge};

/// How much of a file is written at once.
const BUFFER: usize = 128 * 1024;

impl Archive {
    /// Unpacks everything but what is ignored. What stands in the way is replaced, and never followed.
    ///
    /// Permissions are those of the archive as far as 0777, times those of the unpacking; hard links become
    /// independent files, specials are not made.
    ///
    /// # Errors
    ///
    /// When the host cannot write, or the archive was changed since it was opened. Some of it may be there by then.
    pub fn unpack(&self, to: &Dir, ignore: &Globs) -> Result<CopyReport, ArchiveError> {
        self.unpack_with(to, ignore, Modes::Exact)
    }

    /// Does the same as [`unpack`](Self::unpack) for one who watches, and may stop it.
    #[cfg_attr(not(feature = "cli"), expect(dead_code, reason = "who watches is the command"))]
    pub(crate) fn unpack_watched(
        &self,
        to: &Dir,
        ignore: &Globs,
        watch: Watch<'_>,
    ) -> Result<CopyReport, ArchiveError> {
        self.unpack_by(Unpacker::new(self, to, ignore, Modes::Exact, Watched::by(watch)))
    }

    pub(in super::super) fn unpack_with(
        &self,
        to: &Dir,
        ignore: &Globs,
        modes: Modes,
    ) -> Result<CopyReport, ArchiveError> {
        self.unpack_by(Unpacker::new(self, to, ignore, modes, Watched::default()))
    }

    fn unpack_by(&self, mut unpacker: Unpacker<'_, '_>) -> Result<CopyReport, ArchiveError> {
        unpacker.directories()?;
        let mut awaited: HashSet<&WorkspacePath> =
            self.manifest().iter().filter(|(_, entry)| is_file(entry)).map(|(path, _)| path).collect();
        for path in self.also.values().flatten() {
            awaited.remove(path);
        }
        self.each(&mut |member, content| {
            if let MemberKind::File(_) = member.kind {
                // Each file comes once, as it did when the archive was opened.
                if !awaited.remove(&member.path) {
                    return Err(ArchiveError::Changed);
                }
                unpacker.file(&member, content)?;
            }
            Ok(())
        })?;
        if !awaited.is_empty() {
            return Err(ArchiveError::Changed);
        }
        unpacker.links()?;
        unpacker.finish()?;
        Ok(unpacker.report)
    }

    /// Says how much room unpacking needs at most.
    pub(in super::super) fn room(&self) -> Room {
        let room = |entry: &Entry| usage::room_for_file(entry.size().unwrap_or(0)).bytes;
        let bytes = self.manifest().iter().map(|(_, entry)| room(entry)).fold(0, u64::saturating_add);
        Room { bytes, entries: self.manifest().len() as u64 }
    }
}

fn is_file(entry: &Entry) -> bool {
    match entry.kind {
        EntryKind::File { .. } => true,
        EntryKind::Directory | EntryKind::Symlink { .. } | EntryKind::Special => false,
    }
}

struct Unpacker<'a, 'w> {
    archive: &'a Archive,
    to: &'a Dir,
    ignore: &'a Globs,
    modes: Modes,
    /// The directory that the last entry was made in.
    parent: Option<(Option<WorkspacePath>, OwnedFd)>,
    made: Vec<&'a WorkspacePath>,
    buffer: Vec<u8>,
    report: CopyReport,
    watched: Watched<'w>,
}

fn failed(operation: &'static str, path: &WorkspacePath, error: Errno) -> WorkspaceError {
    WorkspaceError::io(operation, path.as_bytes(), error)
}

impl<'a, 'w> Unpacker<'a, 'w> {
    fn new(archive: &'a Archive, to: &'a Dir, ignore: &'a Globs, modes: Modes, watched: Watched<'w>) -> Self {
        let (buffer, report) = (vec![0; BUFFER], CopyReport::default());
        Self { archive, to, ignore, modes, parent: None, made: Vec::new(), buffer, report, watched }
    }

    /// Makes every directory that is not left out, with what is above it.
    fn directories(&mut self) -> Result<(), WorkspaceError> {
        for (path, entry) in self.archive.manifest().iter() {
            if entry.kind != EntryKind::Directory || self.is_below_ignored(path) {
                continue;
            }
            if self.ignore.prunes(path.as_bytes()) {
                self.report.ignored += 1;
                continue;
            }
            self.replacing("make the directory", path, |parent, name| at::make_dir(parent.as_fd(), name, 0o700))?;
            self.report.directories += 1;
            self.made.push(path);
        }
        Ok(())
    }

    /// Says whether a directory above was left out.
    fn is_below_ignored(&self, path: &WorkspacePath) -> bool {
        path.parent().is_some_and(|parent| self.made.binary_search(&&parent).is_err())
    }

    /// Says whether an entry is made: not ignored itself, nor below what is.
    fn takes(&mut self, path: &WorkspacePath) -> bool {
        if self.is_below_ignored(path) {
            return false;
        }
        let is_ignored = self.ignore.matches(path.as_bytes());
        self.report.ignored += u64::from(is_ignored);
        !is_ignored
    }

    /// Makes something in its directory; what stands in its place is removed before.
    fn replacing<T>(
        &mut self,
        operation: &'static str,
        path: &WorkspacePath,
        make: impl Fn(&OwnedFd, &std::ffi::CStr) -> Result<T, Errno>,
    ) -> Result<T, WorkspaceError> {
        self.watched.entry()?;
        let above = path.parent();
        if self.parent.as_ref().is_none_or(|(last, _)| *last != above) {
            let opened = tree::parent_of(self.to.as_fd(), path).map_err(|e| failed("open", path, e))?;
            self.parent = Some((above, opened));
        }
        let Some((_, parent)) = &self.parent else { return Err(failed(operation, path, Errno::NOENT)) };
        let name = tree::c_name(path);
        for _ in 0..tree::RACE_TRIES {
            match make(parent, &name) {
                Err(Errno::EXIST) => remove::remove(parent.as_fd(), &name)?,
                made => return made.map_err(|e| failed(operation, path, e)),
            }
        }
        Err(WorkspaceError::Changing { path: path.to_string() })
    }

    /// Writes a file under the first of its names that is not left out, and copies it to the others.
    fn file(&mut self, member: &Member, content: &mut dyn Read) -> Result<(), ArchiveError> {
        let archive = self.archive;
        let also = archive.also.get(member.path.as_bytes()).map_or(&[][..], Vec::as_slice);
        let mut written: Option<(OwnedFd, u64)> = None;
        for path in std::iter::once(&member.path).chain(also) {
            let Some(Entry { kind: EntryKind::File { size, hash }, mode, .. }) = archive.manifest().get(path) else {
                return Err(ArchiveError::Changed);
            };
            if !self.takes(path) {
                continue;
            }
            let file = self.replacing("make", path, |parent, name| at::create_file(parent.as_fd(), name))?;
            match &written {
                Some((first, _)) => {
                    let meta = at::meta(first).map_err(|e| failed("look at", path, e))?;
                    let copied = bytes::ByteCopier::default().copy(first, &file, &meta);
                    copied.map_err(|e| WorkspaceError::io("write", path.as_bytes(), e))?;
                }
                None => self.write(path, &file, content, (*size, hash))?,
            }
            let mode = self.mode(*mode, false);
            rustix::fs::fchmod(&file, Mode::from_raw_mode(mode)).map_err(|e| failed("write", path, e))?;
            self.report.files += 1;
            self.report.bytes += size;
            written.get_or_insert((file, *size));
        }
        Ok(())
    }

    fn write(
        &mut self,
        path: &WorkspacePath,
        file: &OwnedFd,
        content: &mut dyn Read,
        (size, hash): (u64, &[u8; 32]),
    ) -> Result<(), ArchiveError> {
        let mut hasher = blake3::Hasher::new();
        let mut at = 0;
        loop {
            let read = match content.read(&mut self.buffer) {
                Ok(0) => break,
                Ok(read) => read,
                Err(error) if error.kind() == std::io::ErrorKind::Interrupted => continue,
                Err(error) => return Err(gauge::told_apart(error)),
            };
            let piece = &self.buffer[..read];
            hasher.update(piece);
            if at + read as u64 > size {
                return Err(ArchiveError::Changed);
            }
            bytes::write_all_at(file, piece, at).map_err(|e| WorkspaceError::io("write", path.as_bytes(), e))?;
            at += read as u64;
            self.watched.bytes(read)?;
        }
        let is_same = at == size && hasher.finalize().as_bytes() == hash;
        if is_same { Ok(()) } else { Err(ArchiveError::Changed) }
    }

    /// Makes the links, when nothing is written any more that could pass over one.
    fn links(&mut self) -> Result<(), WorkspaceError> {
        for (path, entry) in self.archive.manifest().iter() {
            match &entry.kind {
                EntryKind::Symlink { target } if self.takes(path) => {
                    let link = |parent: &OwnedFd, name: &std::ffi::CStr| {
                        rustix::fs::symlinkat(target.as_slice(), parent, name)
                    };
                    self.replacing("make the link", path, link)?;
                    self.report.links += 1;
                }
                EntryKind::Special if self.takes(path) => self.report.specials += 1,
                EntryKind::File { .. } | EntryKind::Directory | EntryKind::Symlink { .. } | EntryKind::Special => {}
            }
        }
        Ok(())
    }

    /// Gives the directories their permissions, those inside before those that hold them.
    fn finish(&mut self) -> Result<(), WorkspaceError> {
        for path in self.made.iter().rev() {
            let mode = self.archive.manifest().get(path).map_or(0o755, |entry| entry.mode);
            let parent = tree::parent_of(self.to.as_fd(), path).map_err(|e| failed("open", path, e))?;
            let open = at::open_dir(parent.as_fd(), &tree::c_name(path)).map_err(|e| failed("open", path, e))?;
            rustix::fs::fchmod(&open, Mode::from_raw_mode(self.mode(mode, true)))
                .map_err(|e| failed("restore", path, e))?;
        }
        Ok(())
    }

    fn mode(&self, mode: u32, is_directory: bool) -> u32 {
        self.modes.of(mode, is_directory)
    }
}
