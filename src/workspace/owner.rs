//! Who owns a workspace directory: a random id, and a lock that is free only when its owner is dead.

use std::collections::BTreeSet;
use std::fmt;
use std::io;
use std::os::fd::{AsFd, OwnedFd};
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use cap_std::ambient_authority;
use cap_std::fs::Dir;
use rustix::fs::{AtFlags, FlockOperation, Mode, OFlags};
use rustix::io::Errno;

use super::{WorkspaceError, at};
use crate::host::Host;

/// What the name of every workspace directory begins with.
pub(crate) const PREFIX: &str = "bailiwick-";

/// The directory of the locks, below the state directory.
pub(crate) const OWNERS: &str = "owners";

/// What the name of a lock ends with.
pub(crate) const LOCK: &str = ".lock";

/// What a line of a lock begins with that names a place outside of this host's directories: a runtime, and where.
pub(crate) const ELSEWHERE: &str = "@";

/// The random name of one owner: 128 bits, written as 32 hexadecimal digits.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct OwnerId(String);

/// One engine, as the owner of workspace directories, containers and whatever else outlives a crash.
///
/// With a state directory it holds a lock for its life, by which `gc` of any process knows that it is alive, and
/// which records the base directories it has used.
#[derive(Debug)]
pub struct Owner {
    id: OwnerId,
    next: AtomicU64,
    lock: Option<OwnerLock>,
    /// Whether something of this owner's could not be removed elsewhere.
    left: AtomicBool,
    /// The places elsewhere at which this owner makes things, each with its runtime.
    noted: Mutex<BTreeSet<(String, String)>>,
}

#[derive(Debug)]
struct OwnerLock {
    directory: Dir,
    path: PathBuf,
    file: OwnedFd,
    bases: Mutex<BTreeSet<PathBuf>>,
}

impl OwnerId {
    /// Makes an id that nobody has.
    fn random() -> io::Result<Self> {
        Ok(Self(format!("{:032x}", u128::from_ne_bytes(at::random()?))))
    }

    /// Reads an id.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        let is_hex = |byte: u8| byte.is_ascii_digit() || (b'a'..=b'f').contains(&byte);
        (text.len() == 32 && text.bytes().all(is_hex)).then(|| Self(text.to_owned()))
    }

    /// Gives the 32 digits.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl Owner {
    /// Makes an owner, with a lock in `<state>/owners` when the host has a state directory.
    ///
    /// # Errors
    ///
    /// When the lock cannot be made.
    pub fn open(host: &Host) -> Result<Arc<Self>, WorkspaceError> {
        let state = host.dirs.state.as_deref();
        let named = |source| {
            let path = state.map(|state| state.join(OWNERS)).unwrap_or_default();
            WorkspaceError::Owner { path, source }
        };
        let lock = state.map(|state| OwnerLock::make(&state.join(OWNERS))).transpose().map_err(named)?;
        let (id, lock) = match lock {
            Some((id, lock)) => (id, Some(lock)),
            None => (OwnerId::random().map_err(named)?, None),
        };
        Ok(Arc::new(Self { id, next: AtomicU64::new(1), lock, left: AtomicBool::new(false), noted: Mutex::default() }))
    }

    /// Gives the owner's id, for labels of what it makes elsewhere.
    pub fn id(&self) -> &OwnerId {
        &self.id
    }

    /// Gives a number that this owner has not used, for the names of what it makes elsewhere.
    pub fn number(&self) -> u64 {
        self.next.fetch_add(1, Ordering::Relaxed)
    }

    /// Writes down that this owner makes things at a place that is no directory of this host, before it does.
    ///
    /// # Errors
    ///
    /// When the lock cannot be written.
    pub fn note(&self, runtime: &str, place: &str) -> Result<(), WorkspaceError> {
        self.noted.lock().unwrap_or_else(PoisonError::into_inner).insert((runtime.to_owned(), place.to_owned()));
        let Some(lock) = &self.lock else { return Ok(()) };
        let line = PathBuf::from(format!("{ELSEWHERE}{runtime} {place}"));
        lock.record(&line).map_err(|source| WorkspaceError::Owner { path: lock.path.clone(), source })
    }

    /// Lists the places at which this owner makes things for a runtime.
    #[cfg(feature = "testing")]
    pub(crate) fn noted(&self, runtime: &str) -> Vec<String> {
        let noted = self.noted.lock().unwrap_or_else(PoisonError::into_inner);
        noted.iter().filter(|(of, _)| of == runtime).map(|(_, place)| place.clone()).collect()
    }

    /// Says that something made in this owner's name could not be removed: its lock then stays for `gc` to find.
    pub fn leave_lock(&self) {
        self.left.store(true, Ordering::Relaxed);
    }

    /// Gives a directory name that this owner has not used, after recording where it will be used.
    pub(crate) fn name_in(&self, base: &Path) -> Result<String, WorkspaceError> {
        if let Some(lock) = &self.lock {
            lock.record(base).map_err(|source| WorkspaceError::Owner { path: lock.path.clone(), source })?;
        }
        let number = self.number();
        Ok(format!("{PREFIX}{}-{number}", self.id))
    }
}

