//! One step on the file system at a time: a directory descriptor and one name, links never followed.
//!
//! Everything that touches a guest's tree goes through here.

use std::ffi::{CStr, CString};
use std::io;
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, OwnedFd};
use std::sync::atomic::{AtomicBool, Ordering};

use rustix::fs::{AtFlags, FileType, Mode, OFlags, RawDir, ResolveFlags, Stat};
use rustix::io::Errno;

use super::path::WorkspacePath;

/// How often an `openat2` that lost a race is tried again before it fails.
const RACE_TRIES: usize = 128;

/// Flags of every open: never follow a link, never wait for a FIFO's other end, never take a terminal.
const SAFE: OFlags = OFlags::NOFOLLOW.union(OFlags::CLOEXEC).union(OFlags::NONBLOCK).union(OFlags::NOCTTY);

/// A moment on the file system's clock.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct Stamp {
    pub(crate) seconds: i64,
    pub(crate) nanos: i64,
}

/// What an entry is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    File,
    Directory,
    Symlink,
    /// A FIFO, a socket or a device.
    Special,
}

/// What the file system says of one entry, in the same types on every architecture.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Meta {
    pub(crate) kind: Kind,
    /// Permission bits, 0777.
    pub(crate) mode: u32,
    pub(crate) size: u64,
    /// Bytes that it takes on the device.
    pub(crate) stored: u64,
    pub(crate) device: u64,
    pub(crate) inode: u64,
    pub(crate) links: u64,
    pub(crate) user: u32,
    pub(crate) modified: Stamp,
    pub(crate) changed: Stamp,
}

impl Kind {
    fn new(found: FileType) -> Self {
        match found {
            FileType::RegularFile => Self::File,
            FileType::Directory => Self::Directory,
            FileType::Symlink => Self::Symlink,
            FileType::Fifo
            | FileType::Socket
            | FileType::CharacterDevice
            | FileType::BlockDevice
            | FileType::Unknown => Self::Special,
        }
    }
}

impl Meta {
    #[expect(clippy::useless_conversion, reason = "the types of `Stat` differ between architectures")]
    fn new(stat: &Stat) -> Self {
        let stamp = |seconds, nanos| Stamp { seconds, nanos };
        Self {
            kind: Kind::new(FileType::from_raw_mode(stat.st_mode)),
            mode: stat.st_mode & 0o777,
            size: u64::try_from(stat.st_size).unwrap_or(0),
            stored: u64::try_from(stat.st_blocks).unwrap_or(0).saturating_mul(512),
            device: u64::try_from(stat.st_dev).unwrap_or(0),
            inode: u64::try_from(stat.st_ino).unwrap_or(0),
            links: u64::try_from(stat.st_nlink).unwrap_or(u64::MAX),
            user: stat.st_uid,
            modified: stamp(i64::from(stat.st_mtime), i64::try_from(stat.st_mtime_nsec).unwrap_or(0)),
            changed: stamp(i64::from(stat.st_ctime), i64::try_from(stat.st_ctime_nsec).unwrap_or(0)),
        }
    }

    /// Names the inode.
    pub(crate) fn identity(&self) -> (u64, u64) {
        (self.device, self.inode)
    }
}

/// Describes an entry without opening it and without following it.
pub(crate) fn meta_at(directory: BorrowedFd<'_>, name: &CStr) -> Result<Meta, Errno> {
    rustix::fs::statat(directory, name, AtFlags::SYMLINK_NOFOLLOW).map(|stat| Meta::new(&stat))
}

/// Describes what is open.
pub(crate) fn meta(open: impl AsFd) -> Result<Meta, Errno> {
    rustix::fs::fstat(open).map(|stat| Meta::new(&stat))
}

/// Opens a directory inside a directory. A link is `ELOOP` or `ENOTDIR`, another mount is `EXDEV`.
pub(crate) fn open_dir(directory: BorrowedFd<'_>, name: &CStr) -> Result<OwnedFd, Errno> {
    open_one(directory, name, SAFE | OFlags::RDONLY | OFlags::DIRECTORY)
}

/// Opens a file inside a directory for reading. It may still be a special file: ask [`meta`].
pub(crate) fn open_file(directory: BorrowedFd<'_>, name: &CStr) -> Result<OwnedFd, Errno> {
    open_one(directory, name, SAFE | OFlags::RDONLY)
}

/// Makes a file that was not there.
pub(crate) fn create_file(directory: BorrowedFd<'_>, name: &CStr) -> Result<OwnedFd, Errno> {
    let flags = SAFE | OFlags::RDWR | OFlags::CREATE | OFlags::EXCL;
    rustix::fs::openat(directory, name, flags, Mode::from_raw_mode(0o600))
}

/// Opens an entry as a handle only: nothing happens to it, whatever it is.
pub(crate) fn open_handle(directory: BorrowedFd<'_>, name: &CStr) -> Result<OwnedFd, Errno> {
    rustix::fs::openat(directory, name, OFlags::PATH | OFlags::NOFOLLOW | OFlags::CLOEXEC, Mode::empty())
}

