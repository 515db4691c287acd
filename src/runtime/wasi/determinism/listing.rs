//! Listings of directories in one order: sorted by name, and kept while the guest reads on.

use std::collections::VecDeque;

use wasmtime_wasi::p1::WasiP1Ctx;
use wasmtime_wasi::p1::wasi_snapshot_preview1::fd_readdir;
use wiggle::GuestMemory;

use super::paths::{inode, join};

/// The first and the largest buffer for a whole directory; one that needs more is refused.
const BUFFERS: [usize; 4] = [32 << 10, 256 << 10, 2 << 20, 16 << 20];
/// How many listings are kept; the oldest make room, and are read anew when the guest comes back.
const KEPT: usize = 64;
/// How many entries all kept listings have together, but for the newest.
const KEPT_ENTRIES: usize = 1 << 18;
/// The bytes before each name: `next 8, inode 8, length of the name 4, type 1, padding 3`.
const HEADER: usize = 24;
/// `ENOMEM` as preview 1 numbers it.
const ERRNO_NOMEM: i32 = 48;

/// The directories that a guest is reading.
#[derive(Debug, Default)]
pub(super) struct Listings {
    kept: VecDeque<(i32, Vec<Entry>)>,
}

#[derive(Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Entry {
    name: Vec<u8>,
    kind: u8,
}

/// Why there is no listing: what the guest is told, or what ends it.
pub(super) enum Refused {
    Errno(i32),
    Trap(wasmtime::Error),
}

impl Listings {
    pub(super) fn forget(&mut self, fd: i32) {
        self.kept.retain(|(kept, _)| *kept != fd);
    }

    /// Writes entries from a cookie on, as many as fit, the last one cut; gives the bytes that were written.
    pub(super) async fn read(
        &mut self,
        wasi: &mut WasiP1Ctx,
        (fd, path): (i32, &str),
        cookie: u64,
        buffer: &mut [u8],
    ) -> Result<usize, Refused> {
        if cookie == 0 || !self.kept.iter().any(|(kept, _)| *kept == fd) {
            let entries = whole(wasi, fd).await?;
            self.keep(fd, entries);
        }
        let kept = self.kept.iter().find(|(kept, _)| *kept == fd);
        let entries = kept.map_or(&[][..], |(_, entries)| entries);
        let first = usize::try_from(cookie).unwrap_or(usize::MAX).min(entries.len());
        let mut written = 0;
        for (index, entry) in entries.iter().enumerate().skip(first) {
            let bytes = entry.encode(index, path);
            let room = &mut buffer[written..];
            let fits = bytes.len().min(room.len());
            room[..fits].copy_from_slice(&bytes[..fits]);
            written += fits;
            if written == buffer.len() {
                break;
            }
        }
        Ok(written)
    }

    fn keep(&mut self, fd: i32, entries: Vec<Entry>) {
        self.forget(fd);
        self.kept.push_back((fd, entries));
        let held = |kept: &VecDeque<(i32, Vec<Entry>)>| kept.iter().map(|(_, entries)| entries.len()).sum::<usize>();
        while self.kept.len() > 1 && (self.kept.len() > KEPT || held(&self.kept) > KEPT_ENTRIES) {
            self.kept.pop_front();
        }
    }
}

impl Entry {
    fn encode(&self, index: usize, dir: &str) -> Vec<u8> {
        let name = String::from_utf8_lossy(&self.name);
        let path = if name == ".." { dir.to_owned() } else { join(dir, &name) };
        let mut bytes = Vec::with_capacity(HEADER + self.name.len());
        bytes.extend((index as u64 + 1).to_le_bytes());
        bytes.extend(inode(&path).to_le_bytes());
        bytes.extend(u32::try_from(self.name.len()).unwrap_or(u32::MAX).to_le_bytes());
        bytes.extend([self.kind, 0, 0, 0]);
        bytes.extend(&self.name);
        bytes
    }
}

/// Reads a whole directory into a buffer of our own, and sorts it.
async fn whole(wasi: &mut WasiP1Ctx, fd: i32) -> Result<Vec<Entry>, Refused> {
    for size in BUFFERS {
        let mut memory = vec![0; size + 4];
        let len = i32::try_from(size).unwrap_or(i32::MAX);
        let errno = fd_readdir(wasi, &mut GuestMemory::Unshared(&mut memory), fd, 0, len, 0, len).await;
        match errno {
            Ok(0) => {}
            Ok(errno) => return Err(Refused::Errno(errno)),
            Err(error) => return Err(Refused::Trap(error)),
        }
        let (bytes, used) = memory.split_at(size);
        let used = used.first_chunk().copied().map(u32::from_le_bytes).and_then(|used| usize::try_from(used).ok());
        let used = used.unwrap_or(size);
        if used < size {
            return Ok(sorted(&bytes[..used]));
        }
    }
    Err(Refused::Errno(ERRNO_NOMEM))
}

fn sorted(mut bytes: &[u8]) -> Vec<Entry> {
    let mut entries = Vec::new();
    while let Some((header, rest)) = bytes.split_first_chunk::<HEADER>() {
        let len = header[16..].first_chunk().copied().map(u32::from_le_bytes).unwrap_or_default();
        let len = usize::try_from(len).unwrap_or(usize::MAX).min(rest.len());
        let (name, rest) = rest.split_at(len);
        entries.push(Entry { name: name.to_owned(), kind: header[20] });
        bytes = rest;
    }
    // `.` and `..` are the first two already, and stay so.
    let own = entries.len().min(2);
    entries[own..].sort_unstable();
    entries
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_sorted_by_their_bytes_after_the_two_that_every_directory_has() {
        let entry = |name: &str| Entry { name: name.as_bytes().to_owned(), kind: 4 };
        let raw: Vec<u8> =
            [".", "..", "b", "!", "a", "é", "Z"].iter().flat_map(|name| entry(name).encode(0, "/")).collect();
        let names: Vec<_> = sorted(&raw).into_iter().map(|entry| String::from_utf8(entry.name).unwrap()).collect();
        assert_eq!(names, [".", "..", "!", "Z", "a", "b", "é"]);
    }

    #[test]
    fn the_oldest_listings_make_room() {
        let mut listings = Listings::default();
        (0..100).for_each(|fd| listings.keep(fd, Vec::new()));
        assert_eq!((listings.kept.len(), listings.kept[0].0), (KEPT, 36));
    }
}
