//! Remembering the hashes of files that have not changed since.

use std::collections::HashMap;
use std::time::{Duration, SystemTime};

use super::super::at::{Meta, Stamp};

/// How much older than a scan a change must be before its result is believed: file systems stamp changes with a
/// clock that ticks as slowly as every 10 ms, so a later change within one tick would leave no trace.
const SETTLED: Duration = Duration::from_millis(20);

/// The hashes that one scan computed, for the next scan of the same tree.
///
/// A hash is used again only for the same device, inode, mode, size, modification and change time, and is kept only
/// when that change time lay at least 20 ms before its scan began. A guest can set back the modification time, but
/// not the change time.
#[derive(Clone, Debug, Default)]
pub struct StatCache {
    known: HashMap<(u64, u64), Known>,
}

#[derive(Clone, Copy, Debug)]
struct Known {
    mode: u32,
    size: u64,
    modified: Stamp,
    changed: Stamp,
    hash: [u8; 32],
}

impl StatCache {
    /// Finds the hash of a regular file that has not changed.
    pub(super) fn find(&self, meta: &Meta) -> Option<[u8; 32]> {
        let known = self.known.get(&meta.identity())?;
        let is_same = (known.mode, known.size, known.modified, known.changed)
            == (meta.mode, meta.size, meta.modified, meta.changed);
        is_same.then_some(known.hash)
    }

    /// Keeps a hash, unless the file changed too shortly before the scan began, or after it.
    pub(super) fn keep(&mut self, meta: &Meta, hash: [u8; 32], settled: Stamp) {
        if meta.changed <= settled {
            let Meta { mode, size, modified, changed, .. } = *meta;
            self.known.insert(meta.identity(), Known { mode, size, modified, changed, hash });
        }
    }
}

/// Gives the moment before which changes are believed, for a scan that begins now.
pub(super) fn settled_before_now() -> Stamp {
    let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
    let settled = now.saturating_sub(SETTLED);
    let seconds = i64::try_from(settled.as_secs()).unwrap_or(i64::MAX);
    Stamp { seconds, nanos: i64::from(settled.subsec_nanos()) }
}
