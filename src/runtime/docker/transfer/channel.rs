//! Between a thread that blocks on files and a task that waits for the engine: a few pieces on their way, no more.

use std::io::{self, Read, Write};

use bytes::{Buf as _, Bytes};
use futures_util::Stream;
use tokio::sync::mpsc;

/// How many pieces wait for the other side at most.
const WAITING: usize = 4;

/// How large a piece is that goes to the engine.
const PIECE: usize = 64 * 1024;

pub(in crate::runtime::docker) type Piece = Result<Bytes, io::Error>;

/// What an engine sends, to be read. Its end is the end of the channel, whatever that came from.
#[derive(Debug)]
pub(super) struct FromEngine {
    pieces: mpsc::Receiver<Piece>,
    piece: Bytes,
}

impl FromEngine {
    pub(super) fn new() -> (mpsc::Sender<Piece>, Self) {
        let (sender, pieces) = mpsc::channel(WAITING);
        (sender, Self { pieces, piece: Bytes::new() })
    }
}

impl Read for FromEngine {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        while self.piece.is_empty() {
            match self.pieces.blocking_recv() {
                Some(piece) => self.piece = piece?,
                None => return Ok(0),
            }
        }
        let taken = buffer.len().min(self.piece.len());
        self.piece.copy_to_slice(&mut buffer[..taken]);
        Ok(taken)
    }
}

/// What goes to an engine, to be written.
#[derive(Debug)]
pub(in crate::runtime::docker) struct ToEngine {
    pieces: mpsc::Sender<Piece>,
    piece: Vec<u8>,
}

impl ToEngine {
    pub(in crate::runtime::docker) fn new() -> (Self, impl Stream<Item = Piece> + Send + 'static) {
        let (pieces, mut receiver) = mpsc::channel(WAITING);
        let stream = futures_util::stream::poll_fn(move |context| receiver.poll_recv(context));
        (Self { pieces, piece: Vec::with_capacity(PIECE) }, stream)
    }

    /// Tells the engine that what it has is not whole.
    pub(in crate::runtime::docker) fn fail(self) {
        let broken = io::Error::other("the files could not be read");
        // A receiver that is gone needs no telling.
        let _ = self.pieces.blocking_send(Err(broken));
    }
}

impl Write for ToEngine {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let taken = bytes.len().min(PIECE - self.piece.len());
        self.piece.extend_from_slice(&bytes[..taken]);
        if self.piece.len() == PIECE {
            self.flush()?;
        }
        Ok(taken)
    }

    fn flush(&mut self) -> io::Result<()> {
        if self.piece.is_empty() {
            return Ok(());
        }
        let piece = std::mem::replace(&mut self.piece, Vec::with_capacity(PIECE));
        self.pieces.blocking_send(Ok(piece.into())).map_err(|_| io::ErrorKind::BrokenPipe.into())
    }
}
