//! What of the host a container sees: keyed by the guest's path, a later one in place of an earlier one.

use std::collections::BTreeMap;
use std::os::unix::fs::FileTypeExt as _;
use std::path::{Path, PathBuf};

use bollard::models::{Mount, MountType};

use super::{DockerConfig, DockerError};
use crate::runtime;
use crate::workspace::{Workspace, WorkspacePath};

/// Where a guest finds the staged assets.
pub(super) const STATIC_ROOT: &str = "/static";

/// Places of a host that no guest is shown, nor anything above or below them.
const CLOSED: [&str; 7] = ["/proc", "/sys", "/dev", "/run", "/var/run", "/boot", "/etc"];

/// Where a mount leads to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Source {
    /// The workspace itself.
    Workspace,
    /// A path within the workspace, which is looked at again before every start.
    Within(WorkspacePath),
    /// A path of the host, in its only spelling.
    Host(PathBuf),
    /// The staged assets.
    Assets(PathBuf),
}

/// One path of the host that the guest sees.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Bind {
    pub(super) source: Source,
    pub(super) writable: bool,
}

/// Everything of the host that a container sees, by the guest's path.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Mounts {
    binds: BTreeMap<String, Bind>,
}

/// What decides over mounts.
#[derive(Debug)]
pub(super) struct Asked<'a> {
    pub(super) config: &'a DockerConfig,
    pub(super) mount_workspace: bool,
    pub(super) spawn: &'a [runtime::Mount],
    /// Where the staged assets are on the host.
    pub(super) assets: Option<PathBuf>,
    /// Places of the engine: its own files, its socket.
    pub(super) closed: Vec<PathBuf>,
}

impl Mounts {
    /// Puts together what was asked for: the workspace, the spec's mounts, the spawn's, the assets.
    ///
    /// # Errors
    /// A path that no guest is shown, or that is not there, and a guest's path that hides the workspace.
    pub(super) fn of(asked: &Asked<'_>) -> Result<Self, DockerError> {
        let mut mounts = Self::default();
        let workdir = asked.config.workdir.as_str();
        if asked.mount_workspace {
            mounts.binds.insert(workdir.to_owned(), Bind { source: Source::Workspace, writable: true });
        }
        for (host, extra) in &asked.config.extra_mounts {
            let source = asked.source(host)?;
            mounts.add(extra.target(), Bind { source, writable: extra.is_writable() }, workdir)?;
        }
        for mount in asked.spawn {
            let source = Source::Host(asked.allowed(&mount.host)?);
            mounts.add(&mount.guest, Bind { source, writable: mount.writable }, workdir)?;
        }
        if let Some(path) = &asked.assets {
            mounts.add(STATIC_ROOT, Bind { source: Source::Assets(path.clone()), writable: false }, workdir)?;
        }
        Ok(mounts)
    }

    fn add(&mut self, target: &str, bind: Bind, workdir: &str) -> Result<(), DockerError> {
        let refused = |why| DockerError::Mount { path: target.to_owned(), why };
        if !is_guest_path(target) {
            return Err(refused("it is no absolute path of the guest in its only spelling"));
        }
        if is_at_or_below(workdir, target) {
            return Err(refused("it would hide the workspace"));
        }
        if ["/proc", "/sys", "/dev"].into_iter().any(|own| is_at_or_below(target, own)) {
            return Err(refused("the engine's own file system is there"));
        }
        self.binds.insert(target.to_owned(), bind);
        Ok(())
    }

    /// Says whether a path of the guest lies in one of the mounts, and not in the workspace.
    pub(super) fn covers(&self, path: &str) -> bool {
        let below = |(target, bind): (&String, &Bind)| bind.source != Source::Workspace && is_at_or_below(path, target);
        self.binds.iter().any(below)
    }

    /// Gives the mounts as the engine takes them, after a look that each source is still what it was.
    ///
    /// # Errors
    /// A source that went away or became a link.
    pub(super) fn for_engine(&self, workspace: &Workspace) -> Result<Vec<Mount>, DockerError> {
        self.binds.iter().map(|(target, bind)| mount(target, bind, workspace)).collect()
    }
}

