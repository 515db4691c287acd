//! Copying the bytes of one file: shared with the file system's help where it can, holes kept.

use std::io;
use std::os::fd::OwnedFd;

use rustix::fs::SeekFrom;
use rustix::io::Errno;

use super::at::Meta;

/// Files up to this size are read and written in one go: asking for help costs more.
const SMALL: u64 = 128 * 1024;

/// Copies files, with one buffer for all of them.
#[derive(Debug)]
pub(crate) struct ByteCopier {
    buffer: Vec<u8>,
    can_clone: bool,
    can_range: bool,
}

impl Default for ByteCopier {
    fn default() -> Self {
        Self { buffer: vec![0; 128 * 1024], can_clone: true, can_range: true }
    }
}

impl ByteCopier {
    /// Copies what a file held when it was described; gives how many bytes that were. A file that shrinks gives fewer.
    pub(crate) fn copy(&mut self, from: &OwnedFd, to: &OwnedFd, meta: &Meta) -> io::Result<u64> {
        if meta.size > SMALL && self.can_clone {
            match rustix::fs::ioctl_ficlone(to, from) {
                Ok(()) => {
                    // A file that grew meanwhile was cloned whole.
                    rustix::fs::ftruncate(to, meta.size)?;
                    return Ok(meta.size);
                }
                Err(Errno::NOSPC | Errno::DQUOT) => return Err(Errno::NOSPC.into()),
                Err(_) => self.can_clone = false,
            }
        }
        let is_sparse = meta.stored < meta.size;
        let (mut at, mut whole) = (0, true);
        while at < meta.size {
            let (start, end) = if is_sparse { extent(from, at, meta.size)? } else { (at, meta.size) };
            let copied = self.copy_extent(from, to, start, end)?;
            if copied < end - start {
                (at, whole) = (start + copied, false);
                break;
            }
            at = end;
        }
        let size = if whole { meta.size } else { at };
        if is_sparse {
            rustix::fs::ftruncate(to, size)?;
        }
        Ok(size)
    }

    fn copy_extent(&mut self, from: &OwnedFd, to: &OwnedFd, start: u64, end: u64) -> io::Result<u64> {
        let mut done = 0;
        while start + done < end {
            let step = self.copy_some(from, to, start + done, end - start - done)?;
            if step == 0 {
                break;
            }
            done += step;
        }
        Ok(done)
    }

    fn copy_some(&mut self, from: &OwnedFd, to: &OwnedFd, at: u64, length: u64) -> io::Result<u64> {
        if length > SMALL && self.can_range {
            let (mut source, mut target) = (at, at);
            let step = usize::try_from(length.min(1 << 30)).unwrap_or(1 << 30);
            match rustix::fs::copy_file_range(from, Some(&mut source), to, Some(&mut target), step) {
                Ok(copied) => return Ok(copied as u64),
                Err(error @ (Errno::NOSPC | Errno::DQUOT | Errno::FBIG | Errno::IO)) => return Err(error.into()),
                Err(_) => self.can_range = false,
            }
        }
        let step = usize::try_from(length).unwrap_or(usize::MAX).min(self.buffer.len());
        let read = read_at(from, &mut self.buffer[..step], at)?;
        write_all_at(to, &self.buffer[..read], at)?;
        Ok(read as u64)
    }
}

/// Finds the next bytes that are no hole.
fn extent(from: &OwnedFd, at: u64, size: u64) -> io::Result<(u64, u64)> {
    let start = match rustix::fs::seek(from, SeekFrom::Data(at)) {
        Ok(start) => start.min(size),
        Err(Errno::NXIO) => size,
        Err(Errno::INVAL) => return Ok((at, size)),
        Err(error) => return Err(error.into()),
    };
    let end = if start < size { rustix::fs::seek(from, SeekFrom::Hole(start))?.min(size) } else { size };
    Ok((start, end))
}

/// Reads at a position until the buffer is full or the file ends.
pub(crate) fn read_at(from: &OwnedFd, buffer: &mut [u8], at: u64) -> io::Result<usize> {
    let mut filled = 0;
    while filled < buffer.len() {
        match rustix::io::pread(from, &mut buffer[filled..], at + filled as u64) {
            Ok(0) => break,
            Ok(read) => filled += read,
            Err(Errno::INTR) => {}
            Err(error) => return Err(error.into()),
        }
    }
    Ok(filled)
}

/// Writes all bytes at a position.
pub(crate) fn write_all_at(to: &OwnedFd, mut bytes: &[u8], mut at: u64) -> io::Result<()> {
    while !bytes.is_empty() {
        match rustix::io::pwrite(to, bytes, at) {
            Ok(0) => return Err(io::ErrorKind::WriteZero.into()),
            Ok(written) => (bytes, at) = (&bytes[written..], at + written as u64),
            Err(Errno::INTR) => {}
            Err(error) => return Err(error.into()),
        }
    }
    Ok(())
}
