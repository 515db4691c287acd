//! Small files between their reading and their place in the store: read, not hashed yet.

use std::sync::{Mutex, MutexGuard, PoisonError};

use super::super::WorkspacePath;
use super::super::at::Meta;
use super::store::{Hash, StoreError, Writing};

/// The most bytes of one batch: a file of the largest small size, or many little ones.
pub(super) const BYTES: usize = 1 << 20;

/// The most files of one batch.
const FILES: usize = 1024;

/// The way into a store of a thread that reads large files and one that packs small ones.
#[derive(Debug)]
pub(super) struct Shared<'a, 'b>(Mutex<&'a mut Writing<'b>>);

/// A file as it was read.
#[derive(Debug)]
pub(super) struct Read {
    pub(super) path: WorkspacePath,
    /// What the system said of it last.
    pub(super) meta: Meta,
    /// How many bytes were read.
    pub(super) size: u64,
    /// Of exactly these bytes.
    pub(super) hash: Hash,
    /// Whether it was the same before and after.
    pub(super) is_settled: bool,
}

/// The contents of some small files, one after the other.
#[derive(Debug)]
pub(super) struct Batch {
    buffer: Vec<u8>,
    used: usize,
    files: Vec<Read>,
}

impl<'a, 'b> Shared<'a, 'b> {
    pub(super) fn new(store: &'a mut Writing<'b>) -> Self {
        Self(Mutex::new(store))
    }

    pub(super) fn lock(&self) -> MutexGuard<'_, &'a mut Writing<'b>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Read {
    /// Gives the size of a file that is in a batch.
    fn length(&self) -> usize {
        usize::try_from(self.size).expect("a batch is in memory")
    }
}

impl Batch {
    pub(super) fn new() -> Self {
        Self { buffer: vec![0; BYTES], used: 0, files: Vec::new() }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.files.is_empty()
    }

    /// Says whether one more file of this size can be read into it.
    pub(super) fn has_room(&self, size: u64) -> bool {
        self.files.len() < FILES && size <= (self.buffer.len() - self.used) as u64
    }

    /// Gives the place where the next file is read to.
    pub(super) fn room(&mut self) -> &mut [u8] {
        &mut self.buffer[self.used..]
    }

    /// Takes in a file that was read to the [room](Self::room); its hash comes later.
    pub(super) fn push(&mut self, file: Read) {
        self.used += file.length();
        self.files.push(file);
    }

    /// Hashes every file, and puts it into the store.
    pub(super) fn settle(&mut self, store: Option<&Shared<'_, '_>>) -> Result<(), StoreError> {
        let mut rest = &self.buffer[..self.used];
        for file in &mut self.files {
            let (content, after) = rest.split_at(file.length());
            file.hash = *blake3::hash(content).as_bytes();
            rest = after;
        }
        let Some(store) = store else { return Ok(()) };
        let mut writing = store.lock();
        let mut rest = &self.buffer[..self.used];
        for file in &self.files {
            let (content, after) = rest.split_at(file.length());
            writing.put(&file.hash, content)?;
            rest = after;
        }
        let behind = writing.behind();
        drop(writing);
        // The device works while the next files are read.
        behind.map_or(Ok(()), |behind| behind.sync())
    }

    /// Gives the files, in the order in which they were read; the batch is empty then.
    pub(super) fn take(&mut self) -> impl Iterator<Item = Read> {
        self.used = 0;
        self.files.drain(..)
    }
}
