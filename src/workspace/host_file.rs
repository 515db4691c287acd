//! Files of the host beside a file that names them: opened below a directory, never waited for.

use std::io;

use cap_std::fs::{Dir, File, OpenOptions, OpenOptionsExt as _};

/// Opens a regular file for reading without waiting for whoever would write into a pipe of that name.
///
/// Links are followed as far as they stay below the directory.
pub(crate) fn open_below(dir: &Dir, path: &str) -> io::Result<File> {
    let nonblock = i32::try_from(rustix::fs::OFlags::NONBLOCK.bits()).unwrap_or_default();
    let file = dir.open_with(path, OpenOptions::new().read(true).custom_flags(nonblock))?;
    if file.metadata()?.is_file() { Ok(file) } else { Err(io::Error::from(io::ErrorKind::InvalidInput)) }
}
