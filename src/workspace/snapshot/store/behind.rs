//! Writing behind: a file is filled on one thread while another one brings what came before to the file system.

use std::io;
use std::os::fd::OwnedFd;
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::thread::JoinHandle;

use crate::workspace::bytes;

/// How many pieces may wait to be written. With the one that is filled and the one that is written: what is in memory.
const WAITING: usize = 2;

/// Appends pieces to a file on a thread of its own, in their order. Dropped, it writes what waits and ends.
#[derive(Debug)]
pub(super) struct Behind {
    /// `None` once no more pieces come.
    pieces: Option<SyncSender<Vec<u8>>>,
    /// Pieces that were written, to be filled again.
    written: Receiver<Vec<u8>>,
    thread: Option<JoinHandle<io::Result<()>>>,
}

impl Behind {
    /// Starts to append at a position. `None`: the system gives no thread.
    pub(super) fn start(file: OwnedFd, mut at: u64) -> Option<Self> {
        let (pieces, waiting) = sync_channel::<Vec<u8>>(WAITING);
        let (done, written) = sync_channel(WAITING + 1);
        let write = move || {
            for mut piece in waiting {
                bytes::write_all_at(&file, &piece, at)?;
                at += piece.len() as u64;
                piece.clear();
                // Nobody has to fill it again.
                let _ = done.try_send(piece);
            }
            Ok(())
        };
        let thread = std::thread::Builder::new().name("pack".to_owned()).spawn(write).ok()?;
        Some(Self { pieces: Some(pieces), written, thread: Some(thread) })
    }

    /// Appends a piece and gives an empty one; waits while too many wait.
    pub(super) fn append(&mut self, piece: Vec<u8>) -> io::Result<Vec<u8>> {
        let size = piece.capacity();
        match &self.pieces {
            Some(pieces) if pieces.send(piece).is_ok() => {
                Ok(self.written.try_recv().unwrap_or_else(|_| Vec::with_capacity(size)))
            }
            // The thread has ended before its time.
            Some(_) | None => Err(self.end().err().unwrap_or_else(|| io::ErrorKind::BrokenPipe.into())),
        }
    }

    /// Waits until every piece is written; says what went wrong with the first that is not.
    pub(super) fn end(&mut self) -> io::Result<()> {
        self.pieces = None;
        let ended = self.thread.take().map_or(Ok(Ok(())), JoinHandle::join);
        ended.unwrap_or_else(|_| Err(io::ErrorKind::BrokenPipe.into()))
    }
}

impl Drop for Behind {
    fn drop(&mut self) {
        // Whoever drops it has no use for the file any more.
        let _ = self.end();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::{Read, Seek};

    #[test]
    fn pieces_stand_in_their_order() {
        let mut file = tempfile::tempfile().unwrap();
        let mut behind = Behind::start(file.try_clone().unwrap().into(), 3).unwrap();
        let mut wanted = vec![0; 3];
        let mut piece = Vec::new();
        for number in 0..100u8 {
            piece.extend(std::iter::repeat_n(number, 1000));
            wanted.extend_from_slice(&piece);
            piece = behind.append(piece).unwrap();
            assert!(piece.is_empty());
        }
        behind.end().unwrap();
        let mut content = Vec::new();
        file.rewind().unwrap();
        file.read_to_end(&mut content).unwrap();
        assert!(content == wanted);
    }

    #[test]
    fn what_cannot_be_written_is_said() {
        let full = std::fs::OpenOptions::new().write(true).open("/dev/full").unwrap();
        let mut behind = Behind::start(full.into(), 0).unwrap();
        let mut appended = Ok(vec![0; 9]);
        while let Ok(piece) = appended {
            appended = behind.append(if piece.is_empty() { vec![0; 9] } else { piece });
        }
        assert_eq!(appended.unwrap_err().kind(), io::ErrorKind::StorageFull);
        let full = std::fs::OpenOptions::new().write(true).open("/dev/full").unwrap();
        let mut behind = Behind::start(full.into(), 0).unwrap();
        let _ = behind.append(vec![0; 9]);
        assert_eq!(behind.end().unwrap_err().kind(), io::ErrorKind::StorageFull);
    }
}
