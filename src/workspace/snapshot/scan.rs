//! Taking the manifest of a tree.

use std::ops::ControlFlow;
use std::os::fd::AsFd;

use cap_std::fs::Dir;
use rustix::io::Errno;

use super::super::at::{self, Kind, Stamp};
use super::super::walk::{self, Descend, Seen, Visit};
use super::super::{Bounds, WorkspaceError, WorkspacePath};
use super::batch::{Read, Shared};
use super::lane::Lane;
use super::settle::{Charge, Settler};
use super::store::Writing;
use super::{Capture, Entry, EntryKind, Manifest, SnapshotProgress, StatCache, Watch, cache};

/// The most bytes of all paths together: a deep tree of long names is small on disk and large in a list.
const PATH_BYTES: u64 = 256 << 20;

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
    /// FIFOs, sockets and devices: listed, and no part of the id.
    pub specials: u64,
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
    scan_into(dir, ScanOptions { scope, cache, bounds, watch: None }, None)
}

/// Does the same as [`scan`] for one who watches, and may stop it.
#[cfg_attr(not(feature = "cli"), expect(dead_code, reason = "who watches is the command"))]
pub(crate) fn scan_watched(
    dir: &Dir,
    scope: &Capture,
    bounds: Bounds,
    watch: Watch<'_>,
) -> Result<Scan, WorkspaceError> {
    scan_into(dir, ScanOptions { scope, cache: None, bounds, watch: Some(watch) }, None)
}

/// How a tree is scanned.
pub(super) struct ScanOptions<'a, 'w> {
    pub(super) scope: &'a Capture,
    pub(super) cache: Option<&'a StatCache>,
    pub(super) bounds: Bounds,
    pub(super) watch: Option<Watch<'w>>,
}

/// Does the same and puts what the files hold into a store.
pub(super) fn scan_into<'a, 'w, 'b>(
    dir: &Dir,
    options: ScanOptions<'a, 'w>,
    store: Option<&'a mut Writing<'b>>,
) -> Result<Scan, WorkspaceError> {
    let ScanOptions { scope, cache, bounds, watch } = options;
    let store = store.map(Shared::new);
    std::thread::scope(|threads| {
        let mut scanner = Scanner {
            scope,
            known: cache,
            charge: Charge::new(bounds.bytes),
            path_bytes: 0,
            entries: 0,
            taken: Vec::new(),
            settler: Settler::default(),
            lane: Lane::new(threads, store.as_ref()),
            watch,
            found: Found { settled: cache::settled_before_now(), scan: Scan::default() },
        };
        walk::walk(dir.as_fd(), bounds.entries, &mut scanner)?;
        let Scanner { mut lane, mut found, .. } = scanner;
        lane.finish(&mut |read| found.take(read))?;
        // Large files were not waited for.
        found.scan.unsettled.sort_unstable();
        Ok(found.scan)
    })
}

struct Scanner<'a, 'w, 'scope, 'env, 's, 'b> {
    scope: &'a Capture,
    known: Option<&'a StatCache>,
    charge: Charge,
    path_bytes: u64,
    entries: u64,
    /// For each directory above, whether something in it was taken.
    taken: Vec<bool>,
    settler: Settler,
    lane: Lane<'scope, 'env, 's, 'b>,
    watch: Option<Watch<'w>>,
    found: Found,
}

/// What was found, and the moment before which changes are believed.
struct Found {
    settled: Stamp,
    scan: Scan,
}

impl Found {
    /// Takes in a file that has its hash.
    fn take(&mut self, read: Read) {
        let Read { path, meta, size, hash, is_settled } = read;
        let scan = &mut self.scan;
        scan.read += 1;
        if is_settled {
            scan.cache.keep(&meta, hash, self.settled);
        } else {
            scan.unsettled.push(path.clone());
        }
        let entry = Entry::new(EntryKind::File { size, hash }, meta.mode);
        scan.manifest.insert(path, entry.modified_at(meta.modified));
    }
}

impl<'env, 's: 'env, 'b: 'env> Scanner<'_, '_, '_, 'env, 's, 'b> {
    /// Counts an entry that is part of the tree.
    fn count(&mut self, seen: Seen<'_>) -> Result<(), WorkspaceError> {
        self.path_bytes += seen.path.len() as u64;
        if self.path_bytes > PATH_BYTES {
            return Err(WorkspaceError::TooLarge { what: "bytes of names", limit: PATH_BYTES });
        }
        if let Some(taken) = self.taken.last_mut() {
            *taken = true;
        }
        self.entries += 1;
        Ok(())
    }

    fn insert(&mut self, seen: Seen<'_>, entry: Entry) -> Result<(), WorkspaceError> {
        self.count(seen)?;
        self.found.scan.manifest.insert(WorkspacePath::from_walk(seen.path), entry.modified_at(seen.meta.modified));
        Ok(())
    }

    fn file(&mut self, seen: Seen<'_>) -> Result<(), WorkspaceError> {
        let known = self.known.and_then(|known| known.find(seen.meta));
        let size = seen.meta.size;
        if let Some(hash) = known
            && self.lane.store().map_or(Ok(true), |store| store.lock().has(&hash, size))?
        {
            self.charge.add(size)?;
            self.found.scan.cache.keep(seen.meta, hash, self.found.settled);
            return self.insert(seen, Entry::new(EntryKind::File { size, hash }, seen.meta.mode));
        }
        let found = &mut self.found;
        match self.settler.read(seen, &mut self.charge, &mut self.lane, &mut |read| found.take(read))? {
            Some(()) => self.count(seen),
            None => Ok(()),
        }
    }

    fn link(&mut self, seen: Seen<'_>) -> Result<(), WorkspaceError> {
        match at::read_link(seen.parent, seen.name) {
            Ok(target) => self.insert(seen, Entry::new(EntryKind::Symlink { target }, 0o777)),
            Err(Errno::NOENT | Errno::INVAL) => Ok(()),
            Err(error) => Err(WorkspaceError::io("read the link", seen.path, error)),
        }
    }

    fn tell(&mut self) -> Result<(), WorkspaceError> {
        let Some(watch) = &mut self.watch else { return Ok(()) };
        let progress = SnapshotProgress { entries: self.entries, bytes: self.charge.taken() };
        match watch(progress) {
            ControlFlow::Continue(()) => Ok(()),
            ControlFlow::Break(()) => Err(WorkspaceError::Stopped),
        }
    }
}

impl<'env, 's: 'env, 'b: 'env> Visit for Scanner<'_, '_, '_, 'env, 's, 'b> {
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
        match seen.meta.kind {
            Kind::File => self.file(seen)?,
            Kind::Symlink => self.link(seen)?,
            Kind::Directory | Kind::Special => {
                self.found.scan.specials += 1;
                self.insert(seen, Entry::new(EntryKind::Special, seen.meta.mode))?;
            }
        }
        self.tell()
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
            Errno::XDEV => self.found.scan.mounts += 1,
            gone if walk::is_gone(gone) => {}
            error => return Err(WorkspaceError::io("open", seen.path, error)),
        }
        Ok(())
    }
}
