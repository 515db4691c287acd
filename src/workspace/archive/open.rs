//! `Archive`: an archive that was read to its end once, and found to be harmless.

use std::collections::HashMap;
use std::fs::File;
use std::io::{Read, Seek, SeekFrom};
use std::rc::Rc;

use super::super::WorkspacePath;
use super::super::snapshot::{Manifest, Watch};
use super::gauge::Gauge;
use super::header::{self, BLOCK};
use super::listing::Listing;
use super::member::{EachMember, MemberKind, refused};
use super::watched::Watched;
use super::{ArchiveError, ArchiveFormat, ArchiveRules, decode, format, gauge, tar_read, zip_read};

/// How much of a member is read at once.
const BUFFER: usize = 16 * 1024;

/// An archive that was read to its end once: everything that is in it is known, and nothing of it is refused.
#[derive(Debug)]
pub struct Archive {
    file: File,
    format: ArchiveFormat,
    pub(super) rules: ArchiveRules,
    manifest: Manifest,
    /// Files with several names: those after the first, by the first.
    pub(super) also: HashMap<Vec<u8>, Vec<WorkspacePath>>,
}

impl Archive {
    /// Reads an archive to its end, whatever its name is, and looks at all that it holds. Nothing is written.
    ///
    /// Refused is an archive with a name that is no [`WorkspacePath`], a name twice (directories excepted), something
    /// below what is no directory, a hard link to what is not a file before it, a sparse file, a type that nobody
    /// knows, two accounts of one thing, or something after its end; and, by the rules, links that lead out and
    /// specials. Names are bytes: two that differ in case or in their Unicode form are two.
    ///
    /// # Errors
    ///
    /// When the archive is refused, damaged, or larger than the bounds, and when the host cannot read it.
    pub fn open(file: File, rules: ArchiveRules) -> Result<Self, ArchiveError> {
        Self::look(file, rules, Watched::default())
    }

    /// Does the same as [`open`](Self::open) for one who watches, and may stop it.
    #[cfg_attr(not(feature = "cli"), expect(dead_code, reason = "who watches is the command"))]
    pub(crate) fn open_watched(file: File, rules: ArchiveRules, watch: Watch<'_>) -> Result<Self, ArchiveError> {
        Self::look(file, rules, Watched::by(watch))
    }

    fn look(mut file: File, rules: ArchiveRules, mut watched: Watched<'_>) -> Result<Self, ArchiveError> {
        let format = detect(&mut file)?.ok_or(ArchiveError::NotAnArchive)?;
        let mut archive = Self { file, format, rules, manifest: Manifest::new(), also: HashMap::new() };
        let mut listing = Listing::default();
        let gauge = archive.each(&mut |member, content| {
            watched.entry()?;
            let mut hash = [0; 32];
            if let MemberKind::File(size) = member.kind {
                listing.charge(size, &rules)?;
                let (read, hashed) = hashed(content, &mut watched)?;
                if read != size {
                    return Err(refused(member.path.as_bytes(), "is shorter than it says"));
                }
                hash = hashed;
            }
            listing.add(&member, hash, &rules)
        })?;
        listing.check_links(&rules, &gauge)?;
        (archive.manifest, archive.also) = listing.finish();
        Ok(archive)
    }

    /// Gives the format that its bytes are in.
    pub fn format(&self) -> ArchiveFormat {
        self.format
    }

    /// Gives what it holds: directories that are only implied with mode 0755, hard links as files of their own.
    pub fn manifest(&self) -> &Manifest {
        &self.manifest
    }

    /// Hands out the members from the beginning.
    pub(super) fn each(&self, take: &mut EachMember<'_>) -> Result<Rc<Gauge>, ArchiveError> {
        let read = |source| ArchiveError::Read { source };
        let mut file = self.file.try_clone().map_err(read)?;
        file.seek(SeekFrom::Start(0)).map_err(read)?;
        let ArchiveRules { bounds, specials, .. } = self.rules;
        let gauge = Gauge::new(bounds);
        match decode::tar(file.try_clone().map_err(read)?, self.format, &gauge)? {
            Some(mut tar) => tar_read::each(&mut tar, &bounds, specials, take)?,
            None => zip_read::each(file, &bounds, specials, &gauge, take)?,
        }
        Ok(gauge)
    }
}

/// Tells the format by the first bytes. A compressed file has to hold a tar, which its reader finds out.
fn detect(file: &mut File) -> Result<Option<ArchiveFormat>, ArchiveError> {
    let mut head = Vec::new();
    let is_file = file.metadata().is_ok_and(|meta| meta.is_file());
    if !is_file {
        return Ok(None);
    }
    file.seek(SeekFrom::Start(0)).map_err(|source| ArchiveError::Read { source })?;
    Read::take(file, BLOCK as u64).read_to_end(&mut head).map_err(|source| ArchiveError::Read { source })?;
    if let Some(format) = format::from_signature(&head) {
        return Ok(Some(format));
    }
    let block: Option<[u8; BLOCK]> = head.try_into().ok();
    let is_tar = |block: &[u8; BLOCK]| header::has_checksum(block) || block.iter().all(|byte| *byte == 0);
    Ok(block.filter(is_tar).map(|_| ArchiveFormat::Tar))
}

/// Reads to the end; gives the length and the hash.
fn hashed(content: &mut dyn Read, watched: &mut Watched<'_>) -> Result<(u64, [u8; 32]), ArchiveError> {
    let (mut hasher, mut length) = (blake3::Hasher::new(), 0);
    let mut buffer = [0; BUFFER];
    loop {
        let read = match content.read(&mut buffer) {
            Ok(0) => return Ok((length, *hasher.finalize().as_bytes())),
            Ok(read) => read,
            Err(error) if error.kind() == std::io::ErrorKind::Interrupted => continue,
            Err(error) => return Err(gauge::told_apart(error)),
        };
        hasher.update(&buffer[..read]);
        length += read as u64;
        watched.bytes(read)?;
    }
}
