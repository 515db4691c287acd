//! Copying trees from one directory to another: submissions in, workspaces out, assets, captures and forks.

use std::ffi::{CStr, CString};
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};

use cap_std::fs::Dir;
use rustix::fs::{AtFlags, Mode, OFlags, Timespec, Timestamps};
use rustix::io::Errno;

use super::at::{self, Kind, Meta, Stamp};
use super::bytes::{self, ByteCopier};
use super::copy_options::{CopyOptions, CopyReport, Modes, Times};
use super::stack::DirStack;
use super::walk::{self, Descend, Seen, Visit};
use super::{WorkspaceError, WorkspacePath, remove};

/// How often something is replaced that comes back at once.
pub(crate) const RACE_TRIES: usize = 64;

/// Copies a file, a link or a directory with all that it holds.
///
/// `from_path` and `to_path` are below the two directories; `None` is the directory itself, and then a directory is
/// merged into what is there. Parents of `to_path` are made. What stands in the way is replaced. Links are copied as
/// links and never followed, on either side; specials and mounts are left out and counted; no hard link is ever made.
pub(crate) fn copy_tree(
    from: &Dir,
    from_path: Option<&WorkspacePath>,
    to: &Dir,
    to_path: Option<&WorkspacePath>,
    options: CopyOptions<'_>,
) -> Result<CopyReport, WorkspaceError> {
    let mut copier = Copier::new(to.as_fd(), options)?;
    let Some(from_path) = from_path else {
        enter_target(&mut copier, to_path)?;
        return copier.run(from.as_fd());
    };
    let shown = from_path.as_bytes();
    let failed = |error: Errno| WorkspaceError::io("open", shown, error);
    let parent = parent_of(from.as_fd(), from_path).map_err(failed)?;
    let name = c_name(from_path);
    let meta = at::meta_at(parent.as_fd(), &name).map_err(failed)?;
    if meta.kind == Kind::Directory {
        let directory = at::open_dir(parent.as_fd(), &name).map_err(failed)?;
        enter_target(&mut copier, to_path)?;
        return copier.run(directory.as_fd());
    }
    let to_path = to_path.unwrap_or(from_path);
    enter_target(&mut copier, to_path.parent().as_ref())?;
    copier.copy_as(Seen { parent: parent.as_fd(), name: &name, path: shown, meta: &meta }, &c_name(to_path))?;
    Ok(copier.report)
}

/// Copies one open file to a path; parents are made, and what stands in the way is replaced. Never a hard link.
pub(crate) fn copy_open(
    from: &OwnedFd,
    to: &Dir,
    to_path: &WorkspacePath,
    options: CopyOptions<'_>,
) -> Result<CopyReport, WorkspaceError> {
    let mut copier = Copier::new(to.as_fd(), options)?;
    enter_target(&mut copier, to_path.parent().as_ref())?;
    let meta = at::meta(from).map_err(|e| WorkspaceError::io("read", to_path.as_bytes(), e))?;
    copier.put_file(from, &meta, &c_name(to_path), to_path.as_bytes())?;
    Ok(copier.report)
}

/// Writes bytes to a path with a mode; parents are made, and what stands in the way is replaced.
pub(crate) fn put_bytes(to: &Dir, to_path: &WorkspacePath, content: &[u8], mode: u32) -> Result<(), WorkspaceError> {
    let failed = |error: std::io::Error| WorkspaceError::io("write", to_path.as_bytes(), error);
    let mut copier = Copier::new(to.as_fd(), CopyOptions::new(Modes::Exact, Times::Fresh))?;
    enter_target(&mut copier, to_path.parent().as_ref())?;
    let file = create(copier.target.top(), &c_name(to_path))?.map_err(|e| failed(e.into()))?;
    bytes::write_all_at(&file, content, 0).map_err(failed)?;
    rustix::fs::fchmod(&file, Mode::from_raw_mode(mode)).map_err(|e| failed(e.into()))
}

/// Makes a file of a name, whatever has it.
fn create(parent: BorrowedFd<'_>, name: &CStr) -> Result<Result<OwnedFd, Errno>, WorkspaceError> {
    match at::create_file(parent, name) {
        Err(Errno::EXIST) => {
            remove::remove(parent, name)?;
            Ok(at::create_file(parent, name))
        }
        made => Ok(made),
    }
}

/// Opens the directory that holds a path, no link followed.
pub(crate) fn parent_of(root: BorrowedFd<'_>, path: &WorkspacePath) -> Result<OwnedFd, Errno> {
    match path.parent() {
        Some(parent) => at::open_path(root, &parent, OFlags::RDONLY | OFlags::DIRECTORY),
        None => at::open_again(root),
    }
}

