//! Copies files and trees between two directories, by descriptor, with modes of our own.

use std::io;
use std::path::{Component, Path};

use cap_std::fs::{Dir, DirBuilder, DirBuilderExt as _, File, OpenOptions, OpenOptionsExt as _, PermissionsExt as _};
use rustix::fs::Mode;

use super::AssetError;
use super::resolve::{failed, open_file};

/// How deep a directory asset may be nested.
pub(super) const MAX_DEPTH: usize = 128;

/// Whose copy it is, which decides the modes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Modes {
    /// Nobody writes: 0444 and 0555.
    ReadOnly,
    /// Its owner writes: 0644 and 0755.
    Writable,
}

impl Modes {
    /// Gives the mode of a file; one that could be executed still can be.
    fn file(self, executable: bool) -> Mode {
        Mode::from_raw_mode(match (self, executable) {
            (Self::ReadOnly, false) => 0o444,
            (Self::ReadOnly, true) => 0o555,
            (Self::Writable, false) => 0o644,
            (Self::Writable, true) => 0o755,
        })
    }

    pub(super) fn dir(self) -> Mode {
        Mode::from_raw_mode(match self {
            Self::ReadOnly => 0o555,
            Self::Writable => 0o755,
        })
    }
}

/// One asset being copied, for errors to name.
#[derive(Clone, Copy, Debug)]
pub(super) struct Copy<'a> {
    pub(super) name: &'a str,
    pub(super) modes: Modes,
}

impl Copy<'_> {
    /// Copies one open file to a new name; content is shared where the file system can, linked never.
    pub(super) fn file(self, from: File, to: &Dir, name: &str, path: &str) -> Result<(), AssetError> {
        let io = |error| failed("copy", self.name, path, error);
        let executable = from.metadata().map_err(io)?.permissions().mode() & 0o100 != 0;
        let options = OpenOptions::new().write(true).create_new(true).mode(0o600).clone();
        let to = to.open_with(name, &options).map_err(io)?;
        let (mut from, mut to) = (from.into_std(), to.into_std());
        if rustix::fs::ioctl_ficlone(&to, &from).is_err() {
            io::copy(&mut from, &mut to).map_err(io)?;
        }
        rustix::fs::fchmod(&to, self.modes.file(executable)).map_err(|error| io(error.into()))
    }

    /// Copies what is below a directory into another, which exists and is empty.
    pub(super) fn tree(self, from: &Dir, to: &Dir, path: &str, depth: usize) -> Result<(), AssetError> {
        if depth > MAX_DEPTH {
            return Err(AssetError::Depth { name: self.name.to_owned(), path: path.to_owned() });
        }
        for entry in from.entries().map_err(|error| failed("read", self.name, path, error))? {
            let entry = entry.map_err(|error| failed("read", self.name, path, error))?;
            let name = entry.file_name();
            let Some(name) = name.to_str() else {
                let lossy = format!("{path}/{}", name.to_string_lossy().escape_debug());
                let error = io::Error::new(io::ErrorKind::InvalidData, "the name is not UTF-8");
                return Err(AssetError::io("copy", self.name, &lossy, error));
            };
            let inner = format!("{path}/{name}");
            let io = |error| failed("copy", self.name, &inner, error);
            let ty = entry.file_type().map_err(io)?;
            if ty.is_symlink() {
                self.link(from, to, name, &inner, depth)?;
            } else if ty.is_dir() {
                let below = from.open_dir(name).map_err(io)?;
                let made = make_dir(to, name).map_err(io)?;
                self.tree(&below, &made, &inner, depth + 1)?;
                set_mode(&made, self.modes.dir()).map_err(io)?;
            } else if ty.is_file() {
                self.file(open_file(from, name).map_err(io)?, to, name, &inner)?;
            } else {
                return Err(AssetError::Special { name: self.name.to_owned(), path: inner });
            }
        }
        Ok(())
    }

    fn link(self, from: &Dir, to: &Dir, name: &str, path: &str, depth: usize) -> Result<(), AssetError> {
        let io = |error| failed("copy", self.name, path, error);
        let target = from.read_link_contents(name).map_err(io)?;
        if !stays_inside(&target, depth) {
            let target = target.to_string_lossy().into_owned();
            return Err(AssetError::Link { name: self.name.to_owned(), path: path.to_owned(), target });
        }
        to.symlink_contents(&target, name).map_err(io)
    }
}

/// Makes a directory that only we can use until it is filled, and opens it.
pub(super) fn make_dir(parent: &Dir, name: &str) -> io::Result<Dir> {
    let mut builder = DirBuilder::new();
    builder.mode(0o700);
    parent.create_dir_with(name, &builder)?;
    parent.open_dir(name)
}

/// Changes the mode of an open directory; its descriptor may be one that only names it.
pub(super) fn set_mode(dir: &Dir, mode: Mode) -> io::Result<()> {
    Ok(rustix::fs::chmodat(dir, ".", mode, rustix::fs::AtFlags::empty())?)
}

/// Says whether a link can lead nowhere but below the root of its tree.
///
/// `..` may stand only at the beginning, as often as the link is deep: behind a name, which may be
/// a link itself, it could climb out of wherever that leads.
fn stays_inside(target: &Path, depth: usize) -> bool {
    let mut up = 0;
    let mut named = false;
    for component in target.components() {
        match component {
            Component::ParentDir if named => return false,
            Component::ParentDir => up += 1,
            Component::CurDir => {}
            Component::Normal(_) => named = true,
            Component::RootDir | Component::Prefix(_) => return false,
        }
    }
    up <= depth && target != Path::new("")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn links_stay_below_their_root() {
        for (target, depth) in [("a", 0), ("a/b", 0), ("./a", 0), ("../a", 1), ("../../a/b", 2), ("..", 1)] {
            assert!(stays_inside(Path::new(target), depth), "{target}");
        }
        for (target, depth) in [("/a", 9), ("..", 0), ("../a", 0), ("a/..", 9), ("a/../b", 9), ("../../a", 1), ("", 0)]
        {
            assert!(!stays_inside(Path::new(target), depth), "{target}");
        }
    }
}