/// Opens a file or directory although its permissions forbid its owner to. Gives what its mode was.
pub(crate) fn open_forced(directory: BorrowedFd<'_>, name: &CStr, add: u32) -> Result<(OwnedFd, Meta), Errno> {
    let handle = open_handle(directory, name)?;
    let before = meta(&handle)?;
    let flags = match before.kind {
        Kind::Directory => OFlags::DIRECTORY,
        Kind::File => OFlags::empty(),
        Kind::Symlink | Kind::Special => return Err(Errno::NOTSUP),
    };
    // A magic link names this very inode, so nothing on the way can be swapped.
    let itself = format!("/proc/self/fd/{}", handle.as_raw_fd());
    rustix::fs::chmod(&itself, Mode::from_raw_mode(before.mode | add))?;
    let open = rustix::fs::open(&itself, flags | OFlags::RDONLY | OFlags::NONBLOCK | OFlags::CLOEXEC, Mode::empty())?;
    Ok((open, before))
}

fn open_one(directory: BorrowedFd<'_>, name: &CStr, flags: OFlags) -> Result<OwnedFd, Errno> {
    beneath(directory, name, flags).unwrap_or_else(|| open_plain(directory, name, flags))
}

/// Opens a path of several components below a directory, no link followed, no mount crossed.
///
/// An intermediate link is `ELOOP` or `ENOTDIR`, on the fast path and on the walking one.
pub(crate) fn open_path(root: BorrowedFd<'_>, path: &WorkspacePath, flags: OFlags) -> Result<OwnedFd, Errno> {
    let whole = CString::new(path.as_bytes()).map_err(|_| Errno::INVAL)?;
    match beneath(root, &whole, SAFE | flags) {
        // Too long for one call: longer trees are legal, and walked.
        Some(Err(Errno::NAMETOOLONG)) | None => open_by_walking(root, path, SAFE | flags),
        Some(opened) => opened,
    }
}

/// Opens a path component by component, for kernels and seccomp filters without `openat2`.
pub(crate) fn open_by_walking(root: BorrowedFd<'_>, path: &WorkspacePath, flags: OFlags) -> Result<OwnedFd, Errno> {
    let mut held: Option<OwnedFd> = None;
    let mut components = path.components().peekable();
    while let Some(component) = components.next() {
        let name = CString::new(component.as_encoded_bytes()).map_err(|_| Errno::INVAL)?;
        let from = held.as_ref().map_or(root, AsFd::as_fd);
        let last = components.peek().is_none();
        let flags = if last { flags } else { SAFE | OFlags::PATH | OFlags::DIRECTORY };
        held = Some(open_plain(from, &name, flags)?);
    }
    held.ok_or(Errno::INVAL)
}

/// Tries `openat2`; `None` when this kernel or its filter has none.
fn beneath(root: BorrowedFd<'_>, path: &CStr, flags: OFlags) -> Option<Result<OwnedFd, Errno>> {
    static MISSING: AtomicBool = AtomicBool::new(false);
    if MISSING.load(Ordering::Relaxed) {
        return None;
    }
    let resolve = ResolveFlags::BENEATH | ResolveFlags::NO_SYMLINKS | ResolveFlags::NO_XDEV;
    for _ in 0..RACE_TRIES {
        match rustix::fs::openat2(root, path, flags, Mode::empty(), resolve) {
            Err(Errno::AGAIN | Errno::INTR) => {}
            Err(Errno::NOSYS) => {
                MISSING.store(true, Ordering::Relaxed);
                return None;
            }
            // Old seccomp filters answer so to calls that they do not know; walking is as strict.
            Err(Errno::PERM) => return None,
            opened => return Some(opened),
        }
    }
    Some(Err(Errno::AGAIN))
}

/// Opens one component without `openat2`, and refuses what is mounted on it.
fn open_plain(directory: BorrowedFd<'_>, name: &CStr, flags: OFlags) -> Result<OwnedFd, Errno> {
    let open = rustix::fs::openat(directory, name, flags, Mode::empty())?;
    let found = meta(&open)?;
    if flags.contains(OFlags::PATH) && found.kind == Kind::Symlink {
        return Err(Errno::LOOP);
    }
    if found.device != meta(directory)?.device || is_mount_root(&open) {
        return Err(Errno::XDEV);
    }
    Ok(open)
}

/// Says whether something is mounted here. A bind mount of the same device has the same device number.
fn is_mount_root(open: &OwnedFd) -> bool {
    use rustix::fs::{StatxAttributes, StatxFlags};
    rustix::fs::statx(open, c"", AtFlags::EMPTY_PATH, StatxFlags::empty())
        .is_ok_and(|found| found.stx_attributes.contains(StatxAttributes::MOUNT_ROOT))
}

/// Opens a directory anew, for reading: a `Dir` may be a handle only, and duplicates share their position.
pub(crate) fn open_again(directory: BorrowedFd<'_>) -> Result<OwnedFd, Errno> {
    rustix::fs::openat(directory, c".", OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC, Mode::empty())
}

