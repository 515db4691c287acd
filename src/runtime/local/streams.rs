//! The guest's standard streams: pipes or a pseudo-terminal, fed and drained at the same time.

use std::io;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::sync::Arc;
use std::time::{Duration, Instant};

use rustix::fs::{Mode, OFlags};
use rustix::pipe::{PipeFlags, pipe_with};
use rustix::pty::{OpenptFlags, grantpt, ioctl_tiocgptpeer, openpt, unlockpt};
use rustix::termios::{Winsize, tcsetwinsize};
use tokio::net::unix::pipe::{Receiver, Sender};
use tokio::sync::watch;

use crate::runtime::{Sink, StdinReader};

/// How long output is waited for after the main process has ended: others may hold the pipe for ever.
const DRAIN: Duration = Duration::from_millis(100);
/// How much is read at once, and at most after the drain is over: as much as a pipe holds.
const CHUNK: usize = 64 << 10;

/// How far a command has come, for those who move its bytes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Phase {
    /// It is to end: nobody waits for a slow reader any more.
    pub(super) stopped: bool,
    /// It has ended: what is in the pipes is all that comes.
    pub(super) over: bool,
}

/// The engine's ends of the streams.
pub(super) struct Streams {
    stdin: Option<Sender>,
    outputs: Vec<(Receiver, Arc<Sink>)>,
    is_tty: bool,
}

/// The guest's ends.
pub(super) struct GuestEnds {
    fds: [OwnedFd; 3],
}

impl GuestEnds {
    pub(super) fn borrow(&self) -> [BorrowedFd<'_>; 3] {
        self.fds.each_ref().map(AsFd::as_fd)
    }
}

impl Streams {
    /// Makes pipes; standard input that is not given is `/dev/null`.
    pub(super) fn pipes(stdin: &StdinReader, sinks: [Arc<Sink>; 2]) -> io::Result<(Self, GuestEnds)> {
        let (guest_in, feed) = if stdin.was_given() {
            let (guest, ours) = pipe_with(PipeFlags::CLOEXEC)?;
            (guest, Some(sender(ours)?))
        } else {
            (rustix::fs::open(c"/dev/null", OFlags::RDONLY | OFlags::CLOEXEC, Mode::empty())?, None)
        };
        let [out, error] = sinks;
        let (ours_out, guest_out) = pipe_with(PipeFlags::CLOEXEC)?;
        let (ours_error, guest_error) = pipe_with(PipeFlags::CLOEXEC)?;
        let outputs = vec![(receiver(ours_out)?, out), (receiver(ours_error)?, error)];
        Ok((Self { stdin: feed, outputs, is_tty: false }, GuestEnds { fds: [guest_in, guest_out, guest_error] }))
    }

    /// Makes a pseudo-terminal of 80 columns and 24 lines; everything printed is standard output.
    pub(super) fn terminal(stdout: Arc<Sink>) -> io::Result<(Self, GuestEnds)> {
        let ours = openpt(OpenptFlags::RDWR | OpenptFlags::NOCTTY | OpenptFlags::CLOEXEC)?;
        grantpt(&ours)?;
        unlockpt(&ours)?;
        let guest = ioctl_tiocgptpeer(&ours, OpenptFlags::RDWR | OpenptFlags::NOCTTY | OpenptFlags::CLOEXEC)?;
        tcsetwinsize(&guest, Winsize { ws_row: 24, ws_col: 80, ws_xpixel: 0, ws_ypixel: 0 })?;
        let (feed, fds) = (sender(ours.try_clone()?)?, [guest.try_clone()?, guest.try_clone()?, guest]);
        Ok((Self { stdin: Some(feed), outputs: vec![(receiver(ours)?, stdout)], is_tty: true }, GuestEnds { fds }))
    }

