//! A submission in, a workspace out.

use std::ffi::CString;
use std::fmt;
use std::os::fd::AsFd;
use std::path::Path;

use cap_std::ambient_authority;
use cap_std::fs::Dir;

use super::copy_options::{Bounds, CopyOptions, CopyReport, Modes, Times};
use super::open::PrivateDir;
#[cfg(feature = "files")]
use super::{Archive, ArchiveRules};
use super::{ArchiveError, ArchiveFormat, Globs, Workspace, WorkspaceError, WorkspacePath, at, remove, tree, usage};

/// How a submission is copied into a workspace.
#[derive(Default)]
#[non_exhaustive]
pub struct CopyIn<'a> {
    /// What is left out. Default: nothing.
    pub ignore: Globs,
    /// How much is taken at most. Default: 1,000,000 entries, 64 GiB.
    pub bounds: Bounds,
    /// Told after every entry. Default: nobody.
    pub progress: Option<&'a mut dyn FnMut(&CopyReport)>,
}

impl Workspace {
    /// Copies a directory's content, what an archive holds, or a single file, into the workspace.
    ///
    /// A file is an archive when it is [named like one](ArchiveFormat::from_name); of which format it is, its bytes
    /// say. One that the [rules for submissions](crate::ArchiveRules::submission) refuse is refused before anything
    /// is written.
    ///
    /// Links are copied as links and never followed; FIFOs, sockets and devices are left out; permissions are kept
    /// as far as 0777, and the owner may read and write; times are those of the copy. Never a hard link: the source
    /// stays as it is whatever the guest does. What stands in the way is replaced.
    ///
    /// # Errors
    ///
    /// When the source cannot be read or is larger than the bounds, or the workspace is full. Some of it may be
    /// there by then.
    pub fn copy_in(&self, source: &Path, options: CopyIn<'_>) -> Result<CopyReport, WorkspaceError> {
        let failed = |error| WorkspaceError::Source { path: source.to_owned(), source: error };
        let CopyIn { ignore, bounds, mut progress } = options;
        let mut tell = |report: &CopyReport| progress.iter_mut().for_each(|tell| tell(report));
        let mut copy = CopyOptions::new(Modes::OwnerWritable, Times::Fresh);
        (copy.bounds, copy.ignore) = (bounds, Some(&ignore));
        copy.progress = Some(&mut tell);
        // The source is the caller's own: a link to it is followed, links in it are not.
        let source = source.canonicalize().map_err(failed)?;
        let is_directory = source.metadata().map_err(failed)?.is_dir();
        if is_directory {
            let from = Dir::open_ambient_dir(&source, ambient_authority()).map_err(failed)?;
            let room = usage::room_for_copy(from.as_fd(), bounds.entries)?;
            return Ok(self.space().with_room(room, || tree::copy_tree(&from, None, self.dir(), None, copy))?.0);
        }
        if ArchiveFormat::from_name(&source).is_some() {
            return self.unpack(&source, bounds, &ignore);
        }
        let parent = source.parent().unwrap_or(Path::new("/"));
        let from = Dir::open_ambient_dir(parent, ambient_authority()).map_err(failed)?;
        let name = WorkspacePath::new(source.file_name().unwrap_or_default())?;
        let meta = at::meta_at(from.as_fd(), &tree::c_name(&name)).map_err(|e| failed(e.into()))?;
        let room = usage::room_for_file(meta.size);
        let (report, _) =
            self.space().with_room(room, || tree::copy_tree(&from, Some(&name), self.dir(), None, copy))?;
        if report.specials > 0 {
            return Err(failed(std::io::Error::other("it is neither a file nor a directory")));
        }
        Ok(report)
    }

