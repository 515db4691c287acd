//! The list of what a tree holds.

use std::collections::BTreeMap;
use std::time::{Duration, SystemTime};

use super::super::WorkspacePath;
use super::super::at::Stamp;
use super::SnapshotId;

/// What a tree holds: every path below it, in the order of their bytes.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Manifest {
    entries: BTreeMap<WorkspacePath, Entry>,
}

/// One entry of a tree.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Entry {
    /// What it is, and what is in it.
    pub kind: EntryKind,
    /// Permission bits, 0777; of links, which have none, 0777.
    pub mode: u32,
    /// When it was last written to, where that is known. No part of the id.
    pub modified: Option<SystemTime>,
}

/// What an entry is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum EntryKind {
    /// A regular file; each name of a hard link is one of its own.
    File {
        /// How many bytes it holds.
        size: u64,
        /// Their BLAKE3 hash.
        hash: [u8; 32],
    },
    /// A directory.
    Directory,
    /// A symbolic link.
    Symlink {
        /// Where it points, as it is written.
        target: Vec<u8>,
    },
    /// A FIFO, a socket or a device: listed, never opened, and no part of the id, since no other machine could hold it.
    Special,
}

impl Entry {
    /// Makes an entry whose time is not known.
    pub fn new(kind: EntryKind, mode: u32) -> Self {
        let mode = if matches!(kind, EntryKind::Symlink { .. }) { 0o777 } else { mode & 0o777 };
        Self { kind, mode, modified: None }
    }

    pub(super) fn modified_at(mut self, stamp: Stamp) -> Self {
        let whole = Duration::from_secs(stamp.seconds.unsigned_abs());
        let base = SystemTime::UNIX_EPOCH;
        let base = if stamp.seconds < 0 { base.checked_sub(whole) } else { base.checked_add(whole) };
        let nanos = Duration::from_nanos(u64::try_from(stamp.nanos).unwrap_or(0));
        self.modified = base.and_then(|base| base.checked_add(nanos));
        self
    }

    /// Gives the bytes that a file holds or a link is long; `None` for what has no size of its own.
    pub fn size(&self) -> Option<u64> {
        match &self.kind {
            EntryKind::File { size, .. } => Some(*size),
            EntryKind::Symlink { target } => Some(target.len() as u64),
            EntryKind::Directory | EntryKind::Special => None,
        }
    }
}

impl Manifest {
    /// Makes a manifest of nothing.
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds or replaces an entry.
    pub fn insert(&mut self, path: WorkspacePath, entry: Entry) {
        self.entries.insert(path, entry);
    }

    /// Takes an entry out.
    pub fn remove(&mut self, path: &WorkspacePath) -> Option<Entry> {
        self.entries.remove(path)
    }

    /// Finds an entry.
    pub fn get(&self, path: &WorkspacePath) -> Option<&Entry> {
        self.entries.get(path)
    }

    /// Lists the entries in the order of their paths' bytes.
    pub fn iter(&self) -> impl DoubleEndedIterator<Item = (&WorkspacePath, &Entry)> {
        self.entries.iter()
    }

    /// Counts the entries.
    pub fn len(&self) -> usize {
        self.entries.len()
    }

    /// Says whether there is none.
    pub fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    /// Adds up the bytes of all files.
    pub fn total_bytes(&self) -> u64 {
        let file = |entry: &Entry| match entry.kind {
            EntryKind::File { size, .. } => size,
            EntryKind::Directory | EntryKind::Symlink { .. } | EntryKind::Special => 0,
        };
        self.entries.values().map(file).fold(0, u64::saturating_add)
    }

    /// Gives the name of this content: the BLAKE3 hash of the canonical encoding.
    ///
    /// The encoding is `bailiwick manifest 1` and a line feed, then for each entry in the order of the paths' bytes,
    /// specials left out: one byte (`f`, `d` or `l`); the mode as a 32-bit number (0 for links); the length of the
    /// path as a 64-bit number; the path; for a file its size as a 64-bit number and its 32 bytes of BLAKE3; for a
    /// link the length of its target as a 64-bit number and the target. Numbers are little-endian. Times, owners and
    /// the order of creation are no part of it.
    pub fn id(&self) -> SnapshotId {
        let mut hasher = blake3::Hasher::new();
        let hash = |part: &[u8]| {
            hasher.update(part);
            Ok::<(), std::convert::Infallible>(())
        };
        let Ok(()) = self.encode(hash);
        SnapshotId::new(hasher.finalize())
    }
}

impl FromIterator<(WorkspacePath, Entry)> for Manifest {
    fn from_iter<I: IntoIterator<Item = (WorkspacePath, Entry)>>(entries: I) -> Self {
        Self { entries: entries.into_iter().collect() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn file(size: u64) -> Entry {
        Entry::new(EntryKind::File { size, hash: [7; 32] }, 0o644)
    }

    fn path(name: &str) -> WorkspacePath {
        WorkspacePath::new(name).unwrap()
    }

    #[test]
    fn the_id_of_nothing_never_changes() {
        let id = Manifest::new().id();
        assert_eq!(id.to_string(), blake3::hash(b"bailiwick manifest 1\n").to_hex().as_str());
        assert_eq!(id.to_string().parse(), Ok(id));
        assert!(id.to_string().to_uppercase().parse::<SnapshotId>().is_err());
        assert!("../x".parse::<SnapshotId>().is_err());
    }

    #[test]
    fn times_and_specials_are_no_part_of_the_id() {
        let mut manifest = Manifest::from_iter([(path("a"), file(1))]);
        let id = manifest.id();
        manifest.insert(path("a"), file(1).modified_at(Stamp { seconds: -5, nanos: 3 }));
        manifest.insert(path("fifo"), Entry::new(EntryKind::Special, 0o600));
        assert_eq!(manifest.id(), id);
        manifest.insert(path("empty"), Entry::new(EntryKind::Directory, 0o755));
        assert_ne!(manifest.id(), id);
    }

    proptest! {
        #[test]
        fn order_does_not_matter_and_content_does(
            names in proptest::collection::btree_map("[ab/.]{1,6}", 0u64..3, 0..8),
            other in proptest::collection::btree_map("[ab/.]{1,6}", 0u64..3, 0..8),
        ) {
            let build = |names: &mut dyn Iterator<Item = (&String, &u64)>| -> Manifest {
                names.filter_map(|(name, size)| Some((WorkspacePath::new(name).ok()?, file(*size)))).collect()
            };
            let forward = build(&mut names.iter());
            prop_assert_eq!(forward.id(), build(&mut names.iter().rev()).id());
            let second = build(&mut other.iter());
            prop_assert_eq!(forward == second, forward.id() == second.id());
        }
    }
}