fn mount(target: &str, bind: &Bind, workspace: &Workspace) -> Result<Mount, DockerError> {
    let refused = |why| DockerError::Mount { path: target.to_owned(), why };
    let root = || workspace.open_ambient_path().ok_or(refused("the workspace has no path on the host"));
    let source = match &bind.source {
        Source::Workspace => {
            let path = root()?.to_owned();
            is_same(workspace, &path).then_some(path).ok_or(refused("the workspace is not at its path any more"))?
        }
        Source::Within(path) => {
            if !workspace.has_plainly(path) {
                return Err(refused("there is no such path in the workspace, or it is a link"));
            }
            root()?.join(path.as_path())
        }
        Source::Host(path) | Source::Assets(path) => path.clone(),
    };
    let source = source.to_str().ok_or(refused("its path on the host is not UTF-8"))?;
    Ok(Mount {
        target: Some(target.to_owned()),
        source: Some(source.to_owned()),
        typ: Some(MountType::BIND),
        read_only: Some(!bind.writable),
        ..Mount::default()
    })
}

/// Compares what a path leads to with what is open.
fn is_same(workspace: &Workspace, path: &Path) -> bool {
    let open = rustix::fs::fstat(workspace.dir());
    let named = rustix::fs::lstat(path);
    matches!((open, named), (Ok(open), Ok(named)) if (open.st_dev, open.st_ino) == (named.st_dev, named.st_ino))
}

impl Asked<'_> {
    /// Reads the host's side of a mount of the spec: absolute, or within the workspace.
    fn source(&self, host: &str) -> Result<Source, DockerError> {
        if host.starts_with('/') {
            return Ok(Source::Host(self.allowed(Path::new(host))?));
        }
        let why = "it is neither absolute nor a path within the workspace";
        WorkspacePath::new(host).map(Source::Within).map_err(|_| DockerError::Mount { path: host.to_owned(), why })
    }

    /// Finds the one spelling of a path of the host, and refuses what no guest is shown.
    fn allowed(&self, path: &Path) -> Result<PathBuf, DockerError> {
        let refused = |why| DockerError::Mount { path: path.display().to_string(), why };
        if !path.is_absolute() {
            return Err(refused("it is not absolute"));
        }
        let real = std::fs::canonicalize(path).map_err(|_| refused("there is no such path"))?;
        let kind = std::fs::symlink_metadata(&real).map_err(|_| refused("there is no such path"))?.file_type();
        if kind.is_socket() || kind.is_block_device() || kind.is_char_device() || kind.is_fifo() {
            return Err(refused("it is neither a file nor a directory"));
        }
        let closed = CLOSED.iter().map(PathBuf::from).chain(self.closed.iter().cloned());
        let touches = |closed: PathBuf| {
            let closed = std::fs::canonicalize(&closed).unwrap_or(closed);
            real.starts_with(&closed) || closed.starts_with(&real)
        };
        if closed.into_iter().any(touches) {
            return Err(refused("it shows the host's system or the engine itself"));
        }
        Ok(real)
    }
}

/// Says whether a text is an absolute path in its only spelling.
pub(super) fn is_guest_path(path: &str) -> bool {
    path.strip_prefix('/').is_some_and(|rest| {
        rest.split('/').all(|part| !part.is_empty() && part != "." && part != ".." && !part.contains('\0'))
    })
}

/// Compares by components: `/workspace2` is not below `/workspace`.
pub(super) fn is_at_or_below(path: &str, top: &str) -> bool {
    Path::new(path).starts_with(top)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_are_compared_by_components() {
        assert!(is_at_or_below("/workspace/a", "/workspace") && is_at_or_below("/workspace", "/workspace"));
        assert!(!is_at_or_below("/workspace2", "/workspace"));
        assert!(is_guest_path("/a/b") && !is_guest_path("/a/../b") && !is_guest_path("a") && !is_guest_path("/"));
    }

    #[test]
    fn a_later_mount_replaces_an_earlier_one_and_none_hides_the_workspace() {
        let bind = |path: &str| Bind { source: Source::Host(path.into()), writable: false };
        let mut mounts = Mounts::default();
        mounts.add("/data", bind("/one"), "/workspace").unwrap();
        mounts.add("/data", bind("/two"), "/workspace").unwrap();
        assert_eq!(mounts.binds["/data"], bind("/two"));
        mounts.add("/workspace2", bind("/one"), "/workspace").unwrap();
        mounts.add("/workspace/vendor", bind("/one"), "/workspace").unwrap();
        for hiding in ["/workspace", "/proc", "/dev/shm", "/a/../b", "relative"] {
            assert!(mounts.add(hiding, bind("/one"), "/workspace").is_err(), "{hiding}");
        }
        assert!(mounts.add("/a", bind("/one"), "/a/b").is_err());
    }
}
