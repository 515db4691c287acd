//! Reading a file that others may write to meanwhile: what is hashed is what is kept, whatever they do.

use std::os::fd::OwnedFd;

use rustix::fs::SeekFrom;
use rustix::io::Errno;

use super::super::at::{self, Meta};
use super::super::walk::Seen;
use super::super::{WorkspaceError, bytes, tree};
use super::store::{BlobDraft, Hash, SMALL, Writing};

/// How often a file that changes while it is read is read again.
const READS: usize = 3;

/// How much of a large file is read at once. A small one is read whole.
const BUFFER: usize = 1 << 20;

/// What may still be read.
#[derive(Debug)]
pub(super) struct Charge {
    taken: u64,
    limit: u64,
}

/// A file as it was read.
#[derive(Debug)]
pub(super) struct Read {
    /// What the system said of it last.
    pub(super) meta: Meta,
    /// How many bytes were read; their hash is of exactly these.
    pub(super) size: u64,
    pub(super) hash: Hash,
    /// Whether it was the same before and after.
    pub(super) is_settled: bool,
}

/// Reads files, with one buffer for all of them.
#[derive(Debug, Default)]
pub(super) struct Settler {
    buffer: Vec<u8>,
}

impl Charge {
    pub(super) fn new(limit: u64) -> Self {
        Self { taken: 0, limit }
    }

    pub(super) fn add(&mut self, bytes: u64) -> Result<(), WorkspaceError> {
        self.taken = self.taken.saturating_add(bytes);
        let limit = self.limit;
        if self.taken > limit { Err(WorkspaceError::TooLarge { what: "bytes", limit }) } else { Ok(()) }
    }

    pub(super) fn taken(&self) -> u64 {
        self.taken
    }
}

impl Settler {
    /// Reads a file until it is the same before and after, and keeps what was read last. `None`: it went away, or is
    /// no regular file any more.
    pub(super) fn read(
        &mut self,
        seen: Seen<'_>,
        charge: &mut Charge,
        mut store: Option<&mut Writing<'_>>,
    ) -> Result<Option<Read>, WorkspaceError> {
        let failed = |error: std::io::Error| WorkspaceError::io("read", seen.path, error);
        let Some((file, mut before)) = tree::open_regular(seen)? else { return Ok(None) };
        charge.add(before.size)?;
        self.buffer.resize(BUFFER, 0);
        for round in 1..=READS {
            let is_large = before.size > SMALL;
            let mut draft = match &store {
                Some(store) if is_large => Some(store.draft()?),
                Some(_) | None => None,
            };
            let (size, hash) = match is_large {
                true => self.large(&file, &before, draft.as_mut(), seen.path)?,
                false => self.small(&file, before.size).map_err(failed)?,
            };
            let after = at::meta(&file).map_err(|error| failed(error.into()))?;
            let is_same = (before.size, before.modified, before.changed) == (after.size, after.modified, after.changed);
            let is_settled = is_same && size == after.size;
            if !is_settled && round < READS {
                charge.add(after.size.saturating_sub(before.size))?;
                before = after;
                continue;
            }
            if let Some(store) = store.as_deref_mut() {
                self.keep(store, draft, size, &hash)?;
            }
            return Ok(Some(Read { meta: after, size, hash, is_settled }));
        }
        Ok(None)
    }

    fn keep(
        &self,
        store: &mut Writing<'_>,
        draft: Option<BlobDraft>,
        size: u64,
        hash: &Hash,
    ) -> Result<(), WorkspaceError> {
        match draft {
            Some(mut draft) if size > SMALL => {
                draft.set_len(size)?;
                store.put_draft(draft, hash, size)?;
            }
            // It shrank while it was read.
            Some(draft) => store.put(hash, &draft.into_content(size)?)?,
            None => store.put(hash, &self.buffer[..usize::try_from(size).unwrap_or(0).min(BUFFER)])?,
        }
        Ok(())
    }

    /// Hashes a file that nobody else writes to; gives its length too. Holes are not read.
    pub(super) fn hash(&mut self, file: &OwnedFd, meta: &Meta, path: &[u8]) -> Result<(u64, Hash), WorkspaceError> {
        self.buffer.resize(BUFFER, 0);
        self.large(file, meta, None, path)
    }

    /// Reads at most `size` bytes into the buffer.
    fn small(&mut self, file: &OwnedFd, size: u64) -> std::io::Result<(u64, Hash)> {
        let most = usize::try_from(size).unwrap_or(BUFFER).min(BUFFER);
        let read = bytes::read_at(file, &mut self.buffer[..most], 0)?;
        Ok((read as u64, *blake3::hash(&self.buffer[..read]).as_bytes()))
    }

    /// Reads at most so many bytes as there were, so that a file that grows for ever ends. Holes are not read.
    fn large(
        &mut self,
        file: &OwnedFd,
        before: &Meta,
        mut draft: Option<&mut BlobDraft>,
        path: &[u8],
    ) -> Result<(u64, Hash), WorkspaceError> {
        let failed = |error: std::io::Error| WorkspaceError::io("read", path, error);
        let mut hasher = blake3::Hasher::new();
        let is_sparse = before.stored < before.size;
        let (mut at, mut data_ends) = (0, if is_sparse { 0 } else { before.size });
        while at < before.size {
            if at >= data_ends {
                let start = next(file, SeekFrom::Data(at), before.size).map_err(|error| failed(error.into()))?;
                hash_zeros(&mut hasher, start - at);
                at = start;
                data_ends = next(file, SeekFrom::Hole(at), before.size).map_err(|error| failed(error.into()))?;
                // Somebody changes the file meanwhile: then the rest is read as it is.
                data_ends = if data_ends > at { data_ends } else { before.size };
                continue;
            }
            let most = usize::try_from(data_ends - at).unwrap_or(BUFFER).min(BUFFER);
            let read = bytes::read_at(file, &mut self.buffer[..most], at).map_err(failed)?;
            hasher.update(&self.buffer[..read]);
            if let Some(draft) = draft.as_deref_mut() {
                draft.write_at(&self.buffer[..read], at)?;
            }
            at += read as u64;
            if read < most {
                break;
            }
        }
        Ok((at, *hasher.finalize().as_bytes()))
    }
}

/// Finds the next data or hole; a file system that knows of none has data only.
fn next(file: &OwnedFd, what: SeekFrom, end: u64) -> Result<u64, Errno> {
    match rustix::fs::seek(file, what) {
        Ok(found) => Ok(found.min(end)),
        Err(Errno::NXIO) => Ok(end),
        Err(Errno::INVAL) => Ok(match what {
            SeekFrom::Data(at) => at,
            SeekFrom::Hole(_) | SeekFrom::Start(_) | SeekFrom::End(_) | SeekFrom::Current(_) => end,
        }),
        Err(error) => Err(error),
    }
}

fn hash_zeros(hasher: &mut blake3::Hasher, mut count: u64) {
    static ZEROS: [u8; 64 * 1024] = [0; 64 * 1024];
    while count > 0 {
        let step = usize::try_from(count).unwrap_or(ZEROS.len()).min(ZEROS.len());
        hasher.update(&ZEROS[..step]);
        count -= step as u64;
    }
}
