//! Remembering the hashes of files that have not changed since.

use std::collections::HashMap;
use std::time::{Duration, SystemTime};

use super::super::at::{Meta, Stamp};

/// How much older than a scan a change must be before its result is believed: file systems stamp changes with a
/// clock that ticks as slowly as every 10 ms, so a later change within one tick would leave no trace.
const SETTLED: Duration = Duration::from_millis(20);

/// What a cache that is written down begins with.
const HEADER: &[u8] = b"bailiwick stat cache 1\n";

/// How long one entry is there: eight numbers and the hash.
const ENTRY: usize = 8 * 8 + 32;

/// The hashes that one scan computed, for the next scan of the same tree.
///
/// A hash is used again only for the same device, inode, mode, size, modification and change time, and is kept only
/// when that change time lay at least 20 ms before its scan began. A guest can set back the modification time, but
/// not the change time.
#[derive(Clone, Debug, Default)]
pub struct StatCache {
    known: HashMap<(u64, u64), Known>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Known {
    mode: u32,
    size: u64,
    modified: Stamp,
    changed: Stamp,
    hash: [u8; 32],
}

impl StatCache {
    /// Writes the cache down, for another process on this machine.
    pub(super) fn encode(&self) -> Vec<u8> {
        let mut text = Vec::with_capacity(HEADER.len() + self.known.len() * ENTRY + 32);
        text.extend_from_slice(HEADER);
        for ((device, inode), known) in &self.known {
            let Known { mode, size, modified, changed, hash } = known;
            let stamps = [modified.seconds, modified.nanos, changed.seconds, changed.nanos];
            [*device, *inode, u64::from(*mode), *size].iter().for_each(|n| text.extend_from_slice(&n.to_le_bytes()));
            stamps.iter().for_each(|n| text.extend_from_slice(&n.to_le_bytes()));
            text.extend_from_slice(hash);
        }
        let hash = *blake3::hash(&text).as_bytes();
        text.extend_from_slice(&hash);
        text
    }

    /// Reads what was written down; `None` for anything else.
    pub(super) fn decode(text: &[u8]) -> Option<Self> {
        let (text, hash) = text.split_last_chunk::<32>()?;
        if blake3::hash(text).as_bytes() != hash {
            return None;
        }
        let entries = text.strip_prefix(HEADER)?.chunks_exact(ENTRY);
        let mut known = HashMap::with_capacity(entries.len());
        for entry in entries {
            let (numbers, hash) = entry.split_last_chunk::<32>()?;
            let mut words = numbers.chunks_exact(8).filter_map(|word| word.try_into().ok());
            let mut unsigned = || words.next().map(u64::from_le_bytes);
            let (device, inode, mode, size) = (unsigned()?, unsigned()?, unsigned()?, unsigned()?);
            let mut signed = || words.next().map(i64::from_le_bytes);
            let mut stamp = || Some(Stamp { seconds: signed()?, nanos: signed()? });
            let (modified, changed) = (stamp()?, stamp()?);
            let mode = u32::try_from(mode).ok()?;
            known.insert((device, inode), Known { mode, size, modified, changed, hash: *hash });
        }
        Some(Self { known })
    }

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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cache_is_read_as_it_was_written_and_no_other_way() {
        let stamp = |seconds| Stamp { seconds, nanos: 7 };
        let known = Known { mode: 0o644, size: 9, modified: stamp(-1), changed: stamp(5), hash: [3; 32] };
        let cache = StatCache { known: HashMap::from([((1, 2), known)]) };
        let text = cache.encode();
        assert_eq!(StatCache::decode(&text).unwrap().known, cache.known);
        for at in 0..text.len() {
            let mut changed = text.clone();
            changed[at] ^= 1;
            assert!(StatCache::decode(&changed).is_none() && StatCache::decode(&text[..at]).is_none(), "byte {at}");
        }
    }
}
