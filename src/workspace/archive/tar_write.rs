//! Writing a tar whose bytes follow from the tree alone: POSIX `ustar` headers, and extended ones where they are too
//! small.
//!
//! Written here and not by a library, so that another version of one cannot change the bytes.

use std::io::Write;

use super::super::snapshot::{ContentSource, Entry, EntryKind, Manifest, each_piece};
use super::super::{WorkspaceError, WorkspacePath};
use super::header::BLOCK;
use super::tar_read::padding;
use super::{ArchiveError, pax};

/// The time of every member: 2000-01-01T00:00:00Z, which every format and tool can hold.
const TIME: u64 = 946_684_800;

/// The largest size that eleven octal digits hold.
const MAX_SIZE: u64 = 0o77_777_777_777;

/// Writes the tree in the order of its paths' bytes. Specials are left out; no path is written twice.
pub(super) fn write(manifest: &Manifest, content: &dyn ContentSource, out: &mut dyn Write) -> Result<(), ArchiveError> {
    for (path, entry) in manifest.iter() {
        member(path, entry, content, out)?;
    }
    out.write_all(&[0; 2 * BLOCK]).map_err(failed)
}

fn failed(source: std::io::Error) -> ArchiveError {
    ArchiveError::Write { source }
}

fn member(
    path: &WorkspacePath,
    entry: &Entry,
    content: &dyn ContentSource,
    out: &mut dyn Write,
) -> Result<(), ArchiveError> {
    let mut name = path.as_bytes().to_vec();
    let (ty, size, link): (u8, u64, &[u8]) = match &entry.kind {
        EntryKind::File { size, .. } => (b'0', *size, b""),
        EntryKind::Directory => {
            name.push(b'/');
            (b'5', 0, b"")
        }
        EntryKind::Symlink { target } => (b'2', 0, target),
        EntryKind::Special => return Ok(()),
    };
    let mut header = Vec::new();
    extended(&name, link, size, &mut header);
    block(&name, entry.mode, size, ty, link, &mut header);
    out.write_all(&header).map_err(failed)?;
    if let EntryKind::File { size, hash } = &entry.kind {
        each_piece(content, path, *size, hash, &mut |piece| {
            out.write_all(piece).map_err(|error| WorkspaceError::io("pack", path.as_bytes(), error))
        })?;
        let zeros = usize::try_from(padding(*size)).unwrap_or(0);
        out.write_all(&[0; BLOCK][..zeros]).map_err(failed)?;
    }
    Ok(())
}

/// Writes an extended header when a plain one cannot hold what there is to say.
fn extended(name: &[u8], link: &[u8], size: u64, out: &mut Vec<u8>) {
    let mut records = Vec::new();
    let is_text = |bytes: &[u8]| std::str::from_utf8(bytes).is_ok();
    let (long_name, long_link) = (split(name).is_none(), link.len() > 100);
    // Values are UTF-8 unless it says that they are plain bytes.
    if (long_name && !is_text(name)) || (long_link && !is_text(link)) {
        pax::write("hdrcharset", b"BINARY", &mut records);
    }
    if long_link {
        pax::write("linkpath", link, &mut records);
    }
    if long_name {
        pax::write("path", name, &mut records);
    }
    if size > MAX_SIZE {
        pax::write("size", size.to_string().as_bytes(), &mut records);
    }
    if !records.is_empty() {
        block(b"././@PaxHeader", 0o644, records.len() as u64, b'x', b"", out);
        out.extend_from_slice(&records);
        out.resize(out.len().next_multiple_of(BLOCK), 0);
    }
}

/// Splits a name into the header's prefix and name; `None` when they cannot hold it.
fn split(name: &[u8]) -> Option<(&[u8], &[u8])> {
    if name.len() <= 100 {
        return Some((b"", name));
    }
    // The slash between them is not written; the one that ends a directory is no such slash.
    let slashes = (0..name.len() - 1).filter(|at| name[*at] == b'/');
    let mut fitting = slashes.filter(|at| *at <= 155 && name.len() - at - 1 <= 100);
    fitting.next().map(|at| (&name[..at], &name[at + 1..]))
}

fn block(name: &[u8], mode: u32, size: u64, ty: u8, link: &[u8], out: &mut Vec<u8>) {
    let mut block = [0; BLOCK];
    let mut put = |at: usize, bytes: &[u8]| block[at..at + bytes.len()].copy_from_slice(bytes);
    // What does not fit stands in the extended header; here is as much as does.
    let (prefix, short) = split(name).unwrap_or((b"", &name[..100.min(name.len())]));
    put(0, short);
    put(100, format!("{mode:07o}").as_bytes());
    put(108, b"0000000");
    put(116, b"0000000");
    put(124, format!("{:011o}", if size > MAX_SIZE { 0 } else { size }).as_bytes());
    put(136, format!("{TIME:011o}").as_bytes());
    put(148, b"        ");
    put(156, &[ty]);
    put(157, &link[..100.min(link.len())]);
    put(257, b"ustar\x0000");
    put(345, prefix);
    let sum: u64 = block.iter().map(|byte| u64::from(*byte)).sum();
    block[148..156].copy_from_slice(format!("{sum:06o}\0 ").as_bytes());
    out.extend_from_slice(&block);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_split_where_a_header_can_hold_them() {
        let (short, deep) = ("a".repeat(100), format!("{}/{}", "a".repeat(155), "b".repeat(100)));
        assert_eq!(split(short.as_bytes()), Some((&b""[..], short.as_bytes())));
        assert_eq!(split(deep.as_bytes()), Some((&deep.as_bytes()[..155], &deep.as_bytes()[156..])));
        assert_eq!(split("a".repeat(101).as_bytes()), None);
        assert_eq!(split(format!("{}/", "a".repeat(100)).as_bytes()), None);
    }
}
