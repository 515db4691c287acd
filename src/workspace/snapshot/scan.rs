//! Taking the manifest of a tree.

use std::os::fd::{AsFd, OwnedFd};

use cap_std::fs::Dir;
use rustix::io::Errno;

use super::super::at::{self, Kind, Meta, Stamp};
use super::super::walk::{self, Descend, Seen, Visit};
use super::super::{Bounds, WorkspaceError, WorkspacePath, bytes, tree};
use super::{Capture, Entry, EntryKind, Manifest, StatCache, cache};

/// How often a file that changes while it is read is read again.
const READS: usize = 3;

/// The most bytes of all paths together: a deep tree of long names is small on disk and large in a list.
const PATH_BYTES: u64 = 256 << 20;

/// How much of a file is read at once.
const BUFFER: usize = 256 * 1024;

/// What a scan found.
#[derive(Clone, Debug, Default)]
#[non_exhaustive]
pub struct Scan {
    /// What the tree holds.
    pub manifest: Manifest,
    /// What the next scan of the same tree need not read.
    pub cache: StatCache,
    /// How many files were read.
    pub read: u64,
    /// Files that kept changing while they were read. The manifest has the size and the hash of what was read last.
    pub unsettled: Vec<WorkspacePath>,
    /// Directories left out because another file system is mounted there.
    pub mounts: u64,
}

/// Lists a tree with the hashes of its files; reads only what the cache does not know.
///
/// Links are listed and never followed, specials are listed and never opened. A file that goes away while the tree
/// is walked is not part of it.
///
/// # Errors
///
/// When the tree is larger than the bounds or cannot be read.
pub fn scan(dir: &Dir, scope: &Capture, cache: Option<&StatCache>, bounds: Bounds) -> Result<Scan, WorkspaceError> {
    let mut scanner = Scanner {
        scope,
        known: cache,
        bounds,
        bytes: 0,
        path_bytes: 0,
        settled: cache::settled_before_now(),
        taken: Vec::new(),
        buffer: vec![0; BUFFER],
        scan: Scan::default(),
    };
    walk::walk(dir.as_fd(), bounds.entries, &mut scanner)?;
    Ok(scanner.scan)
}

struct Scanner<'a> {
    scope: &'a Capture,
    known: Option<&'a StatCache>,
    bounds: Bounds,
    bytes: u64,
    path_bytes: u64,
    settled: Stamp,
    /// For each directory above, whether something in it was taken.
    taken: Vec<bool>,
    buffer: Vec<u8>,
    scan: Scan,
}

