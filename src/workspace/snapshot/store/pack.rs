//! Packs: many small blobs in one file, and the index that says where each is.
//!
//! An index is `bailiwick index 1` and a line feed, the pack's length and the number of blobs as 64-bit numbers, then
//! for each blob in the order of the hashes its 32 bytes of BLAKE3, its offset as a 64-bit and its length as a 32-bit
//! number, and at the end the BLAKE3 hash of everything before. Numbers are little-endian. That last hash is the name
//! of both files.

use super::draft::Behind;
use super::folder::{Durability, Folder};
use super::hashes::{ByHash, Hash, hex, parse};
use super::{Draft, StoreError};

/// The most bytes of a blob that goes into a pack; a larger one has a file of its own.
pub(crate) const SMALL: u64 = 1 << 20;

/// How long a pack may get before the next one is begun.
const LONG: u64 = 256 << 20;

/// How much is written at once.
const BUFFER: usize = 1 << 20;

/// How much may be written before it is brought to the device, so that little is left to wait for at the end.
const BEHIND: u64 = 4 << 20;

const HEADER: &[u8] = b"bailiwick index 1\n";
const ENTRY: usize = 32 + 8 + 4;
const TRAILER: usize = 32;

/// Where a blob is in its pack.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Span {
    pub(super) offset: u64,
    pub(super) length: u32,
}

/// What an index says.
#[derive(Debug)]
pub(super) struct Index {
    pub(super) length: u64,
    pub(super) spans: Vec<(Hash, Span)>,
}

/// Names the two files of a pack.
pub(super) fn pack_name(name: &str) -> String {
    format!("{name}.pack")
}

/// What the name of an index ends with.
pub(super) const INDEX: &str = ".index";

/// A pack in the making.
#[derive(Debug)]
pub(super) struct PackDraft {
    draft: Draft,
    buffer: Vec<u8>,
    length: u64,
    /// How much of it somebody was asked to bring to the device.
    behind: u64,
    spans: ByHash<Span>,
}

/// A pack and its index, both whole and without their names.
#[derive(Debug)]
pub(super) struct WholePack {
    pub(super) pack: Draft,
    pub(super) index: Draft,
    name: String,
    says: Index,
}

impl PackDraft {
    pub(super) fn new(folder: &Folder) -> Result<Self, StoreError> {
        let buffer = Vec::with_capacity(BUFFER);
        Ok(Self { draft: folder.draft()?, buffer, length: 0, behind: 0, spans: ByHash::default() })
    }

    pub(super) fn has(&self, hash: &Hash) -> bool {
        self.spans.contains_key(hash)
    }

    /// Says whether the next blob belongs into another pack.
    pub(super) fn is_long(&self) -> bool {
        self.length >= LONG
    }

    /// Appends a blob.
    pub(super) fn put(&mut self, hash: &Hash, content: &[u8]) -> Result<(), StoreError> {
        let length = u32::try_from(content.len()).expect("a small blob has at most 1 MiB");
        if self.buffer.len() + content.len() > BUFFER {
            self.flush()?;
        }
        self.buffer.extend_from_slice(content);
        self.spans.insert(*hash, Span { offset: self.length, length });
        self.length += u64::from(length);
        Ok(())
    }

    /// Says whether bringing it to the device takes longer than asking another thread to.
    pub(super) fn is_slow(&self) -> bool {
        self.length >= BUFFER as u64
    }

    /// Gives what was written to the device by nobody yet, when that is much.
    pub(super) fn behind(&mut self) -> Option<Behind> {
        let written = self.length - self.buffer.len() as u64;
        if written - self.behind < BEHIND {
            return None;
        }
        self.behind = written;
        self.draft.behind()
    }

    fn flush(&mut self) -> Result<(), StoreError> {
        let at = self.length - self.buffer.len() as u64;
        self.draft.write_at(&self.buffer, at)?;
        self.buffer.clear();
        Ok(())
    }

