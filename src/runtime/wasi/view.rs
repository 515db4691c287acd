//! What a guest sees: preopened directories, and the rules that keep two of them from hiding each other.
//!
//! C libraries on WASI strip the leading slash of a path before they match it, so `static/x` and `/static/x` are one
//! name; `docs/execution/wasi.md` says what follows.

use std::fs::File;
use std::os::fd::{AsFd, AsRawFd, OwnedFd};

use cap_std::fs::Dir;
use rustix::fs::{Mode, OFlags, openat};
use wasmtime_wasi::filesystem::WasiFilesystemCtx;
use wasmtime_wasi::{FsPerms, WasiCtxBuilder};

use super::config::first_component;
use super::program::ProgramMount;
use crate::runtime::{End, Ending, NotStarted, SolutionRuntimeError};

/// A directory of the host at a path of the guest.
#[derive(Debug)]
pub(super) struct Preopen {
    pub(super) guest: String,
    pub(super) dir: Dir,
    pub(super) writable: bool,
}

/// Every directory that the guests of one runtime see.
pub(super) struct View {
    workdir: String,
    preopens: Vec<Preopen>,
    template: WasiFilesystemCtx,
}

impl View {
    /// Opens a view: the workspace at `/` and at the workdir, then the others.
    pub(super) fn open(workspace: &Dir, workdir: &str, others: Vec<Preopen>) -> Result<Self, SolutionRuntimeError> {
        let again = || workspace.try_clone().map_err(SolutionRuntimeError::host("open the workspace"));
        let at = |guest: &str, dir| Preopen { guest: guest.to_owned(), dir, writable: true };
        let mut preopens = vec![at("/", again()?), at(workdir, again()?)];
        preopens.extend(others);
        let template = template(&preopens, false)?;
        Ok(Self { workdir: workdir.to_owned(), preopens, template })
    }

    pub(super) fn workdir(&self) -> &str {
        &self.workdir
    }

    /// Gives the file system of one command.
    ///
    /// A guest of a C library always starts in `/`, so for another working directory `/` is that directory.
    pub(super) fn file_system(&self, cwd: &str, mounts: &[ProgramMount]) -> Result<WasiFilesystemCtx, CwdError> {
        if cwd == self.workdir && mounts.is_empty() {
            return Ok(self.template.clone());
        }
        template(&self.directories(cwd, mounts)?, false).map_err(CwdError::Host)
    }

    /// Opens the directories of one command anew.
    pub(super) fn directories(&self, cwd: &str, mounts: &[ProgramMount]) -> Result<Vec<Preopen>, CwdError> {
        let again = |dir: &Dir| dir.try_clone().map_err(SolutionRuntimeError::host("open a directory for the guest"));
        let mut root = if cwd == self.workdir { None } else { Some(self.open_dir(cwd).ok_or(CwdError::Missing)?) };
        let mut opened = Vec::new();
        for Preopen { guest, dir, writable } in &self.preopens {
            let root = root.take_if(|_| guest == "/");
            let dir = root.map_or_else(|| again(dir), Ok).map_err(CwdError::Host)?;
            opened.push(Preopen { guest: guest.clone(), dir, writable: *writable });
        }
        for mount in mounts {
            let dir = open_ambient_mount(&mount.host).map_err(CwdError::Host)?;
            let dir = Dir::from_std_file(dir.into());
            opened.push(Preopen { guest: mount.guest.clone(), dir, writable: false });
        }
        Ok(opened)
    }

    /// Opens a regular file as a guest in that directory would see it; `None` when there is none.
    pub(super) fn read_file(&self, path: &str, cwd: &str) -> Option<std::io::Result<File>> {
        let (dir, rest) = self.locate(&self.absolute(path, cwd))?;
        let mut options = cap_std::fs::OpenOptions::new();
        options.read(true);
        // A pipe would block the opening; nothing but a regular file is read.
        cap_std::fs::OpenOptionsExt::custom_flags(&mut options, OFlags::NONBLOCK.bits().cast_signed());
        let file = match dir.open_with(&rest, &options) {
            Ok(file) => file.into_std(),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => return None,
            Err(error) => return Some(Err(error)),
        };
        Some(match file.metadata() {
            Ok(meta) if meta.is_file() => Ok(file),
            Ok(_) => Err(std::io::Error::other("not a regular file")),
            Err(error) => Err(error),
        })
    }

