//! Reading a tar as an engine sends it: every header checked, every name bounded, nothing written.

use std::io::{self, Read};

use tar::Header;

use super::record::padding;
use crate::workspace::Stamp;

/// The most bytes of one record of long names or attributes.
const LARGEST_EXTENSION: u64 = 1 << 20;

/// How many records of attributes may stand before one entry.
const MOST_EXTENSIONS: usize = 16;

/// How much is read after the end, so that the connection ends in peace.
const AFTER_END: u64 = 1 << 20;

/// One entry.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Entry {
    /// As it was sent, whatever it is.
    pub(super) name: Vec<u8>,
    pub(super) sort: Sort,
    pub(super) mode: u32,
    pub(super) modified: Stamp,
}

/// What an entry is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Sort {
    /// A file, whose content is to be read before the next entry.
    File {
        size: u64,
    },
    Directory,
    /// A symbolic link.
    Link {
        target: Vec<u8>,
    },
    /// A hard link to an entry that came before.
    Copy {
        original: Vec<u8>,
    },
    /// A device, a FIFO.
    Special,
}

/// Why reading ended.
#[derive(Debug)]
pub(super) enum Stop {
    /// It is no tar, or one that nobody sends.
    Malformed(&'static str),
    /// It ended before its end.
    Broken(io::Error),
}

/// A tar that is being read.
#[derive(Debug)]
pub(super) struct Entries<R> {
    from: R,
    /// Content of the entry that was given last, which nobody has read yet.
    left: u64,
    padding: usize,
}

/// Records of attributes that stand before an entry.
#[derive(Debug, Default)]
struct Extensions {
    name: Option<Vec<u8>>,
    target: Option<Vec<u8>>,
    size: Option<u64>,
    modified: Option<Stamp>,
}

impl<R: Read> Entries<R> {
    pub(super) fn new(from: R) -> Self {
        Self { from, left: 0, padding: 0 }
    }

    /// Gives the next entry; `None` after the record that says that this was all.
    pub(super) fn next(&mut self) -> Result<Option<Entry>, Stop> {
        self.skip_content()?;
        let mut extensions = Extensions::default();
        for before in 0..MOST_EXTENSIONS {
            let header = match self.header()? {
                Some(header) => header,
                None if before == 0 => return Ok(None),
                None => return Err(Stop::Malformed("attributes stand before no entry")),
            };
            let size = header.entry_size().map_err(|_| Stop::Malformed("a size is no number"))?;
            let sort = header.entry_type();
            if sort.is_gnu_longname() {
                extensions.name = Some(self.long_name(size)?);
            } else if sort.is_gnu_longlink() {
                extensions.target = Some(self.long_name(size)?);
            } else if sort.is_pax_local_extensions() {
                extensions.read(&self.extension(size)?)?;
            } else if sort.is_pax_global_extensions() {
                self.extension(size)?;
            } else {
                return self.entry(&header, size, extensions).map(Some);
            }
        }
        Err(Stop::Malformed("too many attributes stand before an entry"))
    }

    fn entry(&mut self, header: &Header, size: u64, extensions: Extensions) -> Result<Entry, Stop> {
        let size = extensions.size.unwrap_or(size);
        let name = extensions.name.unwrap_or_else(|| header.path_bytes().into_owned());
        let target = || extensions.target.or_else(|| Some(header.link_name_bytes()?.into_owned())).unwrap_or_default();
        let is = header.entry_type();
        // The oldest form wrote directories as files of such a name.
        let sort = if is.is_dir() || is.is_file() && name.ends_with(b"/") {
            Sort::Directory
        } else if is.is_file() || is.is_contiguous() {
            Sort::File { size }
        } else if is.is_symlink() {
            Sort::Link { target: target() }
        } else if is.is_hard_link() {
            Sort::Copy { original: target() }
        } else if is.is_character_special() || is.is_block_special() || is.is_fifo() {
            Sort::Special
        } else {
            return Err(Stop::Malformed("an entry is of a sort that no container has"));
        };
        if size != 0 && !matches!(sort, Sort::File { .. }) {
            return Err(Stop::Malformed("an entry that is no file has content"));
        }
        (self.left, self.padding) = (size, padding(size));
        let seconds = i64::try_from(header.mtime().unwrap_or(0)).unwrap_or(0);
        let modified = extensions.modified.unwrap_or(Stamp { seconds, nanos: 0 });
        let mode = header.mode().map_err(|_| Stop::Malformed("permissions are no number"))? & 0o777;
        Ok(Entry { name, sort, mode, modified })
    }

