//! Where workspaces live: detached memory file systems, or a directory of the host.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use cap_std::ambient_authority;
use cap_std::fs::Dir;
use rustix::fs::StatVfsMountFlags;

use super::memory::{self, MemoryGuard, Room};
use super::{WorkspaceError, available};
use crate::host::Host;
use crate::spec::ByteSize;

/// What a runtime needs of the place of its workspaces.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BaseNeed {
    /// A descriptor is enough: a size-limited memory file system where one can be made.
    Detached,
    /// A directory with a path, on which files can be executed.
    Directory,
}

/// Where workspaces live, chosen once for a kind of runtime.
#[derive(Clone, Debug)]
pub struct Base {
    memory: Option<Arc<MemoryGuard>>,
    /// Why there is no memory file system, when one was wanted.
    no_memory: Option<&'static str>,
    directory: Arc<BaseDirectory>,
}

/// A directory of the host that holds workspaces.
#[derive(Debug)]
pub(crate) struct BaseDirectory {
    pub(crate) path: PathBuf,
    pub(crate) dir: Dir,
}

impl Base {
    /// Chooses the place: the host's base directory when one is set, else what the need asks for, else the temp directory.
    ///
    /// A memory file system is used when this process may make one; all of them together take at most half of
    /// the memory that it may use, its cgroup counted. A workspace that does not fit goes to the directory.
    ///
    /// # Errors
    ///
    /// When the directory cannot be opened, or is mounted `noexec` and files are to be executed in it.
    pub fn choose(host: &Host, need: BaseNeed) -> Result<Self, WorkspaceError> {
        let path = directory_path(host);
        let dir = Dir::open_ambient_dir(path, ambient_authority())
            .map_err(|source| WorkspaceError::Base { path: path.to_owned(), source })?;
        let (memory, no_memory) = match (&host.dirs.base, need) {
            (Some(_), BaseNeed::Detached | BaseNeed::Directory) => (None, Some("a base directory is set")),
            (None, BaseNeed::Directory) => (None, None),
            (None, BaseNeed::Detached) => probe_memory(),
        };
        if need == BaseNeed::Directory && is_noexec(&dir) {
            return Err(WorkspaceError::NoExec { path: path.to_owned() });
        }
        Ok(Self { memory, no_memory, directory: Arc::new(BaseDirectory { path: path.to_owned(), dir }) })
    }

    /// Says in one line where workspaces live and why, for `doctor`.
    pub fn describe(&self) -> String {
        let path = self.directory.path.display();
        match (&self.memory, self.no_memory) {
            (Some(guard), _) => {
                let most = ByteSize(guard.most() >> 20 << 20);
                format!("size-limited memory file systems, {most} in all; beyond that {path}")
            }
            (None, Some(reason)) => format!("{path} (no memory file system: {reason})"),
            (None, None) => path.to_string(),
        }
    }

    /// Says whether a workspace with a disk limit gets a memory file system that holds it, as far as there is room.
    pub fn holds_quota(&self) -> bool {
        self.memory.is_some()
    }

    pub(crate) fn memory(&self) -> Option<&Arc<MemoryGuard>> {
        self.memory.as_ref()
    }

    pub(crate) fn directory(&self) -> &Arc<BaseDirectory> {
        &self.directory
    }
}

/// Gives the directory that workspaces of this host go to.
pub(crate) fn directory_path(host: &Host) -> &Path {
    host.dirs.base.as_deref().or(host.dirs.temp.as_deref()).unwrap_or(Path::new("/tmp"))
}

fn probe_memory() -> (Option<Arc<MemoryGuard>>, Option<&'static str>) {
    match memory::mount(Room { bytes: memory::PAGE, entries: 1 }) {
        Ok(_) => (Some(MemoryGuard::new(available::memory() / 2)), None),
        Err(_) => (None, Some("this process may not mount one")),
    }
}

fn is_noexec(dir: &Dir) -> bool {
    rustix::fs::fstatvfs(dir).is_ok_and(|found| found.f_flag.contains(StatVfsMountFlags::NOEXEC))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn host(base: Option<&Path>) -> Host {
        let mut host = Host::default();
        host.dirs.base = base.map(Path::to_owned);
        host
    }

    #[test]
    fn a_base_of_the_callers_is_always_a_directory() {
        let temp = tempfile::tempdir().unwrap();
        for need in [BaseNeed::Detached, BaseNeed::Directory] {
            let base = Base::choose(&host(Some(temp.path())), need).unwrap();
            assert!(!base.holds_quota());
            assert!(base.describe().starts_with(&temp.path().display().to_string()));
        }
    }

    #[test]
    fn a_base_that_is_not_there_is_named() {
        let error = Base::choose(&host(Some(Path::new("/nowhere/at/all"))), BaseNeed::Directory).unwrap_err();
        assert_eq!(error.to_string(), "the base directory /nowhere/at/all cannot be used");
        let error = crate::ExecutionError::from(error);
        assert_eq!(error.hint(), Some("make the directory first, or choose another one"));
    }

    #[test]
    fn nothing_is_executed_on_a_noexec_mount() {
        let base = Base::choose(&host(Some(Path::new("/proc"))), BaseNeed::Detached).unwrap();
        if is_noexec(&base.directory().dir) {
            let error = Base::choose(&host(Some(Path::new("/proc"))), BaseNeed::Directory).unwrap_err();
            assert!(matches!(error, WorkspaceError::NoExec { .. }), "{error}");
        }
    }
}
