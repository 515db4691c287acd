//! Which path of the guest each of its descriptors is, and the inode that follows from it.

use std::collections::HashMap;

use wasmtime_wasi::p1::WasiP1Ctx;
use wasmtime_wasi::p1::wasi_snapshot_preview1::{fd_prestat_dir_name, fd_prestat_get};
use wiggle::GuestMemory;

/// The first descriptor that may be a preopen.
const FIRST: i32 = 3;
/// The longest path of a preopen, in bytes.
const LONGEST: usize = 4096;

/// The absolute paths of a guest's open descriptors.
#[derive(Debug, Default)]
pub(super) struct Paths {
    open: HashMap<i32, String>,
}

impl Paths {
    /// Names the preopens; `/` is the directory that the command starts in, under both of its names.
    pub(super) fn of_preopens(wasi: &mut WasiP1Ctx, cwd: &str) -> Self {
        let mut open = HashMap::new();
        for fd in FIRST.. {
            let Some(path) = preopen(wasi, fd) else { break };
            let path = if path == "/" { cwd.to_owned() } else { path };
            open.insert(fd, join("/", &path));
        }
        Self { open }
    }

    pub(super) fn get(&self, fd: i32) -> &str {
        self.open.get(&fd).map_or("", String::as_str)
    }

    /// Notes that a path below a directory is a descriptor now.
    pub(super) fn opened(&mut self, dir: i32, path: &str, fd: i32) {
        let path = join(self.get(dir), path);
        self.open.insert(fd, path);
    }

    pub(super) fn closed(&mut self, fd: i32) {
        self.open.remove(&fd);
    }

    pub(super) fn renumbered(&mut self, from: i32, to: i32) {
        if let Some(path) = self.open.remove(&from) {
            self.open.insert(to, path);
        }
    }
}

/// Gives the path of a preopen, as the guest would ask for it.
fn preopen(wasi: &mut WasiP1Ctx, fd: i32) -> Option<String> {
    let mut answer = [0; 8];
    let got = fd_prestat_get(wasi, &mut GuestMemory::Unshared(&mut answer), fd, 0);
    got.ok().filter(|errno| *errno == 0)?;
    let len = answer.last_chunk().copied().map(u32::from_le_bytes).and_then(|len| usize::try_from(len).ok())?;
    let mut name = vec![0; len.min(LONGEST)];
    let bytes = i32::try_from(name.len()).ok()?;
    let got = fd_prestat_dir_name(wasi, &mut GuestMemory::Unshared(&mut name), fd, 0, bytes);
    got.ok().filter(|errno| *errno == 0)?;
    String::from_utf8(name).ok()
}

/// Puts a path below a directory, in its only spelling; symlinks are not looked at.
pub(super) fn join(dir: &str, path: &str) -> String {
    let mut parts: Vec<&str> = Vec::new();
    for part in dir.split('/').chain(path.split('/')) {
        match part {
            "" | "." => {}
            ".." => drop(parts.pop()),
            part => parts.push(part),
        }
    }
    format!("/{}", parts.join("/"))
}

/// Gives the inode of a path: 64 bits of its hash.
pub(super) fn inode(path: &str) -> u64 {
    let hash = blake3::hash(path.as_bytes());
    hash.as_bytes().first_chunk().copied().map(u64::from_le_bytes).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_has_one_spelling() {
        for path in ["a/b", "./a//b/", "a/c/../b", "a/./b"] {
            assert_eq!(join("/workspace", path), "/workspace/a/b");
        }
        assert_eq!(join("/", "../.."), "/");
        assert_ne!(inode("/a"), inode("/b"));
    }
}
