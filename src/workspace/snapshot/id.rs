//! The name of a snapshot: a hash of what it holds.

use std::fmt;
use std::str::FromStr;

/// The BLAKE3 hash of a manifest in its canonical encoding, shown as 64 hexadecimal digits.
///
/// The same content has the same id on every machine and every day; see [`Manifest::id`](super::Manifest::id).
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SnapshotId([u8; 32]);

/// A text is no snapshot id.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a snapshot id is 64 hexadecimal digits in lower case")]
#[non_exhaustive]
pub struct SnapshotIdError;

impl SnapshotId {
    pub(crate) fn new(hash: blake3::Hash) -> Self {
        Self(*hash.as_bytes())
    }

    /// Gives the 32 bytes.
    pub fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }
}

impl FromStr for SnapshotId {
    type Err = SnapshotIdError;

    fn from_str(text: &str) -> Result<Self, SnapshotIdError> {
        let is_lower = text.bytes().all(|byte| !byte.is_ascii_uppercase());
        let hash = blake3::Hash::from_hex(text).map_err(|_| SnapshotIdError)?;
        if is_lower { Ok(Self::new(hash)) } else { Err(SnapshotIdError) }
    }
}

impl fmt::Display for SnapshotId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&blake3::Hash::from_bytes(self.0).to_hex())
    }
}

impl fmt::Debug for SnapshotId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}
