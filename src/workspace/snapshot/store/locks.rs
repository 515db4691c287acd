//! Who may be in the store at once: any number of readers and writers, or one `gc`.

use std::os::fd::OwnedFd;
use std::time::{Duration, Instant};

use rustix::fs::{FlockOperation, Mode, OFlags};
use rustix::io::Errno;

use super::StoreError;
use super::folder::Folder;

/// The file that is locked.
const LOCK: &str = "lock";

/// How long `gc` waits for others to pause.
const PATIENCE: Duration = Duration::from_secs(30);

/// A lock on the store, held until it is dropped; the system frees it when a process dies.
#[derive(Debug)]
pub(crate) struct StoreLock {
    _file: OwnedFd,
}

/// Keeps `gc` out while blobs are read or written: what is there stays there.
pub(super) fn share(root: &Folder) -> Result<StoreLock, StoreError> {
    let file = open(root)?;
    loop {
        match rustix::fs::flock(&file, FlockOperation::LockShared) {
            Ok(()) => return Ok(StoreLock { _file: file }),
            Err(Errno::INTR) => {}
            Err(error) => return Err(root.failed("lock", LOCK, error)),
        }
    }
}

/// Keeps everybody else out. Others come and go in turn, so that waiting for a gap has an end.
pub(super) fn exclude(root: &Folder) -> Result<StoreLock, StoreError> {
    let file = open(root)?;
    let began = Instant::now();
    loop {
        match rustix::fs::flock(&file, FlockOperation::NonBlockingLockExclusive) {
            Ok(()) => return Ok(StoreLock { _file: file }),
            Err(Errno::INTR | Errno::WOULDBLOCK) if began.elapsed() < PATIENCE => {
                std::thread::sleep(Duration::from_millis(5));
            }
            Err(Errno::INTR | Errno::WOULDBLOCK) => {
                return Err(StoreError::InUse { path: root.path().to_owned() });
            }
            Err(error) => return Err(root.failed("lock", LOCK, error)),
        }
    }
}

fn open(root: &Folder) -> Result<OwnedFd, StoreError> {
    let flags = OFlags::RDWR | OFlags::CREATE | OFlags::NOFOLLOW | OFlags::CLOEXEC;
    rustix::fs::openat(root.dir(), LOCK, flags, Mode::from_raw_mode(0o600))
        .map_err(|error| root.failed("open", LOCK, error))
}