    /// Writes what is left of the pack, and its index.
    pub(super) fn close(mut self, folder: &Folder) -> Result<WholePack, StoreError> {
        self.flush()?;
        let mut spans: Vec<(Hash, Span)> = self.spans.into_iter().collect();
        spans.sort_unstable_by_key(|(hash, _)| *hash);
        let says = Index { length: self.length, spans };
        let (name, text) = says.encode();
        let mut index = folder.draft()?;
        index.write_at(&text, 0)?;
        Ok(WholePack { pack: self.draft, index, name, says })
    }
}

impl WholePack {
    /// Gives the pack and its index their names, the pack first; gives the name and what the index says.
    pub(super) fn publish(self, folder: &Folder) -> Result<(String, Index), StoreError> {
        self.pack.publish(&pack_name(&self.name), Durability::Synced)?;
        self.index.publish(&format!("{}{INDEX}", self.name), Durability::Synced)?;
        folder.sync()?;
        Ok((self.name, self.says))
    }
}

impl Index {
    /// Gives the name and the text of the index.
    fn encode(&self) -> (String, Vec<u8>) {
        let mut text = Vec::with_capacity(HEADER.len() + 16 + self.spans.len() * ENTRY + TRAILER);
        text.extend_from_slice(HEADER);
        text.extend_from_slice(&self.length.to_le_bytes());
        text.extend_from_slice(&(self.spans.len() as u64).to_le_bytes());
        for (hash, span) in &self.spans {
            text.extend_from_slice(hash);
            text.extend_from_slice(&span.offset.to_le_bytes());
            text.extend_from_slice(&span.length.to_le_bytes());
        }
        let name = *blake3::hash(&text).as_bytes();
        text.extend_from_slice(&name);
        (hex(&name), text)
    }

    /// Reads the index of that name; the error is the end of a sentence.
    pub(super) fn decode(name: &str, text: &[u8]) -> Result<Self, &'static str> {
        let (text, hash) = text.split_last_chunk::<TRAILER>().ok_or("is too short")?;
        if *blake3::hash(text).as_bytes() != *hash || parse(name) != Some(*hash) {
            return Err("is not what was written");
        }
        let text = text.strip_prefix(HEADER).ok_or("is of another version")?;
        let (length, text) = text.split_first_chunk::<8>().ok_or("is too short")?;
        let (count, text) = text.split_first_chunk::<8>().ok_or("is too short")?;
        if u64::from_le_bytes(*count) != (text.len() / ENTRY) as u64 || text.len() % ENTRY != 0 {
            return Err("has another length than it says");
        }
        let spans = text.chunks_exact(ENTRY).map(|entry| {
            let (hash, entry) = entry.split_first_chunk::<32>().expect("a chunk has all of an entry");
            let (offset, length) = entry.split_first_chunk::<8>().expect("a chunk has all of an entry");
            let length = length.try_into().map_or(0, u32::from_le_bytes);
            (*hash, Span { offset: u64::from_le_bytes(*offset), length })
        });
        Ok(Self { length: u64::from_le_bytes(*length), spans: spans.collect() })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_index_is_read_as_it_was_written_and_no_other_way() {
        let spans = vec![([1; 32], Span { offset: 0, length: 7 }), ([9; 32], Span { offset: 7, length: 0 })];
        let index = Index { length: 7, spans };
        let (name, text) = index.encode();
        let read = Index::decode(&name, &text).unwrap();
        assert_eq!((read.length, read.spans), (index.length, index.spans));
        for at in 0..text.len() {
            let mut changed = text.clone();
            changed[at] ^= 1;
            assert!(Index::decode(&name, &changed).is_err(), "byte {at}");
            assert!(Index::decode(&name, &text[..at]).is_err(), "cut at {at}");
        }
        assert!(Index::decode(&"0".repeat(64), &text).is_err());
    }
}