/// Gives the last component as the system takes it.
pub(crate) fn c_name(path: &WorkspacePath) -> CString {
    CString::new(path.file_name().as_encoded_bytes()).expect("a workspace path holds no NUL")
}

/// Goes down to a directory of the target, making what is missing and replacing what is no directory.
fn enter_target(copier: &mut Copier<'_>, path: Option<&WorkspacePath>) -> Result<(), WorkspaceError> {
    let Some(path) = path else { return Ok(()) };
    for component in path.components() {
        let name = CString::new(component.as_encoded_bytes()).expect("a workspace path holds no NUL");
        push_dir(&mut copier.target, &name, 0o755, path.as_bytes())?;
    }
    Ok(())
}

/// Makes or opens a directory in the stack's top one and goes down into it; anything else in its place is removed.
pub(crate) fn push_dir(stack: &mut DirStack, name: &CStr, mode: u32, shown: &[u8]) -> Result<(), WorkspaceError> {
    let failed = |error: Errno| WorkspaceError::io("make the directory", shown, error);
    // A guest that runs beside may put something there again and again.
    for _ in 0..RACE_TRIES {
        match at::make_dir(stack.top(), name, mode) {
            Ok(made) => return stack.push(made, None).map_err(failed),
            Err(Errno::EXIST) => remove::remove(stack.top(), name)?,
            Err(Errno::NOENT) => {}
            Err(Errno::ACCESS) => return stack.enter(name).map_err(failed),
            Err(error) => return Err(failed(error)),
        }
    }
    Err(WorkspaceError::Changing { path: super::path::display(shown) })
}

struct Copier<'a> {
    target: DirStack,
    options: CopyOptions<'a>,
    bytes: ByteCopier,
    report: CopyReport,
}

impl<'a> Copier<'a> {
    fn new(target: BorrowedFd<'_>, options: CopyOptions<'a>) -> Result<Self, WorkspaceError> {
        let target = DirStack::new(target).map_err(|e| WorkspaceError::io("open", b"", e))?;
        Ok(Self { target, options, bytes: ByteCopier::default(), report: CopyReport::default() })
    }

    fn run(mut self, from: BorrowedFd<'_>) -> Result<CopyReport, WorkspaceError> {
        walk::walk(from, self.options.bounds.entries, &mut self)?;
        Ok(self.report)
    }

    fn check(&mut self, seen: Seen<'_>) -> Result<(), WorkspaceError> {
        self.options.check.as_mut().map_or(Ok(()), |check| check(seen))
    }

    fn progress(&mut self) {
        if let Some(progress) = &mut self.options.progress {
            progress(&self.report);
        }
    }

    /// Copies anything but a directory, under a name of its own.
    fn copy_as(&mut self, seen: Seen<'_>, name: &CStr) -> Result<(), WorkspaceError> {
        match seen.meta.kind {
            Kind::File => self.copy_file(seen, name)?,
            Kind::Symlink => self.copy_link(seen, name)?,
            Kind::Directory | Kind::Special => self.report.specials += 1,
        }
        self.progress();
        Ok(())
    }

    fn copy_link(&mut self, seen: Seen<'_>, name: &CStr) -> Result<(), WorkspaceError> {
        let failed = |error: Errno| WorkspaceError::io("copy the link", seen.path, error);
        let link = match at::read_link(seen.parent, seen.name) {
            Ok(link) => link,
            Err(Errno::NOENT | Errno::INVAL) => return Ok(()),
            Err(error) => return Err(failed(error)),
        };
        let top = self.target.top();
        match rustix::fs::symlinkat(link.as_slice(), top, name) {
            Err(Errno::EXIST) => {
                remove::remove(top, name)?;
                rustix::fs::symlinkat(link.as_slice(), top, name).map_err(failed)?;
            }
            made => made.map_err(failed)?,
        }
        if self.options.times == Times::Keep {
            let times = timestamps(seen.meta.modified);
            rustix::fs::utimensat(top, name, &times, AtFlags::SYMLINK_NOFOLLOW).map_err(failed)?;
        }
        self.report.links += 1;
        Ok(())
    }

    fn copy_file(&mut self, seen: Seen<'_>, name: &CStr) -> Result<(), WorkspaceError> {
        match open_regular(seen)? {
            Some((from, meta)) => self.put_file(&from, &meta, name, seen.path),
            None => Ok(()),
        }
    }