    fn open_dir(&self, path: &str) -> Option<Dir> {
        let (dir, rest) = self.locate(path)?;
        if rest.is_empty() { dir.try_clone().ok() } else { dir.open_dir(rest).ok() }
    }

    /// Gives the absolute form of a path.
    pub(super) fn absolute(&self, path: &str, cwd: &str) -> String {
        if path.starts_with('/') { path.to_owned() } else { format!("{cwd}/{path}") }
    }

    /// Finds the preopen of an absolute path, the longest that fits, and what is left of the path.
    fn locate(&self, path: &str) -> Option<(&Dir, String)> {
        let path = path.trim_end_matches('/');
        let fits = |preopen: &&Preopen| {
            let guest = preopen.guest.trim_end_matches('/');
            path == guest || path.strip_prefix(guest).is_some_and(|rest| rest.starts_with('/'))
        };
        let preopen = self.preopens.iter().filter(fits).max_by_key(|preopen| preopen.guest.len())?;
        let rest = path.strip_prefix(preopen.guest.trim_end_matches('/')).unwrap_or_default();
        let rest = rest.trim_start_matches('/').trim_start_matches("./");
        Some((&preopen.dir, rest.to_owned()))
    }
}

/// Why a command has no file system.
pub(super) enum CwdError {
    /// The working directory is not there.
    Missing,
    /// The host failed.
    Host(SolutionRuntimeError),
}

impl CwdError {
    /// Gives the ending of a guest that would have begun there.
    pub(super) fn ending(self, cwd: &str) -> Ending {
        match self {
            Self::Missing => Ending::not_started(
                NotStarted::Missing,
                format!("there is no directory `{cwd}` in what the guest sees"),
            ),
            Self::Host(error) => Ending::new(End::Failed(error)),
        }
    }
}

/// Makes the file system of a guest of its directories; `may_block` says whether any of its calls may hold the thread.
pub(super) fn template(preopens: &[Preopen], may_block: bool) -> Result<WasiFilesystemCtx, SolutionRuntimeError> {
    let mut builder = WasiCtxBuilder::new();
    // Directories remember this flag: file calls stay on the calling thread, a hop costs more than most of them.
    builder.allow_blocking_current_thread(true);
    for preopen in preopens {
        let perms = if preopen.writable { FsPerms::ReadWrite } else { FsPerms::ReadOnly };
        add(&mut builder, preopen.dir.as_fd().as_raw_fd(), &preopen.guest, perms)?;
    }
    // The context does not where others work on the thread: a sleeping guest must not hold it.
    builder.allow_blocking_current_thread(may_block);
    Ok(builder.build().filesystem().clone())
}

fn add(
    builder: &mut WasiCtxBuilder,
    descriptor: std::os::fd::RawFd,
    guest: &str,
    perms: FsPerms,
) -> Result<(), SolutionRuntimeError> {
    // The library takes paths only; this one names a descriptor that is held open here.
    let path = format!("/proc/self/fd/{descriptor}");
    builder.preopened_dir(path, guest, perms).map_err(super::engine::failed("open a directory for the guest"))?;
    Ok(())
}

/// Opens a directory of the host that was granted by path.
pub(super) fn open_ambient_mount(host: &str) -> Result<OwnedFd, SolutionRuntimeError> {
    let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC;
    openat(rustix::fs::CWD, host, flags, Mode::empty())
        .map_err(|error| SolutionRuntimeError::host("open a mounted directory")(error.into()))
}

/// Names the top-level entries of a workspace that a preopen would hide.
pub(super) fn hidden<'a>(workspace: &Dir, preopens: impl IntoIterator<Item = &'a str>) -> Vec<String> {
    let mut names: Vec<String> = preopens.into_iter().map(|guest| first_component(guest).to_owned()).collect();
    names.sort();
    names.dedup();
    names.retain(|name| !name.is_empty() && workspace.symlink_metadata(name).is_ok());
    names
}
