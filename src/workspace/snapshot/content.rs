//! Where the content of a manifest's files is read from.

use std::ffi::CString;
use std::fs::File;
use std::io::{self, Read};
use std::os::fd::AsFd;

use cap_std::fs::Dir;
use rustix::fs::OFlags;
use rustix::io::Errno;

use super::super::at::{self, Kind};
use super::super::stack::DirStack;
use super::super::walk;
use super::super::{WorkspaceError, WorkspacePath};

/// How much of a file is read at once.
const BUFFER: u64 = 64 * 1024;

/// What holds the content of the files of a manifest: the tree itself, or a store of blobs.
///
/// Whoever reads takes no more than `size` bytes and checks them against `hash`, so a source need not.
pub trait ContentSource {
    /// Opens a file of the manifest, to be read from its beginning; by its path, or by its hash.
    ///
    /// # Errors
    ///
    /// [`WorkspaceError::Changing`] when it is not there any more, others when the host cannot read it.
    fn open(&self, path: &WorkspacePath, size: u64, hash: &[u8; 32]) -> Result<Box<dyn Read + '_>, WorkspaceError>;
}

/// Reads a tree by the paths of its manifest, no link followed.
impl ContentSource for Dir {
    fn open(&self, path: &WorkspacePath, _: u64, _: &[u8; 32]) -> Result<Box<dyn Read + '_>, WorkspaceError> {
        let opened = match at::open_path(self.as_fd(), path, OFlags::RDONLY) {
            Err(Errno::ACCESS) => open_forced(self, path),
            opened => opened,
        };
        let file = match opened {
            Ok(file) => file,
            Err(error) if walk::is_gone(error) => return Err(changing(path)),
            Err(error) => return Err(WorkspaceError::io("open", path.as_bytes(), error)),
        };
        let meta = at::meta(&file).map_err(|e| WorkspaceError::io("look at", path.as_bytes(), e))?;
        if meta.kind != Kind::File {
            return Err(changing(path));
        }
        Ok(Box::new(File::from(file)))
    }
}

/// Opens a file whose owner may not read it, or not the directories above it; all keep their permissions.
fn open_forced(root: &Dir, path: &WorkspacePath) -> Result<std::os::fd::OwnedFd, Errno> {
    let mut stack = DirStack::new(root.as_fd())?;
    let mut components = path.components().peekable();
    while let Some(component) = components.next() {
        let name = CString::new(component.as_encoded_bytes()).map_err(|_| Errno::INVAL)?;
        if components.peek().is_some() {
            stack.enter(&name)?;
            continue;
        }
        let (file, before) = at::open_forced(stack.top(), &name, 0o400)?;
        rustix::fs::fchmod(&file, rustix::fs::Mode::from_raw_mode(before.mode))?;
        return Ok(file);
    }
    Err(Errno::INVAL)
}

fn changing(path: &WorkspacePath) -> WorkspaceError {
    WorkspaceError::Changing { path: path.to_string() }
}

/// Hands out the content of a file, piece by piece, and checks in the end that it was the whole of it and nothing else.
pub(crate) fn each_piece(
    source: &dyn ContentSource,
    path: &WorkspacePath,
    size: u64,
    hash: &[u8; 32],
    take: &mut dyn FnMut(&[u8]) -> Result<(), WorkspaceError>,
) -> Result<(), WorkspaceError> {
    let failed = |error: io::Error| WorkspaceError::io("read", path.as_bytes(), error);
    let mut reader = source.open(path, size, hash)?;
    let mut hasher = blake3::Hasher::new();
    let mut buffer = vec![0; usize::try_from(BUFFER.min(size.max(1))).unwrap_or(1)];
    let mut left = size;
    while left > 0 {
        let step = usize::try_from(left.min(BUFFER)).unwrap_or(buffer.len()).min(buffer.len());
        let read = match reader.read(&mut buffer[..step]) {
            Ok(0) => return Err(changing(path)),
            Ok(read) => read,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
            Err(error) => return Err(failed(error)),
        };
        hasher.update(&buffer[..read]);
        take(&buffer[..read])?;
        left -= read as u64;
    }
    if hasher.finalize().as_bytes() == hash { Ok(()) } else { Err(changing(path)) }
}

/// Reads the whole content of a file; the caller has looked at its size.
pub(crate) fn read_whole(
    source: &dyn ContentSource,
    path: &WorkspacePath,
    size: u64,
    hash: &[u8; 32],
) -> Result<Vec<u8>, WorkspaceError> {
    let mut whole = Vec::with_capacity(usize::try_from(size).unwrap_or(0));
    each_piece(source, path, size, hash, &mut |piece| {
        whole.extend_from_slice(piece);
        Ok(())
    })?;
    Ok(whole)
}

#[cfg(test)]
mod tests {
    use super::*;
    use cap_std::ambient_authority;

    fn dir() -> (tempfile::TempDir, Dir) {
        let temp = tempfile::tempdir().unwrap();
        let dir = Dir::open_ambient_dir(temp.path(), ambient_authority()).unwrap();
        (temp, dir)
    }

    #[test]
    fn a_file_is_read_whole_and_only_as_it_was() {
        let (_temp, dir) = dir();
        dir.create_dir("a").unwrap();
        dir.write("a/b", vec![7; 200_000]).unwrap();
        let path = WorkspacePath::new("a/b").unwrap();
        let hash = *blake3::hash(&vec![7; 200_000]).as_bytes();
        assert_eq!(read_whole(&dir, &path, 200_000, &hash).unwrap(), vec![7; 200_000]);
        for (size, hash) in [(200_001, hash), (199_999, hash), (200_000, [0; 32])] {
            let error = read_whole(&dir, &path, size, &hash).unwrap_err();
            assert!(matches!(error, WorkspaceError::Changing { .. }), "{error}");
        }
    }

    #[test]
    fn a_file_that_became_a_link_or_a_directory_has_changed() {
        let (_temp, dir) = dir();
        dir.create_dir("d").unwrap();
        rustix::fs::symlinkat("/etc/passwd", &dir, "l").unwrap();
        rustix::fs::mknodat(&dir, "p", rustix::fs::FileType::Fifo, rustix::fs::Mode::from_raw_mode(0o600), 0).unwrap();
        for name in ["d", "l", "p", "l/x", "none"] {
            let error = read_whole(&dir, &WorkspacePath::new(name).unwrap(), 1, &[0; 32]).unwrap_err();
            assert!(matches!(error, WorkspaceError::Changing { .. }), "{name}: {error}");
        }
    }
}