    /// Reads a header. `None`: the record that says the end.
    fn header(&mut self) -> Result<Option<Header>, Stop> {
        let mut header = Header::new_old();
        self.from.read_exact(header.as_mut_bytes()).map_err(Stop::Broken)?;
        let bytes = header.as_bytes();
        if bytes.iter().all(|byte| *byte == 0) {
            // What comes after the end is nobody's, and its failures are too.
            let _ = io::copy(&mut (&mut self.from).take(AFTER_END), &mut io::sink());
            return Ok(None);
        }
        let sum = |bytes: &[u8]| bytes.iter().map(|byte| u32::from(*byte)).sum::<u32>();
        // The sum's own field counts as blanks.
        let wanted = sum(&bytes[..148]) + 8 * u32::from(b' ') + sum(&bytes[156..]);
        match header.cksum() {
            Ok(found) if found == wanted => Ok(Some(header)),
            Ok(_) | Err(_) => Err(Stop::Malformed("a header's sum is wrong")),
        }
    }

    fn extension(&mut self, size: u64) -> Result<Vec<u8>, Stop> {
        if size > LARGEST_EXTENSION {
            return Err(Stop::Malformed("the attributes of an entry are too long"));
        }
        (self.left, self.padding) = (size, padding(size));
        let mut bytes = Vec::new();
        self.read_to_end(&mut bytes).map_err(Stop::Broken)?;
        self.skip_content()?;
        Ok(bytes)
    }

    fn long_name(&mut self, size: u64) -> Result<Vec<u8>, Stop> {
        let mut name = self.extension(size)?;
        let end = name.iter().position(|byte| *byte == 0).unwrap_or(name.len());
        name.truncate(end);
        Ok(name)
    }

    fn skip_content(&mut self) -> Result<(), Stop> {
        let rest = self.left + self.padding as u64;
        (self.left, self.padding) = (0, 0);
        let skipped = io::copy(&mut (&mut self.from).take(rest), &mut io::sink()).map_err(Stop::Broken)?;
        if skipped == rest { Ok(()) } else { Err(Stop::Broken(io::ErrorKind::UnexpectedEof.into())) }
    }
}

/// Reads the content of the entry that was given last; content that the tar lacks is an error.
impl<R: Read> Read for Entries<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let most = usize::try_from(self.left).unwrap_or(usize::MAX).min(buffer.len());
        if most == 0 {
            return Ok(0);
        }
        let read = self.from.read(&mut buffer[..most])?;
        if read == 0 {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        self.left -= read as u64;
        Ok(read)
    }
}

impl Extensions {
    fn read(&mut self, mut bytes: &[u8]) -> Result<(), Stop> {
        const WRONG: Stop = Stop::Malformed("the attributes of an entry cannot be read");
        while !bytes.is_empty() {
            let (key, value, rest) = attribute(bytes).ok_or(WRONG)?;
            bytes = rest;
            let text = || std::str::from_utf8(value).map_err(|_| WRONG);
            match key {
                b"path" => self.name = Some(value.to_vec()),
                b"linkpath" => self.target = Some(value.to_vec()),
                b"size" => self.size = Some(text()?.parse().map_err(|_| WRONG)?),
                b"mtime" => self.modified = Some(moment(text()?).ok_or(WRONG)?),
                // Owners, extended attributes and comments are not taken over.
                _ => {}
            }
        }
        Ok(())
    }
}

/// Reads `length key=value`, a newline at its end, by its length alone: names and values may hold newlines of their own.
fn attribute(bytes: &[u8]) -> Option<(&[u8], &[u8], &[u8])> {
    let blank = bytes.iter().take(20).position(|byte| *byte == b' ')?;
    let length: usize = std::str::from_utf8(&bytes[..blank]).ok()?.parse().ok()?;
    let (record, rest) = bytes.split_at_checked(length)?;
    let text = record.get(blank + 1..)?.strip_suffix(b"\n")?;
    let equals = text.iter().position(|byte| *byte == b'=')?;
    Some((&text[..equals], &text[equals + 1..], rest))
}

/// Reads seconds with a fraction.
fn moment(text: &str) -> Option<Stamp> {
    let (whole, fraction) = text.split_once('.').unwrap_or((text, ""));
    let seconds: i64 = whole.parse().ok()?;
    let digits: String = fraction.chars().chain("000000000".chars()).take(9).collect();
    let nanos: i64 = digits.parse().ok()?;
    // Before 1970 the fraction counts backwards, and a stamp's nanoseconds never do.
    let before = whole.starts_with('-') && nanos != 0;
    let (seconds, nanos) = if before { (seconds.checked_sub(1)?, 1_000_000_000 - nanos) } else { (seconds, nanos) };
    (nanos >= 0).then_some(Stamp { seconds, nanos })
}
