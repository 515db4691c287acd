//! A worker as its parent sees it: a process, its socket, its processor time, and its certain end.

use std::collections::HashSet;
use std::fs::File;
use std::io;
use std::os::fd::OwnedFd;
use std::os::unix::fs::FileExt;
use std::os::unix::process::ExitStatusExt;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{SendError, Sender};
use std::time::Duration;

use rustix::net::{AddressFamily, SocketFlags, SocketType};
use rustix::process::{Pid, PidfdFlags, Signal, pidfd_open, pidfd_send_signal};

use super::channel::{Channel, Frame, Kind};
use super::crew::Wish;
use super::serve::WORD;
use super::tape::{self, Eye};
use super::wire::RunOrder;
use crate::runtime::pidfd;
use crate::runtime::wasi::engine::EngineKey;
use crate::runtime::wasi::words;

/// How long a worker may take to start on a busy machine.
const START: Duration = Duration::from_secs(30);
/// More than there are of things that a worker gives up.
const MAX_LACKS: usize = 16;
/// The name of the clock in results.
pub(super) const CPU_BY: &str = "the scheduler's account of the worker";
/// The name of the memory figure of a worker that was killed.
pub(super) const PEAK_BY: &str = "the worker's peak resident memory";

/// A worker. Dropped, it is killed at once and reaped where nobody waits for it.
#[derive(Debug)]
pub(super) struct Worker {
    /// Absent once it was reaped.
    child: Option<Child>,
    /// Who reaps those that are dropped: the memory of a guest takes a while to go.
    undertaker: Sender<Wish>,
    pidfd: OwnedFd,
    pub(super) socket: Option<OwnedFd>,
    /// What its guest printed.
    pub(super) printed: Eye,
    account: Option<File>,
    /// What it had used when it ended.
    spent: Option<Duration>,
    /// Whether it has said that it gave everything else up.
    pub(super) is_sealed: bool,
    /// What it could not give up on this host.
    pub(super) lacks: Vec<String>,
    /// How many guests it has run.
    pub(super) runs: u32,
    /// What it has mapped.
    pub(super) modules: HashSet<String>,
    /// Whether it has opened the directories of guests that begin in the workdir.
    pub(super) knows_dirs: bool,
}

/// How a worker died.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Death {
    Signal(i32),
    Code(i32),
}

impl Worker {
    /// Starts one. It dies with the thread that starts it.
    pub(super) fn start(program: &Path, key: EngineKey, undertaker: Sender<Wish>) -> io::Result<Self> {
        let (ours, theirs) =
            rustix::net::socketpair(AddressFamily::UNIX, SocketType::SEQPACKET, SocketFlags::CLOEXEC, None)?;
        let key = serde_json::to_string(&key)?;
        #[expect(clippy::disallowed_methods, reason = "this program again, or the one that the host named for it")]
        let mut command = Command::new(program);
        command.arg(WORD).arg(key).arg(std::process::id().to_string()).env_clear().current_dir("/");
        let tape = tape::make()?;
        // Its streams are what it works with: orders come on one, what guests print goes by the other.
        command.stdin(Stdio::from(theirs)).stdout(Stdio::from(tape.try_clone()?)).stderr(Stdio::null());
        let mut child = command.spawn()?;
        let pid = Pid::from_child(&child);
        let opened = pidfd_open(pid, PidfdFlags::empty());
        let pidfd = opened.inspect_err(|_| {
            // Without its descriptor it could not be ended for certain.
            let _ = child.kill();
            let _ = child.wait();
        })?;
        let account = File::open(format!("/proc/{pid}/schedstat")).ok();
        Ok(Self {
            child: Some(child),
            undertaker,
            pidfd,
            socket: Some(ours),
            printed: Eye::new(tape),
            account,
            spent: None,
            is_sealed: false,
            lacks: Vec::new(),
            runs: 0,
            modules: HashSet::new(),
            knows_dirs: false,
        })
    }

    /// Remembers what an order has taught it.
    pub(super) fn learn(&mut self, order: RunOrder) {
        self.modules.insert(order.code());
        self.knows_dirs |= order.is_workdir;
    }

