//! What no guest may reach: a file beside the workspaces, and a socket that listens on this host.

use std::io;
use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::path::PathBuf;

use rustix::fs::Mode;

use crate::error::{ErrorKind, ExecutionError};
use crate::runtime::RuntimeRegistry;
use crate::workspace::{BaseNeed, Quota, Workspace, random};

const FILE: &str = "canary";

/// Gives a text that is nowhere else.
pub(super) fn token() -> io::Result<String> {
    Ok(format!("canary-{:032x}", u128::from_ne_bytes(random()?)))
}

/// The planted things, for one check. Dropping it removes them.
#[derive(Debug)]
pub(super) struct Canary {
    home: Workspace,
    path: PathBuf,
    /// What is in the file, and nowhere else.
    token: String,
    socket: TcpListener,
}

impl Canary {
    /// Plants them. Everybody on this host may read and write the file, so that no permission stands in for a wall.
    pub(super) fn plant(registry: &RuntimeRegistry) -> Result<Self, ExecutionError> {
        let base = registry.base(BaseNeed::Directory)?;
        let home = Workspace::open(&base, &registry.owner()?, Quota::default(), registry.reaper())?;
        let failed = |error: io::Error| ExecutionError::new(ErrorKind::Workspace, error);
        let path = home
            .open_ambient_path()
            .map(|work| work.join(FILE))
            .ok_or_else(|| ExecutionError::new(ErrorKind::Bug, "a workspace in a directory has no path on the host"))?;
        let token = token().map_err(failed)?;
        home.dir().write(FILE, &token).map_err(failed)?;
        for (dir, name, mode) in [(home.dir(), FILE, 0o666), (home.parent_dir(), "work", 0o777)] {
            rustix::fs::chmodat(dir, name, Mode::from_raw_mode(mode), rustix::fs::AtFlags::empty())
                .map_err(|error| failed(error.into()))?;
        }
        rustix::fs::fchmod(home.parent_dir(), Mode::from_raw_mode(0o755)).map_err(|error| failed(error.into()))?;
        let socket = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).map_err(failed)?;
        socket.set_nonblocking(true).map_err(failed)?;
        Ok(Self { home, path, token, socket })
    }

    /// Gives spellings of the file's path, as a guest might try them.
    pub(super) fn paths(&self) -> Vec<String> {
        let path = self.path.to_string_lossy().into_owned();
        let up = "../".repeat(24);
        let beside = self.path.ancestors().nth(2).and_then(|parent| parent.file_name());
        let beside = beside.map(|name| format!("../../{}/work/{FILE}", name.to_string_lossy()));
        let spelled = [format!("{up}{}", &path[1..]), format!("/{up}{}", &path[1..]), format!("/proc/1/root{path}")];
        [path].into_iter().chain(spelled).chain(beside).collect()
    }

    /// Says whether the file is as it was planted, and alone.
    pub(super) fn is_intact(&self) -> bool {
        let entries = self.home.dir().entries().map_or(0, Iterator::count);
        entries == 1 && self.home.dir().read_to_string(FILE).is_ok_and(|text| text == self.token)
    }

    /// Says whether bytes hold what is in the file.
    pub(super) fn is_in(&self, bytes: &[u8]) -> bool {
        bytes.windows(self.token.len()).any(|window| window == self.token.as_bytes())
    }

    /// Gives the address of the socket.
    pub(super) fn address(&self) -> io::Result<SocketAddr> {
        self.socket.local_addr()
    }

    /// Counts who connected since the last time.
    pub(super) fn connections(&self) -> usize {
        std::iter::from_fn(|| self.socket.accept().ok()).count()
    }
}
