//! Getting blobs out of a store, verified.

use std::os::fd::OwnedFd;
use std::sync::Arc;

use super::disk::Disk;
use super::hashes::Hash;
use super::locks::StoreLock;
use super::memory::Memory;
use super::{SMALL, StoreError};
use crate::workspace::bytes;

/// The time in which blobs are read: none goes away meanwhile.
#[derive(Debug)]
pub(crate) struct Reading<'a> {
    from: From<'a>,
    buffer: Vec<u8>,
}

#[derive(Debug)]
enum From<'a> {
    Disk { disk: &'a Disk, _lock: StoreLock },
    Memory(&'a Memory),
}

/// A blob above 1 MiB, not verified yet: whoever copies it looks at the copy.
#[derive(Debug)]
pub(crate) enum Large {
    File(OwnedFd),
    Memory(Arc<[u8]>),
}

impl<'a> Reading<'a> {
    pub(super) fn disk(disk: &'a Disk) -> Result<Self, StoreError> {
        Ok(Self { from: From::Disk { disk, _lock: disk.enter()? }, buffer: Vec::new() })
    }

    pub(super) fn memory(memory: &'a Memory) -> Self {
        Self { from: From::Memory(memory), buffer: Vec::new() }
    }

    /// Gives a blob of at most [`SMALL`] bytes, which are those that were written.
    pub(crate) fn small(&mut self, hash: &Hash, size: u64) -> Result<&[u8], StoreError> {
        let corrupt = |problem| StoreError::blob(hash, problem);
        self.buffer.clear();
        match &self.from {
            From::Memory(memory) => self.buffer.extend_from_slice(&memory.blob(hash)?),
            From::Disk { disk, .. } => {
                let (pack, span) = disk.packs().find(&disk.packs_folder, hash)?;
                self.buffer.resize(span.length as usize, 0);
                let read = bytes::read_at(&pack, &mut self.buffer, span.offset);
                let read = read.map_err(|error| disk.packs_folder.failed("read", "", error))?;
                if read < self.buffer.len() {
                    return Err(corrupt("is cut off"));
                }
            }
        }
        if self.buffer.len() as u64 != size || *blake3::hash(&self.buffer).as_bytes() != *hash {
            return Err(corrupt("is not what was written"));
        }
        Ok(&self.buffer)
    }

    /// Opens a larger blob, whose content is still to be compared with its hash.
    pub(crate) fn large(&self, hash: &Hash) -> Result<Large, StoreError> {
        match &self.from {
            From::Memory(memory) => Ok(Large::Memory(memory.blob(hash)?)),
            From::Disk { disk, .. } => {
                disk.loose.open(hash)?.map(Large::File).ok_or_else(|| StoreError::blob(hash, "is missing"))
            }
        }
    }

    /// Reads a whole blob of any size into memory.
    pub(crate) fn whole(&mut self, hash: &Hash, size: u64) -> Result<Vec<u8>, StoreError> {
        if size <= SMALL {
            return Ok(self.small(hash, size)?.to_vec());
        }
        let content = match self.large(hash)? {
            Large::Memory(blob) => blob.to_vec(),
            Large::File(file) => {
                let length = usize::try_from(size).map_err(|_| StoreError::blob(hash, "is too large for memory"))?;
                let mut content = vec![0; length];
                let read = bytes::read_at(&file, &mut content, 0);
                let read = read.map_err(|error| StoreError::io("read", super::hashes::hex(hash).into(), error))?;
                content.truncate(read);
                content
            }
        };
        let is_right = content.len() as u64 == size && *blake3::hash(&content).as_bytes() == *hash;
        if is_right { Ok(content) } else { Err(StoreError::blob(hash, "is not what was written")) }
    }
}