/// Lists a directory that is open for reading, without `.` and `..`, sorted. `None` when it has more than `most`.
pub(crate) fn list(directory: BorrowedFd<'_>, most: u64) -> Result<Option<Vec<CString>>, Errno> {
    // The descriptor's position is shared with whoever holds it: start over.
    rustix::fs::seek(directory, rustix::fs::SeekFrom::Start(0))?;
    let mut buffer = Vec::with_capacity(32 * 1024);
    let mut entries = RawDir::new(directory, buffer.spare_capacity_mut());
    let mut names = Vec::new();
    while let Some(entry) = entries.next() {
        let entry = entry?;
        let name = entry.file_name();
        if name == c"." || name == c".." {
            continue;
        }
        names.push(name.to_owned());
        if names.len() as u64 > most {
            return Ok(None);
        }
    }
    names.sort_unstable();
    Ok(Some(names))
}

/// Reads where a link points, as bytes.
pub(crate) fn read_link(directory: BorrowedFd<'_>, name: &CStr) -> Result<Vec<u8>, Errno> {
    rustix::fs::readlinkat(directory, name, Vec::new()).map(CString::into_bytes)
}

/// Makes a directory, or opens the one that is there; anything else in its place is `EEXIST`.
pub(crate) fn make_dir(directory: BorrowedFd<'_>, name: &CStr, mode: u32) -> Result<OwnedFd, Errno> {
    match rustix::fs::mkdirat(directory, name, Mode::from_raw_mode(mode)) {
        Ok(()) | Err(Errno::EXIST) => {}
        Err(error) => return Err(error),
    }
    match open_dir(directory, name) {
        Err(Errno::LOOP | Errno::NOTDIR) => Err(Errno::EXIST),
        opened => opened,
    }
}

/// Fills a number of bytes with randomness of the kernel.
pub(crate) fn random<const N: usize>() -> io::Result<[u8; N]> {
    let mut bytes = [0; N];
    let mut filled = 0;
    while filled < N {
        filled += rustix::rand::getrandom(&mut bytes[filled..], rustix::rand::GetRandomFlags::empty())?;
    }
    Ok(bytes)
}

/// Says whether a directory is on a memory file system.
pub(crate) fn is_memory(directory: impl AsFd) -> bool {
    /// What `statfs` calls tmpfs, `TMPFS_MAGIC` in `linux/magic.h`.
    const TMPFS: u64 = 0x0102_1994;
    rustix::fs::fstatfs(directory).is_ok_and(|found| u64::try_from(found.f_type) == Ok(TMPFS))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::symlink;

    type Way = fn(BorrowedFd<'_>, &WorkspacePath, OFlags) -> Result<OwnedFd, Errno>;

    const WAYS: [Way; 2] = [open_path, |root, path, flags| open_by_walking(root, path, SAFE | flags)];

    /// `openat2` and the walk refuse the same paths.
    #[test]
    fn h5_links_are_refused_on_both_ways() {
        let temp = tempfile::tempdir().unwrap();
        let root = rustix::fs::open(temp.path(), OFlags::PATH | OFlags::CLOEXEC, Mode::empty()).unwrap();
        for (number, target) in ["/", "/.", "//", "/./..", "..", "../..", ".", "0", "nowhere", "1/"].iter().enumerate()
        {
            symlink(target, temp.path().join(number.to_string())).unwrap();
            for name in [number.to_string(), format!("{number}/etc"), format!("{number}/etc/passwd")] {
                let path = WorkspacePath::new(&name).unwrap();
                for open in WAYS {
                    let errno = open(root.as_fd(), &path, OFlags::RDONLY).unwrap_err();
                    assert!(matches!(errno, Errno::LOOP | Errno::NOTDIR), "{name} -> {target}: {errno}");
                }
            }
        }
    }

    #[test]
    fn both_ways_open_what_is_there() {
        let temp = tempfile::tempdir().unwrap();
        let root = rustix::fs::open(temp.path(), OFlags::PATH | OFlags::CLOEXEC, Mode::empty()).unwrap();
        make_dir(root.as_fd(), c"a", 0o700).unwrap();
        let a = open_dir(root.as_fd(), c"a").unwrap();
        create_file(a.as_fd(), c"b").unwrap();
        for open in WAYS {
            open(root.as_fd(), &WorkspacePath::new("a/b").unwrap(), OFlags::RDONLY).unwrap();
            let missing = open(root.as_fd(), &WorkspacePath::new("a/c").unwrap(), OFlags::RDONLY);
            assert_eq!(missing.unwrap_err(), Errno::NOENT);
        }
    }

    #[test]
    fn another_file_system_is_not_entered() {
        let root = rustix::fs::open("/", OFlags::PATH | OFlags::CLOEXEC, Mode::empty()).unwrap();
        for open in WAYS {
            let crossed = open(root.as_fd(), &WorkspacePath::new("proc/sys").unwrap(), OFlags::RDONLY);
            assert_eq!(crossed.unwrap_err(), Errno::XDEV);
        }
    }
}
