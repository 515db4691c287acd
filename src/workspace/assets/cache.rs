//! Files of urls, kept by their digest.

use std::io::{self, Read as _, Seek as _, Write as _};
use std::path::Path;
use std::sync::Arc;

use cap_std::ambient_authority;
use cap_std::fs::{Dir, DirBuilder, DirBuilderExt as _, OpenOptions, OpenOptionsExt as _};

use super::digest;
use crate::workspace::at;
use crate::workspace::cache_use::{DRAFT, touch};
use crate::workspace::host_file::open_below;

/// The folder of the cache that holds them, each under its digest.
pub(crate) const FOLDER: &str = "assets";

/// Opens the folder, making it; only this user can enter it.
pub(super) fn open(cache: &Path) -> io::Result<Dir> {
    Dir::create_ambient_dir_all(cache, ambient_authority())?;
    let cache = Dir::open_ambient_dir(cache, ambient_authority())?;
    let mut builder = DirBuilder::new();
    builder.mode(0o700);
    match cache.create_dir_with(FOLDER, &builder) {
        Err(error) if error.kind() != io::ErrorKind::AlreadyExists => Err(error),
        Ok(()) | Err(_) => cache.open_dir(FOLDER),
    }
}

/// Says whether a file of the digest is there; one that was changed is removed.
pub(super) fn holds(folder: &Dir, sha256: &str) -> io::Result<bool> {
    let mut file = match open_below(folder, sha256) {
        Ok(file) => file,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(false),
        Err(error) => return Err(error),
    };
    if digest::of(&mut file)? == sha256 {
        touch(&file);
        return Ok(true);
    }
    folder.remove_file(sha256)?;
    Ok(false)
}

/// Keeps a copy of a file under its digest: whole or not at all, whoever else does so at once. Gives the folder.
pub(super) fn keep(folder: Dir, from: &mut cap_std::fs::File, sha256: &str) -> io::Result<Arc<Dir>> {
    let draft = format!("{DRAFT}{:016x}", u64::from_le_bytes(at::random()?));
    let options = OpenOptions::new().read(true).write(true).create_new(true).mode(0o400).clone();
    let copied = (|| {
        let mut to = folder.open_with(&draft, &options)?;
        from.rewind()?;
        let mut buffer = vec![0; 128 << 10];
        loop {
            let read = from.read(&mut buffer)?;
            if read == 0 {
                break;
            }
            to.write_all(&buffer[..read])?;
        }
        to.rewind()?;
        // The copy is what is used, so the copy is what is hashed.
        if digest::of(&mut to)? != sha256 {
            return Err(io::Error::new(io::ErrorKind::InvalidData, "it changed while it was copied"));
        }
        folder.rename(&draft, &folder, sha256)
    })();
    if copied.is_err() {
        // Half a file is of no use; the failure before counts.
        let _ = folder.remove_file(&draft);
    }
    copied.map(|()| Arc::new(folder))
}
