//! Tables that are keyed by hashes: what is a hash already is not hashed again.

use std::collections::{HashMap, HashSet};
use std::hash::{BuildHasherDefault, Hasher};

/// The BLAKE3 hash that names a blob.
pub(crate) type Hash = [u8; 32];

/// Takes eight bytes of the key as its hash: nobody makes hashes that meet in them faster than by trying.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct First(u64);

impl Hasher for First {
    fn finish(&self) -> u64 {
        self.0
    }

    fn write(&mut self, bytes: &[u8]) {
        if let Some((first, _)) = bytes.split_first_chunk::<8>() {
            self.0 = u64::from_le_bytes(*first);
        }
    }

    // The length of an array's slice says nothing.
    fn write_usize(&mut self, _: usize) {}
}

pub(super) type ByHash<T> = HashMap<Hash, T, BuildHasherDefault<First>>;
pub(super) type Hashes = HashSet<Hash, BuildHasherDefault<First>>;

/// Writes a hash as its file is named.
pub(super) fn hex(hash: &Hash) -> String {
    blake3::Hash::from_bytes(*hash).to_hex().to_string()
}

/// Reads a file's name back.
pub(super) fn parse(name: &str) -> Option<Hash> {
    let hash = blake3::Hash::from_hex(name).ok()?;
    // One hash has one name.
    (hash.to_hex().as_str() == name).then(|| *hash.as_bytes())
}