    fn put_file(&mut self, from: &OwnedFd, meta: &Meta, name: &CStr, shown: &[u8]) -> Result<(), WorkspaceError> {
        let failed = |error: std::io::Error| WorkspaceError::io("copy", shown, error);
        let left = self.options.bounds.bytes.saturating_sub(self.report.bytes);
        if meta.size > left {
            return Err(WorkspaceError::TooLarge { what: "bytes", limit: self.options.bounds.bytes });
        }
        let to = create(self.target.top(), name)?.map_err(|e| failed(e.into()))?;
        self.report.bytes += self.bytes.copy(from, &to, meta).map_err(failed)?;
        self.report.files += 1;
        self.finish(to.as_fd(), meta).map_err(|e| failed(e.into()))
    }

    /// Gives a copy its permissions and times.
    fn finish(&self, copy: BorrowedFd<'_>, meta: &Meta) -> Result<(), Errno> {
        rustix::fs::fchmod(copy, Mode::from_raw_mode(self.mode(meta)))?;
        match self.options.times {
            Times::Keep => rustix::fs::futimens(copy, &timestamps(meta.modified)),
            Times::Fresh => Ok(()),
        }
    }

    fn mode(&self, meta: &Meta) -> u32 {
        self.options.modes.of(meta.mode, meta.kind == Kind::Directory)
    }
}

/// Moves everything that a directory holds into another one of the same file system, in which none of it is yet.
pub(crate) fn move_all(from: BorrowedFd<'_>, to: BorrowedFd<'_>) -> Result<(), WorkspaceError> {
    let open = at::open_again(from).map_err(|e| WorkspaceError::io("open", b"", e))?;
    let names = at::list(open.as_fd(), u64::MAX).map_err(|e| WorkspaceError::io("list", b"", e))?.unwrap_or_default();
    names.iter().try_for_each(|name| move_one(from, name, to))
}

/// Moves an entry of a directory into another one of the same file system, in which nothing has its name.
pub(crate) fn move_one(from: BorrowedFd<'_>, name: &CStr, to: BorrowedFd<'_>) -> Result<(), WorkspaceError> {
    let failed = |error: Errno| WorkspaceError::io("move", name.to_bytes(), error);
    match rustix::fs::renameat(from, name, to, name) {
        // A directory that its owner may not write to knows where it is: it is lent the right for that long.
        Err(Errno::ACCESS) => {
            let (lent, before) = at::open_forced(from, name, 0o700).map_err(failed)?;
            let moved = rustix::fs::renameat(from, name, to, name).map_err(failed);
            rustix::fs::fchmod(&lent, Mode::from_raw_mode(before.mode)).map_err(failed)?;
            moved
        }
        moved => moved.map_err(failed),
    }
}

/// Opens a file that a walk has met, its owner's rights lent when they are missing. `None`: it is no regular file any more.
pub(crate) fn open_regular(seen: Seen<'_>) -> Result<Option<(OwnedFd, Meta)>, WorkspaceError> {
    let failed = |error: Errno| WorkspaceError::io("open", seen.path, error);
    let opened = match at::open_file(seen.parent, seen.name) {
        Err(Errno::ACCESS) => at::open_forced(seen.parent, seen.name, 0o400).map(|(file, before)| {
            // The file keeps the permissions that the guest gave it.
            let _ = rustix::fs::fchmod(&file, Mode::from_raw_mode(before.mode));
            file
        }),
        opened => opened,
    };
    match opened {
        Ok(file) => {
            let meta = at::meta(&file).map_err(failed)?;
            Ok((meta.kind == Kind::File).then_some((file, meta)))
        }
        Err(error) if walk::is_gone(error) => Ok(None),
        Err(error) => Err(failed(error)),
    }
}

impl Visit for Copier<'_> {
    fn enter(&mut self, seen: Seen<'_>) -> Result<Descend, WorkspaceError> {
        if self.options.ignore.is_some_and(|globs| globs.prunes(seen.path)) {
            self.report.ignored += 1;
            return Ok(Descend::Skip);
        }
        self.check(seen)?;
        push_dir(&mut self.target, seen.name, 0o700, seen.path)?;
        self.report.directories += 1;
        Ok(Descend::Into)
    }

    fn entry(&mut self, seen: Seen<'_>) -> Result<(), WorkspaceError> {
        let is_ignored = self.options.ignore.is_some_and(|globs| globs.matches(seen.path));
        let is_kept = self.options.keep.is_none_or(|globs| globs.matches(seen.path));
        if is_ignored || !is_kept {
            self.report.ignored += 1;
            return Ok(());
        }
        self.check(seen)?;
        self.copy_as(seen, seen.name)
    }

    fn leave(&mut self, seen: Seen<'_>) -> Result<(), WorkspaceError> {
        let failed = |error: Errno| WorkspaceError::io("copy", seen.path, error);
        self.finish(self.target.top(), seen.meta).map_err(failed)?;
        self.progress();
        self.target.pop().map_err(|_| WorkspaceError::Changing { path: super::path::display(seen.path) })
    }

    fn closed(&mut self, seen: Seen<'_>, why: Errno) -> Result<(), WorkspaceError> {
        self.target.pop().map_err(|_| WorkspaceError::Changing { path: super::path::display(seen.path) })?;
        match why {
            Errno::XDEV => self.report.mounts += 1,
            gone if walk::is_gone(gone) => {}
            error => return Err(WorkspaceError::io("open", seen.path, error)),
        }
        // What cannot be gone into is not part of the copy, not even as an empty directory.
        let _ = rustix::fs::unlinkat(self.target.top(), seen.name, AtFlags::REMOVEDIR);
        self.report.directories -= 1;
        Ok(())
    }
}

