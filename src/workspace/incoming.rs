//! A tree that is put together beside a workspace, and becomes its content once it is whole.

use std::collections::BTreeMap;
use std::ffi::{CStr, CString};
use std::io::{self, Read};
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::sync::Arc;

use rustix::fs::{AtFlags, Mode, OFlags};
use rustix::io::Errno;

use super::at::{self, Kind, Stamp};
use super::bytes::{ByteCopier, write_all_at};
use super::copy_options::CopyReport;
use super::open::PrivateDir;
use super::{Workspace, WorkspaceError, WorkspacePath, remove, tree};

/// How much of a file is written at once; a piece of nothing but zeros becomes a hole.
const PIECE: usize = 64 * 1024;

/// What an entry has beside its content.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Attributes {
    /// Permission bits; what is beyond 0777 is dropped.
    pub(crate) mode: u32,
    pub(crate) modified: Stamp,
}

/// A tree on its way into a workspace: nothing of the workspace changes before [`Self::replace`].
///
/// Dropping it removes what was put together.
#[derive(Debug)]
pub(crate) struct Incoming {
    workspace: Arc<Workspace>,
    staged: PrivateDir,
    /// The directories, whose permissions and times come last, and the root under no name.
    directories: BTreeMap<Option<WorkspacePath>, Attributes>,
    /// The directory of the last entry: those of one directory come one after the other.
    parent: Option<(WorkspacePath, OwnedFd)>,
    report: CopyReport,
}

impl Incoming {
    pub(crate) fn new(workspace: Arc<Workspace>) -> Result<Self, WorkspaceError> {
        let staged = workspace.make_temp()?;
        let report = CopyReport::default();
        Ok(Self { workspace, staged, directories: BTreeMap::new(), parent: None, report })
    }

    /// Counts an entry that is left out.
    pub(crate) fn leave_out(&mut self) {
        self.report.specials += 1;
    }

    /// Makes a directory, or takes the one that is there; `None` is the root.
    pub(crate) fn directory(&mut self, path: Option<WorkspacePath>, with: Attributes) -> Result<(), WorkspaceError> {
        if let Some(path) = &path {
            let parent = self.parent_of(path)?;
            match at::make_dir(parent.as_fd(), &tree::c_name(path), 0o700) {
                Ok(_) => {}
                Err(error) => return Err(WorkspaceError::io("make the directory", path.as_bytes(), error)),
            }
            self.report.directories += 1;
        }
        self.directories.insert(path, with);
        Ok(())
    }

    /// Writes a file of that size; content that ends before is an error. What stands there is replaced.
    pub(crate) fn file(
        &mut self,
        path: &WorkspacePath,
        with: Attributes,
        size: u64,
        content: &mut dyn Read,
    ) -> Result<(), WorkspaceError> {
        let file = self.create(path)?;
        let failed = |error: io::Error| WorkspaceError::io("write", path.as_bytes(), error);
        write_sparse(&file, size, content).map_err(failed)?;
        finish(&file, with).map_err(|error| failed(error.into()))?;
        self.report.files += 1;
        self.report.bytes = self.report.bytes.saturating_add(size);
        Ok(())
    }

    /// Makes a file with the content of one that was put together before. Gives its size; `None`: there is none.
    pub(crate) fn copy_of(
        &mut self,
        path: &WorkspacePath,
        with: Attributes,
        original: &WorkspacePath,
        most: u64,
    ) -> Result<Option<u64>, WorkspaceError> {
        let failed = |error: io::Error| WorkspaceError::io("copy", path.as_bytes(), error);
        let from = match at::open_path(self.staged.dir().as_fd(), original, OFlags::RDONLY) {
            Ok(from) => from,
            Err(Errno::NOENT | Errno::NOTDIR | Errno::LOOP) => return Ok(None),
            Err(error) => return Err(failed(error.into())),
        };
        let meta = at::meta(&from).map_err(|error| failed(error.into()))?;
        if meta.kind != Kind::File || path == original {
            return Ok(None);
        }
        if meta.size > most {
            return Err(WorkspaceError::TooLarge { what: "bytes", limit: most });
        }
        let to = self.create(path)?;
        ByteCopier::default().copy(&from, &to, &meta).map_err(failed)?;
        finish(&to, with).map_err(|error| failed(error.into()))?;
        self.report.files += 1;
        self.report.bytes = self.report.bytes.saturating_add(meta.size);
        Ok(Some(meta.size))
    }

