//! The digests of modules on the host, remembered by the identity of their files: hashing 25 MB costs more than a run.

use std::collections::HashMap;
use std::fs::{File, Metadata};
use std::io::Read;
use std::os::unix::fs::{MetadataExt, OpenOptionsExt};
use std::path::Path;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use rustix::fs::OFlags;

use super::key::ModuleKey;

/// A file that changed less than this ago may change again without a new time stamp.
const SETTLED: Duration = Duration::from_millis(20);

/// What tells two states of a file apart. Times can be set by whoever owns the file, except the last.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
struct Identity {
    device: u64,
    inode: u64,
    size: u64,
    modified: (i64, i64),
    changed: (i64, i64),
}

impl Identity {
    fn of(meta: &Metadata) -> Self {
        let (modified, changed) = ((meta.mtime(), meta.mtime_nsec()), (meta.ctime(), meta.ctime_nsec()));
        Self { device: meta.dev(), inode: meta.ino(), size: meta.size(), modified, changed }
    }

    fn is_settled(&self) -> bool {
        let nanos = i128::from(self.changed.0) * 1_000_000_000 + i128::from(self.changed.1);
        let now = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |now| now.as_nanos().cast_signed());
        nanos + SETTLED.as_nanos().cast_signed() < now
    }
}

/// The digests that are known.
#[derive(Debug, Default)]
pub(super) struct Digests {
    known: Mutex<HashMap<Identity, ModuleKey>>,
}

impl Digests {
    /// Gives the digest of a file, reading it only when it is not the file that was read before.
    pub(super) fn of(
        &self,
        path: &Path,
        read: impl FnOnce(File) -> std::io::Result<Vec<u8>>,
    ) -> std::io::Result<ModuleKey> {
        let file = open_regular(path)?;
        let identity = Identity::of(&file.metadata()?);
        if let Some(key) = self.known.lock().unwrap_or_else(PoisonError::into_inner).get(&identity) {
            return Ok(*key);
        }
        let key = ModuleKey::of(&read(file)?);
        if identity.is_settled() {
            self.known.lock().unwrap_or_else(PoisonError::into_inner).insert(identity, key);
        }
        Ok(key)
    }
}

/// Opens a regular file of the host; a pipe in its place would block for ever.
pub(super) fn open_regular(path: &Path) -> std::io::Result<File> {
    let flags = OFlags::NONBLOCK.bits().cast_signed();
    let file = std::fs::OpenOptions::new().read(true).custom_flags(flags).open(path)?;
    if file.metadata()?.is_file() { Ok(file) } else { Err(std::io::Error::other("not a regular file")) }
}

/// The largest module that is read.
const MAX_MODULE: u64 = 512 << 20;

/// Reads a module, which has a largest size.
pub(super) fn read_bounded(file: impl Read) -> std::io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    file.take(MAX_MODULE + 1).read_to_end(&mut bytes)?;
    if bytes.len() as u64 > MAX_MODULE {
        return Err(std::io::Error::other("the module is larger than 512 MiB"));
    }
    Ok(bytes)
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use super::*;

    #[test]
    fn a_changed_file_has_another_digest() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("module");
        let digests = Digests::default();
        let mut seen = std::collections::HashSet::new();
        for text in ["one", "two", "six"] {
            File::create(&path).unwrap().write_all(text.as_bytes()).unwrap();
            let key = digests.of(&path, read_bounded).unwrap();
            assert_eq!(key, ModuleKey::of(text.as_bytes()));
            assert!(seen.insert(key));
        }
    }
}