pub(crate) fn timestamps(modified: Stamp) -> Timestamps {
    let moment = Timespec { tv_sec: modified.seconds, tv_nsec: modified.nanos };
    Timestamps { last_access: moment, last_modification: moment }
}

#[cfg(test)]
mod tests {
    use super::super::Bounds;
    use super::super::copy_options::Modes;
    use super::*;
    use cap_std::ambient_authority;
    use cap_std::fs::{MetadataExt, PermissionsExt};

    fn dirs() -> (tempfile::TempDir, Dir, Dir) {
        let temp = tempfile::tempdir().unwrap();
        let root = Dir::open_ambient_dir(temp.path(), ambient_authority()).unwrap();
        root.create_dir("from").unwrap();
        root.create_dir("to").unwrap();
        let (from, to) = (root.open_dir("from").unwrap(), root.open_dir("to").unwrap());
        (temp, from, to)
    }

    fn path(name: &str) -> WorkspacePath {
        WorkspacePath::new(name).unwrap()
    }

    fn read_only() -> CopyOptions<'static> {
        CopyOptions::new(Modes::ReadOnly, Times::Fresh)
    }

    #[test]
    fn h25_a_staged_copy_is_read_only_and_no_hard_link() {
        let (_temp, from, to) = dirs();
        from.write("data", "original").unwrap();
        copy_tree(&from, Some(&path("data")), &to, Some(&path("a/b/data")), read_only()).unwrap();
        let (original, copy) = (from.metadata("data").unwrap(), to.metadata("a/b/data").unwrap());
        assert_ne!(original.ino(), copy.ino());
        assert_eq!((original.nlink(), copy.nlink()), (1, 1));
        assert_eq!(copy.permissions().mode() & 0o777, 0o444);
        copy_tree(&from, None, &to, Some(&path("again")), read_only()).unwrap();
        assert_eq!(to.read_to_string("again/data").unwrap(), "original");
    }

    #[test]
    fn what_stands_in_the_way_is_replaced_and_never_followed() {
        let (temp, from, to) = dirs();
        std::os::unix::fs::symlink("/etc/passwd", temp.path().join("to/file")).unwrap();
        std::os::unix::fs::symlink("/etc", temp.path().join("to/dir")).unwrap();
        from.write("file", "new").unwrap();
        from.create_dir("dir").unwrap();
        from.write("dir/below", "new").unwrap();
        copy_tree(&from, None, &to, None, CopyOptions::new(Modes::Exact, Times::Keep)).unwrap();
        assert_eq!(to.read_to_string("file").unwrap(), "new");
        assert!(to.symlink_metadata("dir").unwrap().is_dir());
    }

    #[test]
    fn holes_stay_holes_and_large_files_are_whole() {
        let (_temp, from, to) = dirs();
        let hole = from.create("hole").unwrap();
        hole.set_len(1 << 30).unwrap();
        let content: Vec<u8> = (0..700_000u32).map(|at| (at % 251) as u8).collect();
        from.write("large", &content).unwrap();
        let report = copy_tree(&from, None, &to, None, CopyOptions::new(Modes::Exact, Times::Keep)).unwrap();
        assert_eq!((report.files, report.bytes), (2, (1 << 30) + 700_000));
        let copy = to.metadata("hole").unwrap();
        assert_eq!((copy.len(), copy.blocks()), (1 << 30, 0));
        assert_eq!(to.read("large").unwrap(), content);
    }

    #[test]
    fn bounds_stop_a_copy() {
        let (_temp, from, to) = dirs();
        from.write("a", "12345").unwrap();
        from.write("b", "12345").unwrap();
        for bounds in [Bounds { entries: 1, bytes: 100 }, Bounds { entries: 9, bytes: 9 }] {
            let mut options = CopyOptions::new(Modes::Exact, Times::Keep);
            options.bounds = bounds;
            let error = copy_tree(&from, None, &to, None, options).unwrap_err();
            assert!(matches!(error, WorkspaceError::TooLarge { .. }), "{error}");
        }
    }
}
