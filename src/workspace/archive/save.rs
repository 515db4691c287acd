//! Packing a tree, and saving an archive so that it is there whole or not at all.

use std::ffi::CString;
use std::fs::File;
use std::io::{BufWriter, Write};
use std::os::fd::{AsFd, OwnedFd};
use std::path::{Path, PathBuf};

use cap_std::ambient_authority;
use cap_std::fs::Dir;
use rustix::fs::{AtFlags, Mode, OFlags};

use super::super::snapshot::{ContentSource, Manifest};
use super::super::{WorkspaceError, WorkspacePath, at, tree};
use super::encode::Encoder;
use super::{ArchiveError, ArchiveFormat, tar_write};
use crate::spec::SnapshotConfig;

/// Writes a tree as an archive. Equal trees give equal bytes: members stand in the order of their paths' bytes, and
/// have no owner and a fixed time. Specials are left out.
///
/// `tar` and `tar.zst` stay the same in later versions of bailiwick; the others as long as their libraries do.
///
/// # Errors
///
/// A format that is not written, content that cannot be read or is not that of the manifest any more
/// ([`WorkspaceError::Changing`]), and what the writer fails at.
pub fn pack<W: Write>(
    manifest: &Manifest,
    content: &dyn ContentSource,
    format: ArchiveFormat,
    out: W,
) -> Result<W, ArchiveError> {
    let mut encoder = Encoder::new(out, format)?;
    tar_write::write(manifest, content, &mut encoder)?;
    encoder.finish().map_err(|source| ArchiveError::Write { source })
}

/// Saves a tree as an archive file. What was there under that name is replaced, when all is written, and not before.
///
/// # Errors
///
/// As [`pack`], and when the directory of the file cannot be written. Then nothing is left of the new archive.
pub fn save_archive(
    manifest: &Manifest,
    content: &dyn ContentSource,
    format: ArchiveFormat,
    destination: &Path,
) -> Result<(), ArchiveError> {
    let failed = |source| ArchiveError::Write { source };
    let parent = destination.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let name = WorkspacePath::new(destination.file_name().unwrap_or_default()).map_err(WorkspaceError::from)?;
    let dir = Dir::open_ambient_dir(parent, ambient_authority()).map_err(failed)?;
    let dir = at::open_again(dir.as_fd()).map_err(|e| failed(e.into()))?;
    let draft = Draft::make(&dir).map_err(failed)?;
    let file = BufWriter::new(draft.file.try_clone().map_err(failed)?);
    let file = pack(manifest, content, format, file)?.into_inner().map_err(|error| failed(error.into_error()))?;
    file.sync_all().map_err(failed)?;
    draft.publish(&tree::c_name(&name)).map_err(failed)
}

/// Saves the archive of a snapshot where a spec says, and compressed as it says; gives its path. `None`: the spec
/// names no directory.
///
/// The file is named after the snapshot's id, so the same content is saved once. The directory is made if there is
/// none.
///
/// # Errors
///
/// As [`save_archive`].
pub fn archive_snapshot(
    config: &SnapshotConfig,
    manifest: &Manifest,
    content: &dyn ContentSource,
) -> Result<Option<PathBuf>, ArchiveError> {
    let Some(directory) = &config.archive_save_dir else { return Ok(None) };
    let format = ArchiveFormat::from(config.compression);
    Dir::create_ambient_dir_all(directory, ambient_authority()).map_err(|source| ArchiveError::Write { source })?;
    let path = directory.join(format!("{}{}", manifest.id(), format.ending()));
    save_archive(manifest, content, format, &path)?;
    Ok(Some(path))
}

/// A file that is not under its name yet, and is removed unless it comes to be.
struct Draft<'a> {
    dir: &'a OwnedFd,
    name: CString,
    file: File,
}

impl<'a> Draft<'a> {
    fn make(dir: &'a OwnedFd) -> std::io::Result<Self> {
        let name = format!(".bailiwick-{:016x}.part", u64::from_ne_bytes(at::random()?));
        let name = CString::new(name).map_err(std::io::Error::other)?;
        let flags = OFlags::WRONLY | OFlags::CREATE | OFlags::EXCL | OFlags::NOFOLLOW | OFlags::CLOEXEC;
        // As readable as any file that this user makes.
        let file = rustix::fs::openat(dir, &name, flags, Mode::from_raw_mode(0o666))?;
        Ok(Self { dir, name, file: File::from(file) })
    }

    fn publish(self, name: &CString) -> std::io::Result<()> {
        rustix::fs::renameat(self.dir, &self.name, self.dir, name)?;
        // The name as well outlives a crash.
        rustix::fs::fsync(self.dir)?;
        Ok(())
    }
}

impl Drop for Draft<'_> {
    fn drop(&mut self) {
        // Once it has its own name, there is none of this one.
        let _ = rustix::fs::unlinkat(self.dir, &self.name, AtFlags::empty());
    }
}