impl Scanner<'_> {
    fn insert(&mut self, seen: Seen<'_>, entry: Entry) -> Result<(), WorkspaceError> {
        self.path_bytes += seen.path.len() as u64;
        if self.path_bytes > PATH_BYTES {
            return Err(WorkspaceError::TooLarge { what: "bytes of names", limit: PATH_BYTES });
        }
        if let Some(taken) = self.taken.last_mut() {
            *taken = true;
        }
        self.scan.manifest.insert(WorkspacePath::from_walk(seen.path), entry.modified_at(seen.meta.modified));
        Ok(())
    }

    fn charge(&mut self, size: u64) -> Result<(), WorkspaceError> {
        self.bytes = self.bytes.saturating_add(size);
        let limit = self.bounds.bytes;
        if self.bytes > limit { Err(WorkspaceError::TooLarge { what: "bytes", limit }) } else { Ok(()) }
    }

    fn file(&mut self, seen: Seen<'_>) -> Result<Option<Entry>, WorkspaceError> {
        let known = self.known.and_then(|known| known.find(seen.meta));
        let (meta, size, hash) = match known {
            Some(hash) => (*seen.meta, seen.meta.size, hash),
            None => match self.read(seen)? {
                Some(read) => read,
                None => return Ok(None),
            },
        };
        if known.is_some() {
            self.charge(size)?;
        }
        // A file that grew meanwhile is not what was hashed.
        if meta.size == size {
            self.scan.cache.keep(&meta, hash, self.settled);
        }
        Ok(Some(Entry::new(EntryKind::File { size, hash }, meta.mode)))
    }

    /// Reads a file until it is the same before and after. `None`: it went away.
    fn read(&mut self, seen: Seen<'_>) -> Result<Option<(Meta, u64, [u8; 32])>, WorkspaceError> {
        let failed = |error: std::io::Error| WorkspaceError::io("read", seen.path, error);
        let Some((file, mut before)) = tree::open_regular(seen)? else { return Ok(None) };
        self.charge(before.size)?;
        self.scan.read += 1;
        let mut last = (0, [0; 32]);
        for _ in 0..READS {
            last = self.hash(&file, before.size).map_err(failed)?;
            let after = at::meta(&file).map_err(|e| failed(e.into()))?;
            let is_same = (before.size, before.modified, before.changed) == (after.size, after.modified, after.changed);
            if is_same && last.0 == after.size {
                return Ok(Some((after, last.0, last.1)));
            }
            self.charge(after.size.saturating_sub(before.size))?;
            before = after;
        }
        self.scan.unsettled.push(WorkspacePath::from_walk(seen.path));
        Ok(Some((before, last.0, last.1)))
    }

    /// Hashes at most `size` bytes, so that a file that grows for ever ends.
    fn hash(&mut self, file: &OwnedFd, size: u64) -> std::io::Result<(u64, [u8; 32])> {
        let mut hasher = blake3::Hasher::new();
        let mut at = 0;
        while at < size {
            let step = usize::try_from(size - at).unwrap_or(BUFFER).min(BUFFER);
            let read = bytes::read_at(file, &mut self.buffer[..step], at)?;
            hasher.update(&self.buffer[..read]);
            at += read as u64;
            if read < step {
                break;
            }
        }
        Ok((at, *hasher.finalize().as_bytes()))
    }
}

impl Visit for Scanner<'_> {
    fn enter(&mut self, seen: Seen<'_>) -> Result<Descend, WorkspaceError> {
        if self.scope.prunes(seen.path) {
            return Ok(Descend::Skip);
        }
        self.taken.push(false);
        Ok(Descend::Into)
    }

    fn entry(&mut self, seen: Seen<'_>) -> Result<(), WorkspaceError> {
        if !self.scope.takes(seen.path) {
            return Ok(());
        }
        let entry = match seen.meta.kind {
            Kind::File => self.file(seen)?,
            Kind::Symlink => match at::read_link(seen.parent, seen.name) {
                Ok(target) => Some(Entry::new(EntryKind::Symlink { target }, 0o777)),
                Err(Errno::NOENT | Errno::INVAL) => None,
                Err(error) => return Err(WorkspaceError::io("read the link", seen.path, error)),
            },
            Kind::Directory | Kind::Special => Some(Entry::new(EntryKind::Special, seen.meta.mode)),
        };
        match entry {
            Some(entry) => self.insert(seen, entry),
            None => Ok(()),
        }
    }

    fn leave(&mut self, seen: Seen<'_>) -> Result<(), WorkspaceError> {
        let has_taken = self.taken.pop().unwrap_or(false);
        // With `keep` globs a directory is taken for what is taken in it, or by its own name.
        if has_taken || self.scope.keep().is_none_or(|globs| globs.matches(seen.path)) {
            self.insert(seen, Entry::new(EntryKind::Directory, seen.meta.mode))?;
        }
        Ok(())
    }

    fn closed(&mut self, seen: Seen<'_>, why: Errno) -> Result<(), WorkspaceError> {
        self.taken.pop();
        match why {
            Errno::XDEV => self.scan.mounts += 1,
            gone if walk::is_gone(gone) => {}
            error => return Err(WorkspaceError::io("open", seen.path, error)),
        }
        Ok(())
    }
}
