//! Writing into the catalogue: whole files, trees without links.

use std::io::{Read, Write};
use std::os::unix::fs::DirBuilderExt;
use std::path::Path;

use cap_std::ambient_authority;
use cap_std::fs::{Dir, OpenOptions, OpenOptionsExt};

use super::error::{CatalogueError, io};

/// The largest file that is copied, and the most of them: what comes with a program is small.
const MAX_FILE: u64 = 512 << 20;
const MAX_FILES: usize = 20_000;

/// Makes a directory with its parents, and opens it.
pub(super) fn make_dir(path: &Path) -> Result<Dir, CatalogueError> {
    std::fs::DirBuilder::new().recursive(true).mode(0o755).create(path).map_err(io("make", path))?;
    Dir::open_ambient_dir(path, ambient_authority()).map_err(io("open", path))
}

/// Writes a file so that nobody sees half of it.
pub(super) fn write_whole(dir: &Dir, name: &str, bytes: &[u8]) -> std::io::Result<()> {
    let draft = format!(".{name}.{}", std::process::id());
    let mut options = OpenOptions::new();
    options.write(true).create(true).truncate(true).mode(0o644);
    let mut file = dir.open_with(&draft, &options)?;
    file.write_all(bytes)?;
    file.sync_all()?;
    dir.rename(&draft, dir, name)
}

/// Writes a file at a path below a directory, with the directories above it.
pub(super) fn write_below(dir: &Dir, path: &str, bytes: &[u8]) -> std::io::Result<()> {
    if let Some(parent) = Path::new(path).parent() {
        dir.create_dir_all(parent)?;
    }
    let mut options = OpenOptions::new();
    options.write(true).create_new(true).mode(0o644);
    dir.open_with(path, &options)?.write_all(bytes)
}

/// Copies a file or a tree of the host to a path below a directory. What is neither file nor directory is an error.
pub(super) fn copy_below(from: &Path, dir: &Dir, to: &str) -> std::io::Result<()> {
    let meta = std::fs::symlink_metadata(from)?;
    if meta.is_file() {
        return write_below(dir, to, &read(std::fs::File::open(from)?)?);
    }
    if !meta.is_dir() {
        return Err(std::io::Error::other("neither a file nor a directory"));
    }
    dir.create_dir_all(to)?;
    let mut left = MAX_FILES;
    copy_tree(&Dir::open_ambient_dir(from, ambient_authority())?, &dir.open_dir(to)?, &mut left)
}

fn copy_tree(from: &Dir, to: &Dir, left: &mut usize) -> std::io::Result<()> {
    for entry in from.entries()? {
        let entry = entry?;
        *left = left.checked_sub(1).ok_or_else(|| std::io::Error::other("too many files"))?;
        let (name, kind) = (entry.file_name(), entry.file_type()?);
        if kind.is_dir() {
            to.create_dir(&name)?;
            copy_tree(&entry.open_dir()?, &to.open_dir(&name)?, left)?;
        } else if kind.is_file() {
            let mut options = OpenOptions::new();
            options.write(true).create_new(true).mode(0o644);
            to.open_with(&name, &options)?.write_all(&read(entry.open()?)?)?;
        } else {
            return Err(std::io::Error::other("neither a file nor a directory"));
        }
    }
    Ok(())
}

fn read(file: impl Read) -> std::io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    file.take(MAX_FILE + 1).read_to_end(&mut bytes)?;
    if bytes.len() as u64 > MAX_FILE { Err(std::io::Error::other("too large")) } else { Ok(bytes) }
}

/// Reads a module, and its text form where that is taken.
pub(super) fn read_module(path: &Path) -> Result<Vec<u8>, CatalogueError> {
    let bytes = std::fs::File::open(path).and_then(read).map_err(io("read", path))?;
    let not_a_module = || CatalogueError::NotAModule { path: path.to_owned() };
    #[cfg(feature = "wat")]
    let bytes = wat::parse_bytes(&bytes).map_err(|_| not_a_module())?.into_owned();
    if bytes.starts_with(b"\0asm") { Ok(bytes) } else { Err(not_a_module()) }
}