    /// Makes a symbolic link, which is never followed. What stands there is replaced.
    pub(crate) fn link(&mut self, path: &WorkspacePath, target: &CStr, when: Stamp) -> Result<(), WorkspaceError> {
        let (parent, name) = (self.parent_of(path)?, tree::c_name(path));
        let failed = |error: Errno| WorkspaceError::io("make the link", path.as_bytes(), error);
        let made = match rustix::fs::symlinkat(target, &parent, &name) {
            Err(Errno::EXIST) => {
                self.clear_way(&parent, &name)?;
                rustix::fs::symlinkat(target, &parent, &name)
            }
            made => made,
        };
        made.map_err(failed)?;
        rustix::fs::utimensat(&parent, &name, &tree::timestamps(when), AtFlags::SYMLINK_NOFOLLOW).map_err(failed)?;
        self.report.links += 1;
        Ok(())
    }

    /// Makes the workspace's content what was put together.
    ///
    /// The directory itself stays. What was there is set aside first and comes back when a step fails, so that nothing
    /// is lost. Nothing may run in the workspace meanwhile.
    pub(crate) fn replace(self) -> Result<CopyReport, WorkspaceError> {
        let aside = self.workspace.make_temp()?;
        let (work, staged) = (self.workspace.dir().as_fd(), self.staged.dir().as_fd());
        let mut moved_out = Vec::new();
        let mut moved_in = Vec::new();
        let moved = move_all(work, aside.dir().as_fd(), &mut moved_out)
            .and_then(|()| move_all(staged, work, &mut moved_in))
            .and_then(|()| self.finish_directories(work));
        if let Err(error) = moved {
            // Best effort on top of a failure: what cannot come back stays beside the workspace until it is closed.
            let undo = |names: &[CString], from: BorrowedFd<'_>, to: BorrowedFd<'_>| {
                for name in names {
                    let _ = move_one(from, to, name);
                }
            };
            undo(&moved_in, work, staged);
            undo(&moved_out, aside.dir().as_fd(), work);
            return Err(error);
        }
        Ok(self.report)
    }

    /// Gives directories their permissions and times, those below before those above.
    fn finish_directories(&self, work: BorrowedFd<'_>) -> Result<(), WorkspaceError> {
        for (path, with) in self.directories.iter().rev() {
            let shown = path.as_ref().map_or(&b""[..], WorkspacePath::as_bytes);
            let finished = match path {
                Some(path) => at::open_path(work, path, OFlags::RDONLY | OFlags::DIRECTORY)
                    .and_then(|directory| finish(&directory, *with)),
                None => rustix::fs::fchmod(work, Mode::from_raw_mode(with.mode & 0o777)),
            };
            finished.map_err(|error| WorkspaceError::io("finish the directory", shown, error))?;
        }
        Ok(())
    }

    fn create(&mut self, path: &WorkspacePath) -> Result<OwnedFd, WorkspaceError> {
        let (parent, name) = (self.parent_of(path)?, tree::c_name(path));
        let made = match at::create_file(parent.as_fd(), &name) {
            Err(Errno::EXIST) => {
                self.clear_way(&parent, &name)?;
                at::create_file(parent.as_fd(), &name)
            }
            made => made,
        };
        made.map_err(|error| WorkspaceError::io("make the file", path.as_bytes(), error))
    }

    fn clear_way(&mut self, parent: &OwnedFd, name: &CStr) -> Result<(), WorkspaceError> {
        // It may be the directory of the last entry.
        self.parent = None;
        remove::remove(parent.as_fd(), name)
    }

