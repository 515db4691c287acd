//! Reading a tar: every reader that takes it finds the same members in it, or it is refused.
//!
//! Readers differ about tars that say one thing twice (RUSTSEC-2026-0068 and CVE-2025-62518: the size of a header
//! against that of an extended header; GHSA-3cv2-h65g-fgmm: which member an extended header is of), so such are
//! refused, and so is everything that is not needed: sparse files, volumes, dumps.

use std::io::Read;

use super::gauge;
use super::header::{self, BLOCK, Header};
use super::member::{self, EachMember, Member, MemberKind, refused};
use super::pax::{self, Extended};
use super::{ArchiveBounds, ArchiveError, SpecialRule};

/// The most bytes of one extended header or long name.
const MAX_EXTENDED: u64 = 1 << 20;

/// The most bytes of all of them.
const MAX_ALL_EXTENDED: u64 = 256 << 20;

/// The most zeros after the end: tapes are written in records, the largest of which has a mebibyte.
const MAX_PADDING: u64 = 1 << 20;

/// Hands out the members of a tar in their order. A file that is not read to its end is skipped.
pub(super) fn each(
    input: &mut dyn Read,
    bounds: &ArchiveBounds,
    specials: SpecialRule,
    take: &mut EachMember<'_>,
) -> Result<(), ArchiveError> {
    let mut reader = TarReader { input, bounds, specials, extended: MAX_ALL_EXTENDED };
    let mut more = More::default();
    let mut headers = 0u64;
    loop {
        headers += 1;
        // A member may have up to three headers before its own.
        if headers > bounds.tree.entries.saturating_mul(4).saturating_add(4) {
            return Err(ArchiveError::TooLarge { what: "headers", limit: headers - 1 });
        }
        let block = reader.block()?;
        if block.iter().all(|byte| *byte == 0) {
            return if more.is_empty() { reader.finish() } else { Err(damaged("its last member is missing")) };
        }
        let header = header::read(&block).map_err(|problem| refused(&block[..100], problem))?;
        match header.ty {
            b'x' | b'g' | b'L' | b'K' => more.add(&header, reader.extended(&header)?)?,
            _ => reader.member(header, std::mem::take(&mut more), take)?,
        }
    }
}

fn damaged(problem: &str) -> ArchiveError {
    ArchiveError::Damaged { problem: problem.to_owned() }
}

struct TarReader<'a> {
    input: &'a mut dyn Read,
    bounds: &'a ArchiveBounds,
    specials: SpecialRule,
    /// How many bytes of extended headers may still come.
    extended: u64,
}

/// What stands before a header and belongs to its member.
#[derive(Default)]
struct More {
    pax: Option<Extended>,
    long_name: Option<Vec<u8>>,
    long_link: Option<Vec<u8>>,
}

impl More {
    fn is_empty(&self) -> bool {
        self.pax.is_none() && self.long_name.is_none() && self.long_link.is_none()
    }

    fn add(&mut self, header: &Header, mut content: Vec<u8>) -> Result<(), ArchiveError> {
        let refuse = |problem| refused(&header.name, problem);
        let is_twice = match header.ty {
            b'g' => {
                let global = pax::read(&content).map_err(refuse)?;
                // What holds for all members is a comment or a time; a name or a size cannot be meant.
                return if global == Extended::default() { Ok(()) } else { Err(refuse("names all members alike")) };
            }
            b'x' => self.pax.replace(pax::read(&content).map_err(refuse)?).is_some(),
            ty => {
                if content.pop_if(|byte| *byte == 0).is_some() && content.contains(&0) {
                    return Err(refuse("has a long name with a NUL byte"));
                }
                let slot = if ty == b'L' { &mut self.long_name } else { &mut self.long_link };
                slot.replace(content).is_some()
            }
        };
        if is_twice { Err(refuse("says something twice")) } else { Ok(()) }
    }

    /// Puts what was said before into the header's place.
    fn complete(self, header: &mut Header) -> Result<(), ArchiveError> {
        let extended = self.pax.unwrap_or_default();
        for (one, other, field) in
            [(self.long_name, extended.path, &mut header.name), (self.long_link, extended.link, &mut header.link)]
        {
            match (one, other) {
                (Some(_), Some(_)) => return Err(refused(field, "says something twice")),
                (Some(long), None) | (None, Some(long)) => *field = long,
                (None, None) => {}
            }
        }
        match extended.size {
            // Where the header cannot hold a size, it has none.
            Some(size) if header.size != 0 && header.size != size => Err(refused(&header.name, "has two sizes")),
            Some(size) => {
                header.size = size;
                Ok(())
            }
            None => Ok(()),
        }
    }
}

