//! Making, resizing and measuring one memory file system.

use std::ffi::CString;
use std::os::fd::{AsFd, OwnedFd};

use rustix::fs::{Mode, OFlags};
use rustix::io::Errno;
use rustix::mount::{FsMountFlags, FsOpenFlags, MountAttrFlags};

use super::super::WorkspaceError;
use super::helper;

/// Entries of a memory file system when the caller gives no number: each takes about 1 KiB of the kernel's memory.
pub const DEFAULT_ENTRIES: u64 = 1 << 18;

/// The unit in which tmpfs gives out room.
pub(crate) const PAGE: u64 = 4096;

/// Entries that bailiwick itself makes in a workspace's file system.
const OWN_ENTRIES: u64 = 16;

/// Room of a memory file system.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Room {
    pub(crate) bytes: u64,
    pub(crate) entries: u64,
}

/// The handles of a memory file system, which keep it alive: by one it is resized, the other is its mount.
///
/// Dropping the mount waits for the kernel, some ten times as long as making it takes: not on a caller's path.
#[derive(Debug)]
pub(crate) struct Controls {
    pub(super) system: OwnedFd,
    pub(super) mount: OwnedFd,
}

/// Room as the kernel takes it. Made before a helper is, which may not allocate.
pub(super) struct Options {
    size: CString,
    entries: CString,
}

impl Options {
    pub(super) fn of(room: Room) -> Self {
        // A size of 0 would mean no limit.
        let bytes = room.bytes.div_ceil(PAGE).max(1).saturating_mul(PAGE);
        let text = |number: u64| CString::new(number.to_string()).expect("digits hold no zero byte");
        Self { size: text(bytes), entries: text(room.entries.saturating_add(OWN_ENTRIES)) }
    }

    fn set(&self, system: &OwnedFd) -> Result<(), Errno> {
        rustix::mount::fsconfig_set_string(system.as_fd(), c"size", self.size.as_c_str())?;
        rustix::mount::fsconfig_set_string(system.as_fd(), c"nr_inodes", self.entries.as_c_str())
    }
}

/// Makes a memory file system and opens its root: in this process where it may, else through a helper.
pub(crate) fn mount(room: Room) -> Result<(OwnedFd, Controls), WorkspaceError> {
    let failed = |error: Errno| WorkspaceError::Memory { operation: "made", source: error.into() };
    let options = Options::of(room);
    let made = match make(&options) {
        Err(Errno::PERM) => helper::make(&options),
        made => made,
    };
    let controls = made.map_err(failed)?;
    // The descriptor of a mount is a handle only: opened again it can be read.
    let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC;
    let root = rustix::fs::openat(&controls.mount, c".", flags, Mode::empty()).map_err(failed)?;
    Ok((root, controls))
}

/// Makes one in this process. Allocates nothing.
pub(super) fn make(options: &Options) -> Result<Controls, Errno> {
    let system = rustix::mount::fsopen(c"tmpfs", FsOpenFlags::FSOPEN_CLOEXEC)?;
    options.set(&system)?;
    rustix::mount::fsconfig_set_string(system.as_fd(), c"mode", c"0700")?;
    rustix::mount::fsconfig_create(system.as_fd())?;
    let attributes = MountAttrFlags::MOUNT_ATTR_NOSUID | MountAttrFlags::MOUNT_ATTR_NODEV;
    let mount = rustix::mount::fsmount(system.as_fd(), FsMountFlags::FSMOUNT_CLOEXEC, attributes)?;
    Ok(Controls { system, mount })
}

/// Changes the room of a memory file system that is in use.
pub(crate) fn resize(controls: &Controls, room: Room) -> Result<(), WorkspaceError> {
    let change = || {
        Options::of(room).set(&controls.system)?;
        rustix::mount::fsconfig_reconfigure(controls.system.as_fd())
    };
    change().map_err(|error: Errno| WorkspaceError::Memory { operation: "resized", source: error.into() })
}

/// Measures what is in use.
pub(crate) fn used(root: impl AsFd) -> Result<Room, Errno> {
    let found = rustix::fs::fstatvfs(root)?;
    let bytes = found.f_blocks.saturating_sub(found.f_bfree).saturating_mul(found.f_frsize.max(1));
    Ok(Room { bytes, entries: found.f_files.saturating_sub(found.f_ffree) })
}

/// Says how much room is left.
pub(crate) fn left(root: impl AsFd) -> Result<Room, Errno> {
    let found = rustix::fs::fstatvfs(root)?;
    Ok(Room { bytes: found.f_bfree.saturating_mul(found.f_frsize.max(1)), entries: found.f_ffree })
}