    /// Says whether it has ended.
    pub(super) fn is_dead(&self) -> bool {
        pidfd::has_ended(&self.pidfd, Duration::ZERO)
    }

    /// Waits until it is sealed, and gives what it could not give up.
    ///
    /// Cancel safe but for the socket, which goes with the call: the worker cannot be used then.
    pub(super) async fn seal(&mut self) -> io::Result<Vec<String>> {
        if !self.is_sealed {
            let socket = self.socket.take().ok_or_else(|| io::Error::other("it has no socket"))?;
            let channel = Channel::new(socket)?;
            let received = tokio::time::timeout(START, channel.receive());
            let received = received.await.map_err(|_| io::Error::other("it took too long"))??;
            let frame = received.filter(|frame| frame.kind == Kind::Ready);
            let frame = frame.ok_or_else(|| io::Error::other("it ended before it was ready"))?;
            self.socket = Some(channel.into_socket()?);
            self.note(&frame);
            self.is_sealed = true;
        }
        Ok(self.lacks.clone())
    }

    /// Notes what it says that it could not give up.
    pub(super) fn note(&mut self, frame: &Frame) {
        let told: Vec<String> = serde_json::from_slice(&frame.bytes).unwrap_or_default();
        self.lacks.extend(told.iter().take(MAX_LACKS).map(|lack| words::name(lack)));
    }

    /// Gives the processor time that it has used since it began, where the kernel keeps that account.
    pub(super) fn cpu(&self) -> Option<Duration> {
        if self.spent.is_some() {
            return self.spent;
        }
        let mut text = [0; 96];
        let read = self.account.as_ref()?.read_at(&mut text, 0).ok()?;
        let first = std::str::from_utf8(&text[..read]).ok()?.split_ascii_whitespace().next()?;
        first.parse().ok().map(Duration::from_nanos)
    }

    /// Gives the most memory that was resident; only of one that is alive.
    pub(super) fn peak(&self) -> Option<u64> {
        memory_of(&self.child.as_ref()?.id().to_string(), "VmHWM:")
    }

    /// Kills it. Idempotent.
    pub(super) fn kill(&self) {
        // The only refusal is that it is gone already.
        let _ = pidfd_send_signal(&self.pidfd, Signal::KILL);
    }

    /// Waits until it has ended.
    ///
    /// Cancel safe: it may be called again.
    pub(super) async fn ended(&mut self) -> io::Result<Death> {
        pidfd::wait(&self.pidfd).await;
        // The account is closed with the process.
        self.spent = self.cpu();
        self.reap()
    }

    /// Kills it, and waits until it has ended; no failure where it had before.
    ///
    /// Cancel safe: it may be called again.
    pub(super) async fn finish(&mut self) -> io::Result<()> {
        if self.child.is_none() {
            return Ok(());
        }
        self.kill();
        self.ended().await.map(drop)
    }

    fn reap(&mut self) -> io::Result<Death> {
        let mut child = self.child.take().ok_or_else(|| io::Error::other("it was reaped before"))?;
        let status = child.wait()?;
        Ok(match (status.signal(), status.code()) {
            (Some(signal), _) => Death::Signal(signal),
            (None, code) => Death::Code(code.unwrap_or_default()),
        })
    }
}

/// Gives a figure of a process's memory, in bytes, as the kernel writes it; `process` is an id or `self`.
pub(super) fn memory_of(process: &str, figure: &str) -> Option<u64> {
    let status = std::fs::read_to_string(format!("/proc/{process}/status")).ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix(figure))?;
    line.trim().strip_suffix("kB")?.trim().parse::<u64>().ok().map(|kib| kib << 10)
}

impl Drop for Worker {
    fn drop(&mut self) {
        let Some(child) = self.child.take() else { return };
        self.kill();
        // Without that thread it is done here: nothing is left behind.
        if let Err(SendError(Wish::Bury(mut child))) = self.undertaker.send(Wish::Bury(child)) {
            let _ = child.wait();
        }
    }
}
