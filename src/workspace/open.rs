//! `Workspace`: what the submission sees, as a directory handle.

use std::os::fd::AsFd;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use cap_std::fs::Dir;
use rustix::fs::OFlags;

use super::base::Base;
use super::memory::{self, Room};
use super::space::Space;
use super::usage::{self, DiskUsage};
use super::{Owner, Reaper, WorkspaceError, WorkspacePath, at, give, remove};

/// The name of the workspace proper in its private parent.
pub(crate) const WORK: &str = "work";

/// How much a guest may add to a workspace.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Quota {
    /// Bytes. Default: no limit.
    pub bytes: Option<u64>,
    /// Entries: files, directories and links. Default: no limit; in a memory file system 262,144 (`DEFAULT_ENTRIES`).
    pub entries: Option<u64>,
}

/// The directory of one submission, and the private directories beside it.
///
/// It holds descriptors: whoever swaps a directory by name afterwards changes nothing for it. Its parent can be
/// entered by this user alone. bailiwick puts no file of its own into it, so no name is reserved.
///
/// Dropping it hands the removal to the [`Reaper`]; [`Self::close`] removes it and reports.
#[derive(Debug)]
pub struct Workspace {
    // Before the space: what holds a part of it keeps it from being used again.
    work: Dir,
    space: Arc<Space>,
    path: Option<PathBuf>,
    quota: Quota,
}

/// A private directory beside a workspace, on the same file system, removed when it is dropped.
#[derive(Debug)]
pub struct PrivateDir {
    // Before the space, as in a workspace.
    dir: Dir,
    space: Arc<Space>,
    name: String,
    /// The room that the quota was enlarged by for it.
    granted: Room,
}

impl Workspace {
    /// Makes an empty workspace.
    ///
    /// With a quota of bytes and a base that [holds it](Base::holds_quota), it is a memory file system of that size,
    /// as far as there is room; [`Self::quota_held_by`] says so. What the host itself puts in does not count.
    ///
    /// # Errors
    ///
    /// When the base directory cannot be written, or the owner's lock cannot record it.
    pub fn open(base: &Base, owner: &Arc<Owner>, quota: Quota, reaper: &Arc<Reaper>) -> Result<Self, WorkspaceError> {
        let space = Arc::new(Space::open(base, owner, quota, reaper)?);
        let work = space.make_dir(WORK, 0o755)?;
        let path = space.path().map(|parent| parent.join(WORK));
        Ok(Self { space, work, path, quota })
    }

    /// Gives the workspace's directory.
    pub fn dir(&self) -> &Dir {
        &self.work
    }

    /// Gives the private parent, which holds the workspace as `work`.
    pub fn parent_dir(&self) -> &Dir {
        self.space.root()
    }

    /// Gives the workspace's path on the host, when its base is a plain directory.
    ///
    /// For runtimes whose engine takes paths only; compare device and inode with [`Self::dir`] right before use.
    pub fn open_ambient_path(&self) -> Option<&Path> {
        self.path.as_deref()
    }

    /// Says whether there is something at a path, without a link or another file system on the way.
    pub fn has_plainly(&self, path: &WorkspacePath) -> bool {
        at::open_path(self.work.as_fd(), path, OFlags::RDONLY).is_ok()
    }

    /// Gives the workspace's directory and everything in it to a user and a group.
    ///
    /// No link is followed and no mount crossed. Only root may do this.
    ///
    /// # Errors
    ///
    /// When something cannot be read, or its owner cannot be changed.
    pub fn give_to(&self, user: u32, group: u32) -> Result<(), WorkspaceError> {
        give::give(self.work.as_fd(), user, group)
    }

