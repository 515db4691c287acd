//! Writing a tar: the one form that every engine reads, long names in records of their own.

use std::io::{self, Read, Write};

use tar::{EntryType, Header};

/// The size of every record.
pub(super) const RECORD: usize = 512;

/// How long a name may be that stands in the header itself.
const SHORT: usize = 100;

/// One entry, as it is written.
#[derive(Clone, Copy, Debug)]
pub(in crate::runtime::docker) struct Record<'a> {
    pub(in crate::runtime::docker) name: &'a [u8],
    pub(in crate::runtime::docker) sort: EntryType,
    pub(in crate::runtime::docker) mode: u32,
    pub(in crate::runtime::docker) owner: (u32, u32),
    /// Seconds; what was before 1970 becomes 1970.
    pub(in crate::runtime::docker) modified: i64,
    /// Where a link points.
    pub(in crate::runtime::docker) target: &'a [u8],
}

/// A tar that is being written.
#[derive(Debug)]
pub(in crate::runtime::docker) struct Records<W> {
    to: W,
}

impl<W: Write> Records<W> {
    pub(in crate::runtime::docker) fn new(to: W) -> Self {
        Self { to }
    }

    /// Writes an entry with exactly `size` bytes of content; what the content lacks is zeros.
    pub(in crate::runtime::docker) fn write(
        &mut self,
        record: Record<'_>,
        size: u64,
        content: &mut dyn Read,
    ) -> io::Result<()> {
        for (sort, long) in [(EntryType::GNULongLink, record.target), (EntryType::GNULongName, record.name)] {
            if long.len() > SHORT {
                self.long(sort, long)?;
            }
        }
        let mut header = header(record.sort, record.name, size);
        header.set_mode(record.mode);
        header.set_uid(record.owner.0.into());
        header.set_gid(record.owner.1.into());
        header.set_mtime(u64::try_from(record.modified).unwrap_or(0));
        fill(&mut header.as_old_mut().linkname, record.target);
        header.set_cksum();
        self.to.write_all(header.as_bytes())?;
        let mut padded = content.chain(io::repeat(0)).take(size);
        io::copy(&mut padded, &mut self.to)?;
        self.pad(size)
    }

    /// Writes the end, and gives what it was written to.
    pub(in crate::runtime::docker) fn finish(mut self) -> io::Result<W> {
        self.to.write_all(&[0; 2 * RECORD])?;
        self.to.flush()?;
        Ok(self.to)
    }

    /// Writes a name that is too long for a header, as a record before it.
    fn long(&mut self, sort: EntryType, name: &[u8]) -> io::Result<()> {
        let size = name.len() as u64 + 1;
        let mut header = header(sort, b"././@LongLink", size);
        header.set_cksum();
        self.to.write_all(header.as_bytes())?;
        self.to.write_all(name)?;
        self.to.write_all(&[0])?;
        self.pad(size)
    }

    fn pad(&mut self, size: u64) -> io::Result<()> {
        self.to.write_all(&[0; RECORD][..padding(size)])
    }
}

/// Says how many bytes follow content of that size up to the next record.
pub(super) fn padding(size: u64) -> usize {
    let over = usize::try_from(size % RECORD as u64).expect("less than a record");
    (RECORD - over) % RECORD
}

fn header(sort: EntryType, name: &[u8], size: u64) -> Header {
    let mut header = Header::new_gnu();
    header.set_entry_type(sort);
    header.set_size(size);
    header.set_mode(0);
    header.set_uid(0);
    header.set_gid(0);
    header.set_mtime(0);
    fill(&mut header.as_old_mut().name, name);
    header
}

fn fill(field: &mut [u8], text: &[u8]) {
    let kept = field.len().min(text.len());
    field[..kept].copy_from_slice(&text[..kept]);
}
