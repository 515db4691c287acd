//! Reading a zip: what its list says and what stands before each member must agree, or it is refused.

use std::fs::File;
use std::io::{self, BufReader, Read, Seek, SeekFrom};
use std::rc::Rc;

use zip::ZipArchive;
use zip::result::ZipError;

use super::gauge::{self, Gauge, Gauged, Side};
use super::member::{self, EachMember, Member, MemberKind, refused};
use super::{ArchiveBounds, ArchiveError, SpecialRule};

/// How long the record at the end is, without its comment, and how long the comment may be.
const END: usize = 22;
const MAX_COMMENT: usize = 65_535;

/// The type bits of a Unix mode.
const TYPE: u32 = 0o170_000;

/// Hands out the members of a zip in the order of its list.
pub(super) fn each(
    mut file: File,
    bounds: &ArchiveBounds,
    specials: SpecialRule,
    gauge: &Rc<Gauge>,
    take: &mut EachMember<'_>,
) -> Result<(), ArchiveError> {
    let read = |source| ArchiveError::Read { source };
    // The list is read as a whole: what it says of its length is looked at before.
    let listed = entries(&mut file).map_err(read)?.ok_or_else(|| damaged("its end cannot be read"))?;
    let limit = bounds.tree.entries;
    if listed > limit {
        return Err(ArchiveError::TooLarge { what: "entries", limit });
    }
    file.seek(SeekFrom::Start(0)).map_err(read)?;
    let mut archive = ZipArchive::new(BufReader::new(Gauged::new(file, gauge, Side::Packed))).map_err(told_apart)?;
    if archive.offset() != 0 {
        return Err(damaged("something stands before its beginning"));
    }
    // No name twice, no two members that share bytes, none that the list leaves out, no two accounts of one member.
    archive.validate_header_consistency().map_err(told_apart)?;
    for index in 0..archive.len() {
        let mut entry = archive.by_index(index).map_err(told_apart)?;
        let size = entry.size();
        let name = entry.name_raw().to_vec();
        let unix = entry.unix_mode().unwrap_or(0);
        let mut content = Gauged::new(&mut entry, gauge, Side::Unpacked);
        let Some(member) = read_member(&name, unix, size, &mut content, bounds, specials)? else { continue };
        let is_file = matches!(member.kind, MemberKind::File(_));
        take(member, &mut content)?;
        // The checksum is looked at where the content ends, so it has to be read to there.
        let rest = io::copy(&mut content, &mut io::sink()).map_err(gauge::told_apart)?;
        if is_file && rest != 0 {
            return Err(refused(&name, "is longer than it says"));
        }
    }
    Ok(())
}

fn damaged(problem: &str) -> ArchiveError {
    ArchiveError::Damaged { problem: problem.to_owned() }
}

fn told_apart(error: ZipError) -> ArchiveError {
    if let ZipError::Io(error) = error {
        return gauge::told_apart(error);
    }
    ArchiveError::Damaged { problem: error.to_string() }
}

fn read_member(
    name: &[u8],
    unix: u32,
    size: u64,
    content: &mut dyn Read,
    bounds: &ArchiveBounds,
    specials: SpecialRule,
) -> Result<Option<Member>, ArchiveError> {
    let ends_as_directory = name.ends_with(b"/");
    let (kind, default) = match unix & TYPE {
        0o040_000 => (MemberKind::Directory, 0o755),
        0 if ends_as_directory => (MemberKind::Directory, 0o755),
        0 | 0o100_000 => (MemberKind::File(size), 0o644),
        0o120_000 => (MemberKind::Symlink(target(name, content, bounds)?), 0o777),
        _ => match specials {
            SpecialRule::Refuse => return Err(refused(name, "is a device or a FIFO")),
            SpecialRule::List => (MemberKind::Special, 0o600),
        },
    };
    let is_directory = kind == MemberKind::Directory;
    if is_directory && size != 0 {
        return Err(refused(name, "has content, and is no file"));
    }
    let Some(path) = member::name(name, is_directory, bounds)? else { return Ok(None) };
    // Systems without permissions write none.
    let mode = if unix & 0o777 == 0 { default } else { unix & 0o777 };
    Ok(Some(Member { path, kind, mode }))
}

/// Reads where a link points, which is its content.
fn target(name: &[u8], content: &mut dyn Read, bounds: &ArchiveBounds) -> Result<Vec<u8>, ArchiveError> {
    let mut target = Vec::new();
    let most = bounds.path_bytes as u64;
    content.take(most + 1).read_to_end(&mut target).map_err(gauge::told_apart)?;
    match target.len() {
        0 => Err(refused(name, "is a link to nothing")),
        long if long as u64 > most => Err(refused(name, "is a link to too long a path")),
        _ if target.contains(&0) => Err(refused(name, "is a link to a name with a NUL byte")),
        _ => Ok(target),
    }
}

/// Reads how many members the record at the end says that there are. `None`: there is no such record, or several.
fn entries(file: &mut File) -> io::Result<Option<u64>> {
    let length = file.seek(SeekFrom::End(0))?;
    let tail = length.min((END + MAX_COMMENT) as u64);
    let mut bytes = vec![0; usize::try_from(tail).unwrap_or(0)];
    file.seek(SeekFrom::Start(length - tail))?;
    file.read_exact(&mut bytes)?;
    let found: Vec<usize> =
        bytes.windows(4).enumerate().filter(|(_, w)| *w == b"PK\x05\x06").map(|(at, _)| at).collect();
    let is_end = |at: &usize| {
        let comment = bytes.get(at + 20..at + END).map(|two| u16::from_le_bytes([two[0], two[1]]));
        comment.is_some_and(|comment| at + END + usize::from(comment) == bytes.len())
    };
    let ends: Vec<usize> = found.into_iter().filter(is_end).collect();
    let [end] = ends[..] else { return Ok(None) };
    let entries = u16::from_le_bytes([bytes[end + 10], bytes[end + 11]]);
    if entries != u16::MAX {
        return Ok(Some(u64::from(entries)));
    }
    // More than fit: a larger record before this one says how many.
    let locator =
        end.checked_sub(20).and_then(|at| bytes.get(at..end)).filter(|bytes| bytes.starts_with(b"PK\x06\x07"));
    let Some(locator) = locator.and_then(|locator| locator.get(8..16)) else { return Ok(Some(u64::from(entries))) };
    let at = u64::from_le_bytes(locator.try_into().unwrap_or_default());
    let mut record = [0; 40];
    file.seek(SeekFrom::Start(at))?;
    match file.read_exact(&mut record) {
        Ok(()) if record.starts_with(b"PK\x06\x06") => {
            Ok(Some(u64::from_le_bytes(record[32..40].try_into().unwrap_or_default())))
        }
        Ok(()) => Ok(None),
        Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => Ok(None),
        Err(error) => Err(error),
    }
}