    /// Says what stops a guest that writes more than the quota; `None`: nothing but the runtime's own counting.
    pub fn quota_held_by(&self) -> Option<&'static str> {
        self.space.is_memory().then_some("size-limited memory file system")
    }

    /// Gives the quota that the workspace was opened with.
    pub fn quota(&self) -> Quota {
        self.quota
    }

    /// Allows the guest the whole quota again, whatever is there now: what one command may add.
    ///
    /// # Errors
    ///
    /// When the memory file system cannot grow.
    pub fn renew_quota(&self) -> Result<(), WorkspaceError> {
        // Without a limit of bytes there is no memory file system, and charges know the quota themselves.
        let bytes = self.quota.bytes.unwrap_or_default();
        self.space.set_left(Room { bytes, entries: self.quota.entries.unwrap_or(memory::DEFAULT_ENTRIES) })
    }

    /// Measures what the workspace and its private directories take on the device.
    ///
    /// One system call for a memory file system, a walk for a directory.
    ///
    /// # Errors
    ///
    /// When the tree cannot be read.
    pub fn usage(&self) -> Result<DiskUsage, WorkspaceError> {
        if !self.space.is_memory() {
            return usage::measure(self.space.root().as_fd());
        }
        let used = memory::used(self.space.root()).map_err(|e| WorkspaceError::io("measure", b"", e))?;
        Ok(DiskUsage { bytes: used.bytes, entries: used.entries })
    }

    /// Charges a guest's write before it is made, where no file system holds the quota; `false`: it does not fit.
    ///
    /// `more` is the most that the write may need. Cheap while there is room, else a walk of the tree.
    ///
    /// # Errors
    ///
    /// When the tree cannot be read.
    pub fn charge(&self, more: DiskUsage) -> Result<bool, WorkspaceError> {
        let Some(charges) = self.space.charges() else { return Ok(true) };
        charges.charge(self.space.root().as_fd(), self.quota, Room { bytes: more.bytes, entries: more.entries })
    }

    /// Gives what the guest may still add; `None` where nothing holds the quota.
    ///
    /// One system call.
    pub fn quota_left(&self) -> Option<DiskUsage> {
        let left = memory::left(self.space.is_memory().then(|| self.space.root())?).ok()?;
        Some(DiskUsage { bytes: left.bytes, entries: left.entries })
    }

    /// Makes a private directory `tmp-N` on the same file system and under the same quota, mode 0700.
    ///
    /// # Errors
    ///
    /// When it cannot be made.
    pub fn make_temp(&self) -> Result<PrivateDir, WorkspaceError> {
        // A guest that has used up its entries must not be able to stop the next command from starting.
        let room = Room { bytes: 0, entries: 1 };
        let (mut made, granted) = self.space.with_exactly(room, || PrivateDir::make(&self.space, "tmp"))?;
        made.grant(granted);
        Ok(made)
    }

    /// Makes or opens a directory of this name beside the workspace, mode 0700, which lives as long as it does.
    ///
    /// # Errors
    ///
    /// When it cannot be made.
    pub fn private_dir(&self, name: &str) -> Result<Dir, WorkspaceError> {
        let room = Room { bytes: 0, entries: 1 };
        Ok(self.space.with_room(room, || self.space.make_dir(name, 0o700))?.0)
    }

    /// Does something of the host's that adds at most this much to the workspace's file system, in a
    /// [`Self::private_dir`] or in the workspace, without taking it from the guest's quota.
    ///
    /// # Errors
    ///
    /// Those of the work, and when the memory file system cannot grow so much.
    pub fn with_room<T>(
        &self,
        bytes: u64,
        entries: u64,
        work: impl FnOnce() -> Result<T, WorkspaceError>,
    ) -> Result<T, WorkspaceError> {
        Ok(self.space.with_room(Room { bytes, entries }, work)?.0)
    }

    /// Removes everything in the workspace and keeps the directory itself; the quota is whole again.
    ///
    /// # Errors
    ///
    /// When something cannot be removed.
    pub fn clear(&self) -> Result<(), WorkspaceError> {
        remove::clear(self.work.as_fd())?;
        self.renew_quota()
    }

    /// Removes the workspace and everything beside it, captures too, and waits for that. Idempotent.
    ///
    /// Whoever still holds a part of it holds an empty directory without a name.
    ///
    /// # Errors
    ///
    /// When something cannot be removed.
    pub fn close(&self) -> Result<(), WorkspaceError> {
        self.space.remove(Arc::strong_count(&self.space) > 1)
    }

    pub(crate) fn space(&self) -> &Arc<Space> {
        &self.space
    }
}

impl PrivateDir {
    pub(crate) fn make(space: &Arc<Space>, prefix: &str) -> Result<Self, WorkspaceError> {
        let name = space.fresh_name(prefix);
        let granted = Room::default();
        Ok(Self { dir: space.make_dir(&name, 0o700)?, space: space.clone(), name, granted })
    }

    /// Remembers what to take back from the quota when the directory is removed.
    pub(crate) fn grant(&mut self, room: Room) {
        self.granted = room;
    }

    /// Gives the directory.
    pub fn dir(&self) -> &Dir {
        &self.dir
    }

    /// Gives its path on the host, when the workspace's base is a plain directory.
    pub fn open_ambient_path(&self) -> Option<PathBuf> {
        Some(self.space.path()?.join(&self.name))
    }
}

impl Drop for PrivateDir {
    fn drop(&mut self) {
        self.space.remove_later(&self.name, self.granted);
    }
}
