//! Reading a file that others may write to meanwhile: what is hashed is what is kept, whatever they do.

use std::os::fd::OwnedFd;

use rustix::fs::SeekFrom;
use rustix::io::Errno;

use super::super::at::{self, Meta};
use super::super::walk::Seen;
use super::super::{WorkspaceError, WorkspacePath, bytes, tree};
use super::batch::{Batch, Read};
use super::lane::Lane;
use super::store::{BlobDraft, Hash, SMALL};

/// How often a file that changes while it is read is read again.
const READS: usize = 3;

/// How much of a large file is read at once. A small one is read whole, into a batch.
const BUFFER: usize = 1 << 20;

/// What may still be read.
#[derive(Debug)]
pub(super) struct Charge {
    taken: u64,
    limit: u64,
}

/// Reads files, with one buffer for all large ones.
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
        lane: &mut Lane<'_, '_, '_, '_>,
        take: &mut impl FnMut(Read),
    ) -> Result<Option<()>, WorkspaceError> {
        let failed = |error: std::io::Error| WorkspaceError::io("read", seen.path, error);
        let Some((file, mut before)) = tree::open_regular(seen)? else { return Ok(None) };
        charge.add(before.size)?;
        for round in 1..=READS {
            let is_large = before.size > SMALL;
            let mut draft = match lane.store() {
                Some(store) if is_large => Some(store.lock().draft()?),
                Some(_) | None => None,
            };
            let (size, hash) = match is_large {
                true => self.large(&file, &before, draft.as_mut(), seen.path)?,
                false => (small(&file, before.size, lane.batch(before.size, take)?).map_err(failed)?, Hash::default()),
            };
            let after = at::meta(&file).map_err(|error| failed(error.into()))?;
            let is_same = (before.size, before.modified, before.changed) == (after.size, after.modified, after.changed);
            let is_settled = is_same && size == after.size;
            if !is_settled && round < READS {
                charge.add(after.size.saturating_sub(before.size))?;
                before = after;
                continue;
            }
            let read = Read { path: WorkspacePath::from_walk(seen.path), meta: after, size, hash, is_settled };
            if is_large {
                keep(lane, draft, size, &hash)?;
                take(read);
            } else {
                lane.push(read);
            }
            return Ok(Some(()));
        }
        Ok(None)
    }

    /// Hashes a file that nobody else writes to; gives its length too. Holes are not read.
    pub(super) fn hash(&mut self, file: &OwnedFd, meta: &Meta, path: &[u8]) -> Result<(u64, Hash), WorkspaceError> {
        self.large(file, meta, None, path)
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
        self.buffer.resize(BUFFER, 0);
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

/// Puts a file that was large when its reading began into the store, if there is one.
fn keep(lane: &Lane<'_, '_, '_, '_>, draft: Option<BlobDraft>, size: u64, hash: &Hash) -> Result<(), WorkspaceError> {
    let (Some(store), Some(mut draft)) = (lane.store(), draft) else { return Ok(()) };
    if size > SMALL {
        draft.set_len(size)?;
        store.lock().put_draft(draft, hash, size)?;
    } else {
        // It shrank while it was read.
        store.lock().put(hash, &draft.into_content(size)?)?;
    }
    Ok(())
}

/// Reads at most `size` bytes to where a batch has room for them.
fn small(file: &OwnedFd, size: u64, batch: &mut Batch) -> std::io::Result<u64> {
    let room = batch.room();
    let most = usize::try_from(size).unwrap_or(room.len()).min(room.len());
    Ok(bytes::read_at(file, &mut room[..most], 0)? as u64)
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
