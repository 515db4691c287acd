//! Detached memory file systems: a descriptor of a size-limited tmpfs that has no path anywhere.
//!
//! It vanishes with its last descriptor, so that not even `kill -9` leaves anything behind.

use std::os::fd::{AsFd, OwnedFd};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use rustix::fs::{Mode, OFlags};
use rustix::mount::{FsMountFlags, FsOpenFlags, FsPickFlags, MountAttrFlags};

use super::WorkspaceError;

/// Entries of a memory file system when the caller gives no number: each takes about 1 KiB of the kernel's memory.
pub const DEFAULT_ENTRIES: u64 = 1 << 18;

/// The unit in which tmpfs gives out room.
pub(crate) const PAGE: u64 = 4096;

/// Entries that bailiwick itself makes in a workspace's file system.
const OWN_ENTRIES: u64 = 16;

/// What workspaces may take of the host's memory together.
#[derive(Debug)]
pub(crate) struct MemoryGuard {
    most: u64,
    taken: AtomicU64,
}

/// A part of the guard's memory, given back on drop.
#[derive(Debug)]
pub(crate) struct Reservation {
    guard: Arc<MemoryGuard>,
    bytes: AtomicU64,
}

/// Room of a memory file system.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Room {
    pub(crate) bytes: u64,
    pub(crate) entries: u64,
}

impl MemoryGuard {
    pub(crate) fn new(most: u64) -> Arc<Self> {
        Arc::new(Self { most, taken: AtomicU64::new(0) })
    }

    pub(crate) fn most(&self) -> u64 {
        self.most
    }

    /// Takes bytes for a new workspace, or nothing when there is not enough.
    ///
    /// A quarter of the whole is left for what the host puts into workspaces later.
    pub(crate) fn reserve(self: &Arc<Self>, bytes: u64) -> Option<Reservation> {
        let most = self.most / 4 * 3;
        self.take(bytes, most).then(|| Reservation { guard: self.clone(), bytes: AtomicU64::new(bytes) })
    }

    fn take(&self, bytes: u64, most: u64) -> bool {
        let add = |taken: u64| taken.checked_add(bytes).filter(|sum| *sum <= most);
        self.taken.fetch_update(Ordering::Relaxed, Ordering::Relaxed, add).is_ok()
    }
}

impl Reservation {
    /// Makes the part larger or smaller; `false` when there is not enough.
    pub(crate) fn resize(&self, bytes: u64) -> bool {
        let held = self.bytes.load(Ordering::Relaxed);
        if bytes > held && !self.guard.take(bytes - held, self.guard.most) {
            return false;
        }
        if bytes < held {
            self.guard.taken.fetch_sub(held - bytes, Ordering::Relaxed);
        }
        self.bytes.store(bytes, Ordering::Relaxed);
        true
    }
}

impl Drop for Reservation {
    fn drop(&mut self) {
        self.guard.taken.fetch_sub(self.bytes.load(Ordering::Relaxed), Ordering::Relaxed);
    }
}

/// Makes a memory file system and opens its root.
pub(crate) fn mount(room: Room) -> Result<OwnedFd, WorkspaceError> {
    let failed = |error: rustix::io::Errno| WorkspaceError::Memory { operation: "made", source: error.into() };
    let make = || {
        let system = rustix::mount::fsopen(c"tmpfs", FsOpenFlags::FSOPEN_CLOEXEC)?;
        configure(&system, room)?;
        rustix::mount::fsconfig_set_string(system.as_fd(), c"mode", c"0700")?;
        rustix::mount::fsconfig_create(system.as_fd())?;
        let attributes = MountAttrFlags::MOUNT_ATTR_NOSUID | MountAttrFlags::MOUNT_ATTR_NODEV;
        let mount = rustix::mount::fsmount(system.as_fd(), FsMountFlags::FSMOUNT_CLOEXEC, attributes)?;
        // The descriptor of a mount is a handle only: opened again it can be read.
        rustix::fs::openat(mount, c".", OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC, Mode::empty())
    };
    make().map_err(failed)
}

/// Changes the room of a memory file system that is in use.
pub(crate) fn resize(root: impl AsFd, room: Room) -> Result<(), WorkspaceError> {
    let failed = |error: rustix::io::Errno| WorkspaceError::Memory { operation: "resized", source: error.into() };
    let change = || {
        let flags = FsPickFlags::FSPICK_CLOEXEC | FsPickFlags::FSPICK_EMPTY_PATH;
        let system = rustix::mount::fspick(root.as_fd(), c"", flags)?;
        configure(&system, room)?;
        rustix::mount::fsconfig_reconfigure(system.as_fd())
    };
    change().map_err(failed)
}

fn configure(system: &OwnedFd, room: Room) -> Result<(), rustix::io::Errno> {
    // A size of 0 would mean no limit.
    let bytes = room.bytes.div_ceil(PAGE).max(1) * PAGE;
    let entries = room.entries.saturating_add(OWN_ENTRIES);
    rustix::mount::fsconfig_set_string(system.as_fd(), c"size", bytes.to_string())?;
    rustix::mount::fsconfig_set_string(system.as_fd(), c"nr_inodes", entries.to_string())
}

/// Measures what is in use.
pub(crate) fn used(root: impl AsFd) -> Result<Room, rustix::io::Errno> {
    let found = rustix::fs::fstatvfs(root)?;
    let bytes = found.f_blocks.saturating_sub(found.f_bfree).saturating_mul(found.f_frsize.max(1));
    Ok(Room { bytes, entries: found.f_files.saturating_sub(found.f_ffree) })
}

/// Says how much room is left.
pub(crate) fn left(root: impl AsFd) -> Result<Room, rustix::io::Errno> {
    let found = rustix::fs::fstatvfs(root)?;
    Ok(Room { bytes: found.f_bfree.saturating_mul(found.f_frsize.max(1)), entries: found.f_ffree })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_guard_gives_no_more_than_it_has() {
        let guard = MemoryGuard::new(100);
        let first = guard.reserve(60).unwrap();
        assert!(guard.reserve(20).is_none(), "a quarter is kept for growth");
        assert!(!first.resize(101));
        assert!(first.resize(100) && first.resize(10));
        let second = guard.reserve(65).unwrap();
        drop((first, second));
        assert_eq!(guard.taken.load(Ordering::Relaxed), 0);
    }
}