    /// Opens the directory that an entry goes to, made where it is missing. Something else there is an error.
    fn parent_of(&mut self, path: &WorkspacePath) -> Result<OwnedFd, WorkspaceError> {
        let failed = |error: Errno| WorkspaceError::io("open the directory of", path.as_bytes(), error);
        let root = self.staged.dir().as_fd();
        let Some(above) = path.parent() else { return at::open_again(root).map_err(failed) };
        if let Some((_, held)) = self.parent.as_ref().filter(|(known, _)| *known == above) {
            return held.try_clone().map_err(|error| WorkspaceError::io("open", path.as_bytes(), error));
        }
        let opened = match at::open_path(root, &above, OFlags::RDONLY | OFlags::DIRECTORY) {
            Err(Errno::NOENT) => make_way(root, &above),
            opened => opened,
        };
        let opened = opened.map_err(failed)?;
        let held = opened.try_clone().map_err(|error| WorkspaceError::io("open", path.as_bytes(), error))?;
        self.parent = Some((above, held));
        Ok(opened)
    }
}

/// Makes every directory of a path that is missing, and gives the last.
fn make_way(root: BorrowedFd<'_>, path: &WorkspacePath) -> Result<OwnedFd, Errno> {
    let mut held = at::open_again(root)?;
    for component in path.components() {
        let name = CString::new(component.as_encoded_bytes()).expect("a workspace path holds no NUL");
        held = at::make_dir(held.as_fd(), &name, 0o755)?;
    }
    Ok(held)
}

fn finish(open: &OwnedFd, with: Attributes) -> Result<(), Errno> {
    rustix::fs::fchmod(open, Mode::from_raw_mode(with.mode & 0o777))?;
    rustix::fs::futimens(open, &tree::timestamps(with.modified))
}

fn write_sparse(file: &OwnedFd, size: u64, content: &mut dyn Read) -> io::Result<()> {
    let mut piece = vec![0; PIECE];
    let mut at = 0;
    while at < size {
        let step = usize::try_from(size - at).unwrap_or(PIECE).min(PIECE);
        content.read_exact(&mut piece[..step])?;
        if piece[..step].iter().any(|byte| *byte != 0) {
            write_all_at(file, &piece[..step], at)?;
        }
        at += step as u64;
    }
    Ok(rustix::fs::ftruncate(file, size)?)
}

/// Moves everything that a directory holds to another one of the same file system, and notes what was moved.
fn move_all(from: BorrowedFd<'_>, to: BorrowedFd<'_>, moved: &mut Vec<CString>) -> Result<(), WorkspaceError> {
    let listed = at::open_again(from).and_then(|open| at::list(open.as_fd(), u64::MAX));
    let names = listed.map_err(|error| WorkspaceError::io("list", b"", error))?.unwrap_or_default();
    for name in names {
        move_one(from, to, &name).map_err(|error| WorkspaceError::io("move", name.to_bytes(), error))?;
        moved.push(name);
    }
    Ok(())
}