    #[cfg(feature = "files")]
    fn unpack(&self, source: &Path, bounds: Bounds, ignore: &Globs) -> Result<CopyReport, WorkspaceError> {
        let failed = |error: ArchiveError| error.of(source);
        let file = std::fs::File::open(source).map_err(|error| failed(ArchiveError::Read { source: error }))?;
        let mut rules = ArchiveRules::submission();
        rules.bounds.tree = bounds;
        let archive = Archive::open(file, rules).map_err(failed)?;
        let unpack = || archive.unpack_with(self.dir(), ignore, Modes::OwnerWritable).map_err(failed);
        Ok(self.space().with_room(archive.room(), unpack)?.0)
    }

    #[cfg(not(feature = "files"))]
    #[expect(clippy::unused_self, reason = "the same call as where archives are read")]
    fn unpack(&self, source: &Path, _: Bounds, _: &Globs) -> Result<CopyReport, WorkspaceError> {
        Err(ArchiveError::Unsupported.of(source))
    }

    /// Makes the workspace equal to a directory: nothing of what was there stays. Links stay links; permissions and
    /// times are kept as they are; specials and what is mounted inside are left out and counted.
    ///
    /// Nothing may run in the workspace meanwhile. It is what it was before when the directory cannot be copied, or
    /// there is no room for both.
    ///
    /// # Errors
    ///
    /// When the directory cannot be read or is larger than the bounds, or the workspace cannot be written.
    pub fn mirror(&self, source: &Path, bounds: Bounds) -> Result<CopyReport, WorkspaceError> {
        let failed = |error| WorkspaceError::Source { path: source.to_owned(), source: error };
        let from = Dir::open_ambient_dir(source, ambient_authority()).map_err(failed)?;
        let mut room = usage::room_for_copy(from.as_fd(), bounds.entries)?;
        room.entries += 1;
        let mut options = CopyOptions::new(Modes::Exact, Times::Keep);
        options.bounds = bounds;
        let copy = || {
            let beside = PrivateDir::make(self.space(), "mirror")?;
            let report = tree::copy_tree(&from, None, beside.dir(), None, options)?;
            remove::clear(self.dir().as_fd())?;
            tree::move_all(beside.dir().as_fd(), self.dir().as_fd())?;
            Ok(report)
        };
        Ok(self.space().with_room(room, copy)?.0)
    }

    /// Copies the workspace to a directory that is new or empty, for people to look at. Times are kept.
    ///
    /// # Errors
    ///
    /// When the directory is not empty or cannot be written, or the workspace cannot be read.
    pub fn keep(&self, destination: &Path) -> Result<CopyReport, WorkspaceError> {
        let failed = |source| WorkspaceError::Destination { path: destination.to_owned(), source };
        Dir::create_ambient_dir_all(destination, ambient_authority()).map_err(failed)?;
        let to = Dir::open_ambient_dir(destination, ambient_authority()).map_err(failed)?;
        let listed = at::open_again(to.as_fd()).and_then(|open| at::list(open.as_fd(), 0));
        if listed.map_err(|e| failed(e.into()))?.is_none() {
            return Err(WorkspaceError::DestinationNotEmpty { path: destination.to_owned() });
        }
        tree::copy_tree(self.dir(), None, &to, None, CopyOptions::new(Modes::OwnerWritable, Times::Keep))
    }

    /// Removes one entry with all that it holds; what is not there is no error.
    ///
    /// # Errors
    ///
    /// When it cannot be removed, or a directory above it is a link.
    pub fn remove(&self, path: &WorkspacePath) -> Result<(), WorkspaceError> {
        let name: CString = tree::c_name(path);
        match tree::parent_of(self.dir().as_fd(), path) {
            Ok(parent) => remove::remove(parent.as_fd(), &name),
            Err(rustix::io::Errno::NOENT) => Ok(()),
            Err(error) => Err(WorkspaceError::io("open", path.as_bytes(), error)),
        }
    }
}

impl fmt::Debug for CopyIn<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { ignore, bounds, progress } = self;
        let progress = progress.as_ref().map(|_| "..");
        f.debug_struct("CopyIn").field("ignore", ignore).field("bounds", bounds).field("progress", &progress).finish()
    }
}
