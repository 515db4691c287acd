//! Frames over the one socket between the parent and a worker: a kind, some bytes, and descriptors.

use std::io::{self, IoSlice, IoSliceMut};
use std::mem::MaybeUninit;
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, OwnedFd};

use rustix::event::{PollFd, PollFlags, poll};
use rustix::io::Errno;
use rustix::net::{
    RecvAncillaryBuffer, RecvAncillaryMessage, RecvFlags, ReturnFlags, SendAncillaryBuffer, SendAncillaryMessage,
    SendFlags,
};
use tokio::io::Interest;
use tokio::net::UnixDatagram;

/// The most bytes of one frame.
pub(super) const FRAME: usize = 64 << 10;
/// The most bytes of a message of several frames.
const MESSAGE: usize = 16 << 20;
/// The most descriptors of one frame; the kernel allows 253.
pub(super) const DESCRIPTORS: usize = 64;

/// What a frame is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub(super) enum Kind {
    /// To the parent: the worker is sealed and waits.
    Ready = b'r',
    /// The beginning of a longer message.
    Part = b'p',
    /// To the worker: run a guest.
    Run = b'g',
    /// To the worker: compile a module.
    Compile = b'c',
    /// To the parent: the guest has printed something.
    Printed = b'o',
    /// To the parent: the guest waits for input.
    Ask = b'a',
    /// To the worker: input, or its end where there is nothing in it.
    Input = b'i',
    /// To the parent: what came of the order.
    Report = b't',
}

impl Kind {
    fn of(byte: u8) -> Option<Self> {
        let all =
            [Self::Ready, Self::Part, Self::Run, Self::Compile, Self::Printed, Self::Ask, Self::Input, Self::Report];
        all.into_iter().find(|kind| *kind as u8 == byte)
    }
}

/// A frame, or a longer message put together.
#[derive(Debug)]
pub(super) struct Frame {
    pub(super) kind: Kind,
    pub(super) bytes: Vec<u8>,
    pub(super) fds: Vec<OwnedFd>,
}

/// One end of the socket.
#[derive(Debug)]
pub(super) struct Channel {
    /// In fact a socket of the kind that also says when the other end is gone; the calls are the same.
    socket: UnixDatagram,
}

impl Channel {
    /// Takes a socket of whole datagrams. Needs a tokio runtime.
    pub(super) fn new(socket: OwnedFd) -> io::Result<Self> {
        rustix::io::ioctl_fionbio(&socket, true)?;
        Ok(Self { socket: UnixDatagram::from_std(socket.into())? })
    }

    /// Gives the socket back; another executor may take it then.
    pub(super) fn into_socket(self) -> io::Result<OwnedFd> {
        Ok(self.socket.into_std()?.into())
    }

    /// Receives a message; `None` when the other side is gone.
    ///
    /// Cancel safe but within a message of several frames.
    ///
    /// # Errors
    /// What the socket refuses, and what is no frame of ours.
    pub(super) async fn receive(&self) -> io::Result<Option<Frame>> {
        let mut long = Vec::new();
        loop {
            let received = self.socket.async_io(Interest::READABLE, || receive(self.socket.as_fd())).await;
            let Some(mut frame) = received? else { return Ok(None) };
            if frame.kind == Kind::Part {
                long.append(&mut frame.bytes);
                if long.len() > MESSAGE {
                    return Err(not_ours("a message is too long"));
                }
                continue;
            }
            if !long.is_empty() {
                long.append(&mut frame.bytes);
                frame.bytes = long;
            }
            return Ok(Some(frame));
        }
    }

    /// Sends a message, in as many frames as it takes; the descriptors go with the last.
    ///
    /// Not cancel safe: what was begun is not taken back.
    pub(super) async fn send(&self, kind: Kind, bytes: &[u8], fds: &[BorrowedFd<'_>]) -> io::Result<()> {
        let (parts, last) = split(bytes);
        for part in parts {
            self.socket.async_io(Interest::WRITABLE, || send(self.socket.as_fd(), Kind::Part, part, &[])).await?;
        }
        self.socket.async_io(Interest::WRITABLE, || send(self.socket.as_fd(), kind, last, fds)).await
    }

    /// Sends a frame from code that cannot wait otherwise; blocks the thread while the other side is behind.
    pub(super) fn send_blocking(&self, kind: Kind, bytes: &[u8]) -> io::Result<()> {
        let socket = self.socket.as_fd();
        loop {
            match send(socket, kind, bytes, &[]) {
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {
                    match poll(&mut [PollFd::new(&socket, PollFlags::OUT)], None) {
                        Ok(_) | Err(Errno::INTR) => {}
                        Err(error) => return Err(error.into()),
                    }
                }
                sent => return sent,
            }
        }
    }
}

impl Channel {
    /// Says whether the other side has received all that was sent.
    pub(super) fn is_received(&self) -> bool {
        let mut unread: libc::c_int = 0;
        // SAFETY: the request writes one int, to where there is one.
        #[expect(unsafe_code, reason = "the request has no safe form")]
        let asked = unsafe { libc::ioctl(self.socket.as_raw_fd(), libc::TIOCOUTQ, &raw mut unread) };
        asked == 0 && unread == 0
    }
}

/// Cuts a message into full frames and the last, which may be empty.
fn split(bytes: &[u8]) -> (impl Iterator<Item = &[u8]>, &[u8]) {
    let full = bytes.len().saturating_sub(1) / FRAME * FRAME;
    let (parts, last) = bytes.split_at(full);
    (parts.chunks(FRAME), last)
}

fn send(socket: BorrowedFd<'_>, kind: Kind, bytes: &[u8], fds: &[BorrowedFd<'_>]) -> io::Result<()> {
    let mut space = [MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(DESCRIPTORS))];
    let mut control = SendAncillaryBuffer::new(&mut space);
    if !fds.is_empty() && !control.push(SendAncillaryMessage::ScmRights(fds)) {
        return Err(io::Error::other(format!("more than {DESCRIPTORS} directories for one guest")));
    }
    let kind = [kind as u8];
    loop {
        let parts = [IoSlice::new(&kind), IoSlice::new(bytes)];
        match rustix::net::sendmsg(socket, &parts, &mut control, SendFlags::NOSIGNAL) {
            Err(Errno::INTR) => {}
            sent => return Ok(sent.map(drop)?),
        }
    }
}