impl OwnerLock {
    /// Makes the file under another name, locks it and only then gives it its name: no one ever finds it free.
    fn make(path: &Path) -> io::Result<(OwnerId, Self)> {
        Dir::create_ambient_dir_all(path, ambient_authority())?;
        let directory = Dir::open_ambient_dir(path, ambient_authority())?;
        loop {
            let id = OwnerId::random()?;
            let (draft, name) = (format!(".{id}.new"), format!("{id}{LOCK}"));
            let flags = OFlags::CREATE | OFlags::EXCL | OFlags::RDWR | OFlags::APPEND | OFlags::CLOEXEC;
            let file = rustix::fs::openat(&directory, &draft, flags, Mode::from_raw_mode(0o600))?;
            rustix::fs::flock(&file, FlockOperation::LockExclusive)?;
            match rustix::fs::renameat(&directory, &draft, &directory, &name) {
                Ok(()) => {
                    let lock = Self { directory, path: path.to_owned(), file, bases: Mutex::default() };
                    return Ok((id, lock));
                }
                // `gc` saw the draft before it was locked and took it for a dead owner's.
                Err(Errno::NOENT) => {}
                Err(error) => return Err(error.into()),
            }
        }
    }

    /// Writes a base directory down before anything is made in it.
    fn record(&self, base: &Path) -> io::Result<()> {
        let mut bases = self.bases.lock().unwrap_or_else(PoisonError::into_inner);
        if bases.contains(base) {
            return Ok(());
        }
        let line = [base.as_os_str().as_bytes(), b"\0"].concat();
        let written = rustix::io::write(&self.file, &line)?;
        if written < line.len() {
            return Err(io::ErrorKind::WriteZero.into());
        }
        bases.insert(base.to_owned());
        Ok(())
    }
}

/// Takes a lock if nobody holds it.
pub(crate) fn try_lock(file: impl AsFd) -> bool {
    rustix::fs::flock(file, FlockOperation::NonBlockingLockExclusive).is_ok()
}

impl Drop for Owner {
    fn drop(&mut self) {
        let Some(lock) = &self.lock else { return };
        // What this owner made may still be under removal: then its lock stays, free, for `gc` to find.
        let bases = std::mem::take(&mut *lock.bases.lock().unwrap_or_else(PoisonError::into_inner));
        if !*self.left.get_mut() && bases.iter().all(|base| super::gc::is_clear_of(base, &self.id)) {
            // A lock that stays behind is found free and removed by the next `gc`.
            let _ = rustix::fs::unlinkat(&lock.directory, format!("{}{LOCK}", self.id), AtFlags::empty());
        }
    }
}

impl fmt::Display for OwnerId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Debug for OwnerId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}