fn move_one(from: BorrowedFd<'_>, to: BorrowedFd<'_>, name: &CStr) -> Result<(), Errno> {
    match rustix::fs::renameat(from, name, to, name) {
        // A directory that its owner may not write to does not get a new parent.
        Err(Errno::ACCESS) => {
            let (directory, before) = at::open_forced(from, name, 0o700)?;
            let moved = rustix::fs::renameat(from, name, to, name);
            rustix::fs::fchmod(&directory, Mode::from_raw_mode(before.mode))?;
            moved
        }
        moved => moved,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::host::Host;
    use crate::workspace::{Base, BaseNeed, Owner, Quota, Reaper};
    use cap_std::fs::{MetadataExt as _, PermissionsExt as _};

    const PLAIN: Attributes = Attributes { mode: 0o644, modified: Stamp { seconds: 1_000_000_000, nanos: 0 } };
    const OPEN: Attributes = Attributes { mode: 0o755, ..PLAIN };

    fn workspace(temp: &tempfile::TempDir) -> Arc<Workspace> {
        let mut host = Host::default();
        host.dirs.base = Some(temp.path().to_owned());
        let base = Base::choose(&host, BaseNeed::Directory).unwrap();
        let owner = Owner::open(&host).unwrap();
        Arc::new(Workspace::open(&base, &owner, Quota::default(), &Reaper::new()).unwrap())
    }

    fn path(name: &str) -> WorkspacePath {
        WorkspacePath::new(name).unwrap()
    }

    #[test]
    fn what_came_in_is_all_that_is_there() {
        let temp = tempfile::tempdir().unwrap();
        let workspace = workspace(&temp);
        workspace.dir().write("old", "old").unwrap();
        workspace.dir().create_dir_all("shut/deep").unwrap();
        workspace.dir().write("shut/deep/file", "old").unwrap();
        let shut = cap_std::fs::Permissions::from_mode(0o555);
        workspace.dir().set_permissions("shut", shut).unwrap();
        let held = workspace.dir().try_clone().unwrap();

        let mut incoming = Incoming::new(workspace.clone()).unwrap();
        incoming.directory(None, Attributes { mode: 0o4750, ..PLAIN }).unwrap();
        incoming.directory(Some(path("shut")), Attributes { mode: 0o500, ..PLAIN }).unwrap();
        incoming.file(&path("shut/run"), Attributes { mode: 0o6755, ..PLAIN }, 3, &mut &b"new"[..]).unwrap();
        incoming.file(&path("hole"), PLAIN, 1 << 22, &mut io::repeat(0)).unwrap();
        assert_eq!(incoming.copy_of(&path("twin"), PLAIN, &path("shut/run"), 3).unwrap(), Some(3));
        assert_eq!(incoming.copy_of(&path("none"), PLAIN, &path("missing"), 3).unwrap(), None);
        incoming.link(&path("link"), c"/etc/passwd", PLAIN.modified).unwrap();
        assert_eq!(workspace.dir().read_to_string("old").unwrap(), "old");
        let report = incoming.replace().unwrap();
        assert_eq!((report.files, report.links, report.directories), (3, 1, 1));

        let meta = |name: &str| held.symlink_metadata(name).unwrap();
        // The directory is the same one.
        let mut names: Vec<_> = held.entries().unwrap().map(|entry| entry.unwrap().file_name()).collect();
        names.sort();
        assert_eq!(names, ["hole", "link", "shut", "twin"]);
        let (run, hole, shut) = (meta("shut/run"), meta("hole"), meta("shut"));
        assert_eq!((run.mode() & 0o7777, run.nlink(), run.mtime()), (0o755, 1, 1_000_000_000));
        assert_eq!(hole.len(), 1 << 22);
        assert!(hole.blocks() < 64);
        assert_eq!((shut.mode() & 0o7777, shut.mtime()), (0o500, 1_000_000_000));
        assert_eq!(workspace.dir().dir_metadata().unwrap().permissions().mode() & 0o7777, 0o750);
    }

    #[test]
    fn a_failure_loses_nothing() {
        let temp = tempfile::tempdir().unwrap();
        let workspace = workspace(&temp);
        workspace.dir().write("old", "old").unwrap();
        let mut incoming = Incoming::new(workspace.clone()).unwrap();
        incoming.file(&path("a"), PLAIN, 1, &mut &b"a"[..]).unwrap();
        assert!(incoming.file(&path("short"), PLAIN, 9, &mut &b"short"[..]).is_err());
        assert!(incoming.file(&path("a/b"), PLAIN, 1, &mut &b"b"[..]).is_err());
        incoming.link(&path("out"), c"/tmp", PLAIN.modified).unwrap();
        assert!(incoming.file(&path("out/b"), PLAIN, 1, &mut &b"b"[..]).is_err());
        assert!(incoming.directory(Some(path("out")), OPEN).is_err());
        drop(incoming);
        // A directory that has vanished meanwhile fails the very last step.
        let mut incoming = Incoming::new(workspace.clone()).unwrap();
        incoming.directory(Some(path("gone")), OPEN).unwrap();
        incoming.file(&path("new"), PLAIN, 1, &mut &b"n"[..]).unwrap();
        incoming.staged.dir().remove_dir("gone").unwrap();
        incoming.replace().unwrap_err();
        let names: Vec<_> = workspace.dir().entries().unwrap().map(|entry| entry.unwrap().file_name()).collect();
        assert_eq!(names, ["old"]);
        assert_eq!(workspace.dir().read_to_string("old").unwrap(), "old");
    }
}
