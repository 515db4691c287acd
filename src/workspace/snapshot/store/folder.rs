//! One directory of the store, and the few things that are done to the files in it.

use std::ffi::CString;
use std::os::fd::{AsFd, OwnedFd};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use cap_std::fs::Dir;
use rustix::fs::{AtFlags, Mode};
use rustix::io::Errno;

use super::{Draft, StoreError};
use crate::workspace::{at, bytes};

/// A directory of the store. Cheap to clone.
#[derive(Clone, Debug)]
pub(crate) struct Folder {
    dir: Arc<Dir>,
    path: Arc<Path>,
}

/// Whether what is written must outlive a crash of the machine.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Durability {
    /// It is on the device before its name is there.
    Synced,
    /// It is written back when the system likes; a crash may lose it, and reading finds that out.
    Lazy,
}

impl Folder {
    pub(super) fn new(dir: Dir, path: PathBuf) -> Self {
        Self { dir: Arc::new(dir), path: path.into() }
    }

    /// Makes or opens a directory in this one, for this user alone.
    pub(super) fn folder(&self, name: &str) -> Result<Self, StoreError> {
        let failed = |error: Errno| self.failed("make", name, error);
        let open = at::make_dir(self.dir.as_fd(), &c_name(name), 0o700).map_err(failed)?;
        Ok(Self::new(Dir::from_std_file(open.into()), self.path.join(name)))
    }

    /// Makes the error of a step on a file of this directory.
    pub(super) fn failed(&self, operation: &'static str, name: &str, error: impl Into<std::io::Error>) -> StoreError {
        StoreError::io(operation, self.path.join(name), error)
    }

    pub(super) fn dir(&self) -> &Dir {
        &self.dir
    }

    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    /// Opens a plain file for reading. `None`: there is none.
    pub(super) fn open(&self, name: &str) -> Result<Option<(OwnedFd, at::Meta)>, StoreError> {
        let failed = |error: Errno| self.failed("open", name, error);
        let open = match at::open_file(self.dir.as_fd(), &c_name(name)) {
            Err(Errno::NOENT) => return Ok(None),
            opened => opened.map_err(failed)?,
        };
        let meta = at::meta(&open).map_err(failed)?;
        if meta.kind == at::Kind::File { Ok(Some((open, meta))) } else { Err(failed(Errno::INVAL)) }
    }

    /// Reads a whole file. `None`: there is none.
    pub(super) fn read(&self, name: &str) -> Result<Option<Vec<u8>>, StoreError> {
        let Some((file, meta)) = self.open(name)? else { return Ok(None) };
        let size = usize::try_from(meta.size).map_err(|_| self.failed("read", name, Errno::FBIG))?;
        let mut content = vec![0; size];
        let read = bytes::read_at(&file, &mut content, 0).map_err(|error| self.failed("read", name, error))?;
        content.truncate(read);
        Ok(Some(content))
    }

    /// Describes an entry. `None`: there is none.
    pub(super) fn meta(&self, name: &str) -> Result<Option<at::Meta>, StoreError> {
        match at::meta_at(self.dir.as_fd(), &c_name(name)) {
            Ok(meta) => Ok(Some(meta)),
            Err(Errno::NOENT) => Ok(None),
            Err(error) => Err(self.failed("look at", name, error)),
        }
    }

    /// Lists the names in it, sorted; those that are not text are nobody's here.
    pub(super) fn names(&self) -> Result<Vec<String>, StoreError> {
        let listed = at::open_again(self.dir.as_fd()).and_then(|open| at::list(open.as_fd(), u64::MAX));
        let listed = listed.map_err(|error| self.failed("list", "", error))?.unwrap_or_default();
        Ok(listed.into_iter().filter_map(|name| name.into_string().ok()).collect())
    }

    /// Removes a file; what is not there is no error.
    pub(super) fn remove(&self, name: &str) -> Result<(), StoreError> {
        match rustix::fs::unlinkat(self.dir.as_fd(), name, AtFlags::empty()) {
            Ok(()) | Err(Errno::NOENT) => Ok(()),
            Err(error) => Err(self.failed("remove", name, error)),
        }
    }

    /// Makes an empty file, if there is none.
    pub(super) fn touch(&self, name: &str) -> Result<(), StoreError> {
        match at::create_file(self.dir.as_fd(), &c_name(name)) {
            Ok(_) | Err(Errno::EXIST) => Ok(()),
            Err(error) => Err(self.failed("make", name, error)),
        }
    }

    /// Begins a file that has no name yet.
    pub(super) fn draft(&self) -> Result<Draft, StoreError> {
        Draft::new(self.clone())
    }

    /// Writes a whole file in one piece: readers see it whole or not at all.
    pub(super) fn write(&self, name: &str, content: &[u8], durability: Durability) -> Result<(), StoreError> {
        let mut draft = self.draft()?;
        draft.write_at(content, 0)?;
        draft.publish(name, durability)
    }

    /// Brings the names in it to the device.
    pub(super) fn sync(&self) -> Result<(), StoreError> {
        let open = rustix::fs::openat(self.dir.as_fd(), c".", rustix::fs::OFlags::RDONLY, Mode::empty());
        open.and_then(rustix::fs::fsync).map_err(|error| self.failed("sync", "", error))
    }
}

fn c_name(name: &str) -> CString {
    CString::new(name).expect("the store's own names hold no NUL")
}
