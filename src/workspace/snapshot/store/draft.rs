//! Files in the making: under a name of their own until they are whole, gone when they never are.

use std::os::fd::{AsFd, OwnedFd};

use rustix::fs::AtFlags;

use super::StoreError;
use super::folder::{Durability, Folder};
use crate::workspace::{at, bytes};

/// What the names of drafts begin with.
pub(super) const DRAFT: char = '.';

/// A file that is being written. Dropped before [`publish`](Self::publish) it leaves nothing.
#[derive(Debug)]
pub(crate) struct Draft {
    folder: Folder,
    name: String,
    file: OwnedFd,
    /// Whether all that was written is on the device.
    is_synced: bool,
    published: bool,
}

/// What was written so far of a file in the making, to be brought to the device beside what comes after it.
#[derive(Debug)]
pub(crate) struct Behind {
    folder: Folder,
    file: OwnedFd,
}

impl Draft {
    pub(super) fn new(folder: Folder) -> Result<Self, StoreError> {
        let random = at::random::<16>().map_err(|error| folder.failed("name a file", "", error))?;
        let name = format!("{DRAFT}{:032x}.new", u128::from_ne_bytes(random));
        let c_name = std::ffi::CString::new(name.as_str()).expect("hexadecimal digits hold no NUL");
        let made = at::create_file(folder.dir().as_fd(), &c_name);
        let file = made.map_err(|error| folder.failed("make", &name, error))?;
        Ok(Self { folder, name, file, is_synced: false, published: false })
    }

    /// Reads back what was written.
    pub(super) fn read(&self) -> Result<Vec<u8>, StoreError> {
        let failed = |error: std::io::Error| self.folder.failed("read", &self.name, error);
        let size = at::meta(&self.file).map_err(|error| failed(error.into()))?.size;
        let mut content = vec![0; usize::try_from(size).unwrap_or(0)];
        bytes::read_at(&self.file, &mut content, 0).map_err(failed)?;
        Ok(content)
    }

    /// Writes bytes at a position.
    pub(crate) fn write_at(&mut self, content: &[u8], at: u64) -> Result<(), StoreError> {
        self.is_synced = false;
        bytes::write_all_at(&self.file, content, at).map_err(|error| self.folder.failed("write", &self.name, error))
    }

    /// Makes the file exactly so long.
    pub(crate) fn set_len(&mut self, length: u64) -> Result<(), StoreError> {
        self.is_synced = false;
        rustix::fs::ftruncate(&self.file, length).map_err(|error| self.folder.failed("write", &self.name, error))
    }

    /// Brings to the device what was written.
    pub(super) fn sync(&mut self) -> Result<(), StoreError> {
        if !self.is_synced {
            rustix::fs::fdatasync(&self.file).map_err(|error| self.folder.failed("sync", &self.name, error))?;
            self.is_synced = true;
        }
        Ok(())
    }

    /// Gives what was written so far. `None`: there are no more descriptors, and it waits for the end.
    pub(super) fn behind(&self) -> Option<Behind> {
        Some(Behind { folder: self.folder.clone(), file: self.file.try_clone().ok()? })
    }

    /// Gives the file its name; another of that name is replaced.
    pub(super) fn publish(mut self, name: &str, durability: Durability) -> Result<(), StoreError> {
        if durability == Durability::Synced {
            self.sync()?;
        }
        let dir = self.folder.dir();
        rustix::fs::renameat(dir, self.name.as_str(), dir, name)
            .map_err(|error| self.folder.failed("name", name, error))?;
        self.published = true;
        Ok(())
    }
}

impl Behind {
    /// Brings it to the device.
    pub(crate) fn sync(&self) -> Result<(), StoreError> {
        rustix::fs::fdatasync(&self.file).map_err(|error| self.folder.failed("sync", "", error))
    }
}

impl Drop for Draft {
    fn drop(&mut self) {
        if !self.published {
            // What cannot be removed now is removed by `gc`, as after a crash.
            let _ = rustix::fs::unlinkat(self.folder.dir(), self.name.as_str(), AtFlags::empty());
        }
    }
}