impl TarReader<'_> {
    fn block(&mut self) -> Result<[u8; BLOCK], ArchiveError> {
        let mut block = [0; BLOCK];
        self.input.read_exact(&mut block).map_err(gauge::told_apart)?;
        Ok(block)
    }

    /// Reads the content of a header that speaks of the next one.
    fn extended(&mut self, header: &Header) -> Result<Vec<u8>, ArchiveError> {
        let limit = MAX_EXTENDED.min(self.extended);
        if header.size > limit {
            return Err(ArchiveError::TooLarge { what: "bytes of names", limit });
        }
        self.extended -= header.size;
        let mut content = vec![0; usize::try_from(header.size).unwrap_or(0)];
        self.input.read_exact(&mut content).map_err(gauge::told_apart)?;
        self.skip(padding(header.size))?;
        Ok(content)
    }

    fn member(&mut self, mut header: Header, more: More, take: &mut EachMember<'_>) -> Result<(), ArchiveError> {
        more.complete(&mut header)?;
        let Header { name, mode, size, ty, link } = header;
        let refuse = |problem| refused(&name, problem);
        let path = |is_directory| member::name(&name, is_directory, self.bounds);
        // Before there was a type for directories, a slash at the end of the name was one.
        let is_directory = ty == b'5' || (ty == 0 && name.ends_with(b"/"));
        let kind = match ty {
            _ if is_directory => MemberKind::Directory,
            b'0' | b'7' | 0 => MemberKind::File(size),
            b'1' => {
                let target = member::name(&link, false, self.bounds)?;
                MemberKind::HardLink(target.ok_or_else(|| refuse("is a hard link to a directory"))?)
            }
            b'2' if link.is_empty() => return Err(refuse("is a link to nothing")),
            b'2' if link.len() > self.bounds.path_bytes => return Err(refuse("is a link to too long a path")),
            b'2' if link.contains(&0) => return Err(refuse("is a link to a name with a NUL byte")),
            b'2' => MemberKind::Symlink(link),
            b'3' | b'4' | b'6' => match self.specials {
                SpecialRule::Refuse => return Err(refuse("is a device or a FIFO")),
                SpecialRule::List => MemberKind::Special,
            },
            b'S' => return Err(refuse("is a sparse file")),
            _ => return Err(refuse("is of an unknown type")),
        };
        let is_file = matches!(kind, MemberKind::File(_));
        if size != 0 && !is_file {
            return Err(refuse("has content, and is no file"));
        }
        let Some(path) = path(is_directory)? else { return Ok(()) };
        let mut content = Read::take(&mut *self.input, if is_file { size } else { 0 });
        take(Member { path, kind, mode }, &mut content)?;
        let left = content.limit();
        self.skip(left.saturating_add(padding(size)))
    }

    fn skip(&mut self, bytes: u64) -> Result<(), ArchiveError> {
        let skipped = std::io::copy(&mut Read::take(&mut *self.input, bytes), &mut std::io::sink());
        match skipped.map_err(gauge::told_apart)? {
            skipped if skipped == bytes => Ok(()),
            _ => Err(damaged("it ends too early")),
        }
    }

    /// Reads what comes after the first block of the end: zeros, and nothing else.
    fn finish(&mut self) -> Result<(), ArchiveError> {
        let mut buffer = [0; 8192];
        let mut padding = 0;
        loop {
            let read = match self.input.read(&mut buffer) {
                Ok(0) => return Ok(()),
                Ok(read) => read,
                Err(error) if error.kind() == std::io::ErrorKind::Interrupted => continue,
                Err(error) => return Err(gauge::told_apart(error)),
            };
            padding += read as u64;
            if padding > MAX_PADDING || buffer[..read].iter().any(|byte| *byte != 0) {
                return Err(damaged("something follows its end"));
            }
        }
    }
}

/// Says how much follows content of this size, up to the next block.
pub(super) fn padding(size: u64) -> u64 {
    (BLOCK as u64 - size % BLOCK as u64) % BLOCK as u64
}