    /// Moves bytes both ways until the guest's output has ended, or the command is over and drained.
    pub(super) async fn run(self, stdin: StdinReader, phase: watch::Receiver<Phase>) {
        let pumps = self.outputs.into_iter().map(|(from, to)| pump(from, to, phase.clone()));
        let fed = async {
            let mut over = phase.clone();
            if let Some(to) = self.stdin {
                tokio::select! {
                    () = feed(&to, stdin, self.is_tty) => {}
                    _ = over.wait_for(|phase| phase.over) => return,
                }
                // A terminal hangs up when its last descriptor is closed: not before the command is over.
                if self.is_tty {
                    let _ = over.wait_for(|phase| phase.over).await;
                }
            }
        };
        tokio::join!(futures_util::future::join_all(pumps), fed);
    }
}

/// Reads what is there, waiting for the first byte. Cancel safe.
async fn read(from: &Receiver, buffer: &mut [u8]) -> io::Result<usize> {
    loop {
        from.readable().await?;
        match from.try_read(buffer) {
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
            done => return done,
        }
    }
}

async fn write_all(to: &Sender, mut bytes: &[u8]) -> io::Result<()> {
    while !bytes.is_empty() {
        to.writable().await?;
        match to.try_write(bytes) {
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
            written => bytes = &bytes[written?..],
        }
    }
    Ok(())
}

/// Registers the reading end of a pipe, or a terminal, which tokio serves alike.
fn receiver(fd: OwnedFd) -> io::Result<Receiver> {
    rustix::io::ioctl_fionbio(&fd, true)?;
    Receiver::from_owned_fd_unchecked(fd)
}

fn sender(fd: OwnedFd) -> io::Result<Sender> {
    rustix::io::ioctl_fionbio(&fd, true)?;
    Sender::from_owned_fd_unchecked(fd)
}

/// Writes standard input; a guest that does not want it is no error.
async fn feed(to: &Sender, mut stdin: StdinReader, is_tty: bool) {
    const END_OF_FILE: &[u8] = &[4];
    while let Some(chunk) = stdin.next().await {
        if write_all(to, &chunk).await.is_err() {
            return;
        }
    }
    if is_tty {
        let _ = write_all(to, END_OF_FILE).await;
    }
}

/// Passes on what the guest prints on one stream.
async fn pump(from: Receiver, to: Arc<Sink>, mut phase: watch::Receiver<Phase>) {
    let mut buffer = vec![0; CHUNK];
    let drained = loop {
        let read = tokio::select! {
            biased;
            read = read(&from, &mut buffer) => read,
            _ = phase.wait_for(|phase| phase.over) => break false,
        };
        match read {
            Ok(count @ 1..) => pass_on(&to, &buffer[..count], &mut phase).await,
            // A terminal says EIO when its last holder is gone.
            Ok(_) | Err(_) => break true,
        }
        if phase.borrow().over {
            break false;
        }
    };
    if !drained {
        drain(&from, &to, &mut buffer, &mut phase).await;
    }
}

async fn pass_on(to: &Sink, bytes: &[u8], phase: &mut watch::Receiver<Phase>) {
    tokio::select! {
        // In this order: at its first poll the sink has counted and kept the bytes.
        biased;
        () = to.write(bytes) => {}
        _ = phase.wait_for(|phase| phase.stopped) => {}
    }
}

/// Reads what is left after the end. Time spent on a slow reader does not count; a full pipe is read in any case.
async fn drain(from: &Receiver, to: &Sink, buffer: &mut [u8], phase: &mut watch::Receiver<Phase>) {
    let (mut deadline, mut beyond) = (Instant::now() + DRAIN, 0);
    while beyond < CHUNK {
        let Ok(Ok(count @ 1..)) = tokio::time::timeout_at(deadline.into(), read(from, buffer)).await else { return };
        if Instant::now() >= deadline {
            beyond += count;
        }
        let began = Instant::now();
        pass_on(to, &buffer[..count], phase).await;
        deadline += began.elapsed();
    }
}