fn receive(socket: BorrowedFd<'_>) -> io::Result<Option<Frame>> {
    let mut space = [MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(DESCRIPTORS))];
    let mut control = RecvAncillaryBuffer::new(&mut space);
    let (mut kind, mut bytes) = ([0], vec![0; FRAME]);
    let received = loop {
        let mut parts = [IoSliceMut::new(&mut kind), IoSliceMut::new(&mut bytes)];
        match rustix::net::recvmsg(socket, &mut parts, &mut control, RecvFlags::CMSG_CLOEXEC) {
            Err(Errno::INTR) => {}
            // The other side died with something of ours unread.
            Err(Errno::CONNRESET) => return Ok(None),
            received => break received?,
        }
    };
    let mut fds = Vec::new();
    for message in control.drain() {
        if let RecvAncillaryMessage::ScmRights(received) = message {
            fds.extend(received);
        }
    }
    if received.bytes == 0 {
        return Ok(None);
    }
    if received.flags.intersects(ReturnFlags::TRUNC | ReturnFlags::CTRUNC) {
        return Err(not_ours("a frame is too long"));
    }
    let kind = Kind::of(kind[0]).ok_or_else(|| not_ours("a frame is of no known kind"))?;
    bytes.truncate(received.bytes - 1);
    Ok(Some(Frame { kind, bytes, fds }))
}

fn not_ours(why: &str) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, why)
}

#[cfg(test)]
mod tests {
    use super::*;
    use rustix::net::{AddressFamily, SocketFlags, SocketType};

    fn pair() -> (Channel, Channel, OwnedFd) {
        let made = rustix::net::socketpair(AddressFamily::UNIX, SocketType::SEQPACKET, SocketFlags::CLOEXEC, None);
        let (ours, theirs) = made.unwrap();
        let raw = theirs.try_clone().unwrap();
        (Channel::new(ours).unwrap(), Channel::new(theirs).unwrap(), raw)
    }

    #[tokio::test]
    async fn messages_of_any_length_arrive_whole() {
        let (ours, theirs, _raw) = pair();
        for length in [0, 1, FRAME - 1, FRAME, FRAME + 1, 3 * FRAME, 5 * FRAME + 7] {
            let sent: Vec<u8> = (0..=250).cycle().take(length).collect();
            let (done, received) = tokio::join!(ours.send(Kind::Run, &sent, &[]), theirs.receive());
            done.unwrap();
            let received = received.unwrap().unwrap();
            assert_eq!((received.kind, received.bytes == sent), (Kind::Run, true), "{length}");
        }
    }

    #[tokio::test]
    async fn what_is_no_frame_is_an_error_and_a_closed_end_is_the_end() {
        let (ours, theirs, raw) = pair();
        rustix::net::send(&raw, b"?what", SendFlags::empty()).unwrap();
        assert_eq!(ours.receive().await.unwrap_err().kind(), io::ErrorKind::InvalidData);
        rustix::net::send(&raw, &vec![Kind::Printed as u8; FRAME + 2], SendFlags::empty()).unwrap();
        assert_eq!(ours.receive().await.unwrap_err().kind(), io::ErrorKind::InvalidData);
        drop((theirs, raw));
        assert!(ours.receive().await.unwrap().is_none());
    }

    #[tokio::test]
    async fn a_message_without_an_end_is_not_kept() {
        let (ours, _theirs, raw) = pair();
        let endless = tokio::task::spawn_blocking(move || {
            let part = vec![Kind::Part as u8; FRAME];
            rustix::io::ioctl_fionbio(&raw, false).unwrap();
            while rustix::net::send(&raw, &part, SendFlags::NOSIGNAL).is_ok() {}
        });
        assert_eq!(ours.receive().await.unwrap_err().kind(), io::ErrorKind::InvalidData);
        drop(ours);
        endless.await.unwrap();
    }
}
