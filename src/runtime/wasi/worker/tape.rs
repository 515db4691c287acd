//! What a guest prints, on its way home: a ring in memory that both sides have open.
//!
//! A guest that prints byte by byte pays no wake-up of the parent for each, and what a killed worker had printed is
//! there all the same. The parent believes nothing of it but what it could have printed.

use std::fs::File;
use std::io;
use std::os::fd::AsFd;
use std::os::unix::fs::FileExt;
use std::time::Duration;

use rustix::fs::{MemfdFlags, SealFlags, fcntl_add_seals, ftruncate, memfd_create};

/// How far a worker may be ahead of its parent, in bytes.
const ROOM: u64 = 1 << 20;
/// Where the worker writes how far it is, twice; where the parent writes how far it has read; where the ring begins.
const WRITTEN: u64 = 0;
const TAKEN: u64 = 64;
const RING: u64 = 4096;
/// The most bytes of one record.
pub(super) const RECORD: usize = 64 << 10;
/// A stream, and the length of what follows.
const HEAD: usize = 5;
/// How long a worker sleeps whose parent is behind.
const NAP: Duration = Duration::from_micros(200);

/// Which of the two streams.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Printed {
    Stdout,
    Stderr,
}

/// Makes a tape; nobody can make it larger or smaller.
pub(super) fn make() -> io::Result<File> {
    let tape = memfd_create("bailiwick-output", MemfdFlags::CLOEXEC | MemfdFlags::ALLOW_SEALING)?;
    ftruncate(&tape, RING + ROOM)?;
    fcntl_add_seals(tape.as_fd(), SealFlags::GROW | SealFlags::SHRINK | SealFlags::SEAL)?;
    Ok(tape.into())
}

/// The worker's end.
#[derive(Debug)]
pub(super) struct Pen {
    tape: File,
    written: u64,
    taken: u64,
}

impl Pen {
    pub(super) fn new(tape: File) -> Self {
        Self { tape, written: 0, taken: 0 }
    }

    /// Writes at most [`RECORD`] bytes; waits while the parent is behind.
    pub(super) fn write(&mut self, stream: Printed, bytes: &[u8]) -> io::Result<()> {
        let mut record = Vec::with_capacity(HEAD + bytes.len());
        record.push(stream as u8);
        record.extend(u32::try_from(bytes.len()).unwrap_or(u32::MAX).to_le_bytes());
        record.extend(bytes);
        let end = self.written + record.len() as u64;
        while end - self.taken > ROOM {
            self.taken = number_at(&self.tape, TAKEN)?;
            if end.saturating_sub(self.taken) > ROOM {
                std::thread::sleep(NAP);
            }
        }
        around(self.written, &mut record, |bytes, at| self.tape.write_all_at(bytes, at))?;
        self.written = end;
        let told = self.written.to_le_bytes();
        self.tape.write_all_at([told, told].as_flattened(), WRITTEN)
    }
}

/// The parent's end.
#[derive(Debug)]
pub(super) struct Eye {
    tape: File,
    taken: u64,
}

impl Eye {
    pub(super) fn new(tape: File) -> Self {
        Self { tape, taken: 0 }
    }

    /// Takes the next record, if there is one.
    ///
    /// # Errors
    /// What no worker writes.
    pub(super) fn next(&mut self) -> io::Result<Option<(Printed, Vec<u8>)>> {
        let ahead = self.written()?.checked_sub(self.taken).filter(|ahead| *ahead <= ROOM).ok_or_else(torn)?;
        if ahead == 0 {
            return Ok(None);
        }
        let mut head = [0; HEAD];
        self.read(self.taken, &mut head)?;
        let [stream, length @ ..] = head;
        let stream = [Printed::Stdout, Printed::Stderr].into_iter().find(|known| *known as u8 == stream);
        let length = u32::from_le_bytes(length) as usize;
        let whole = (HEAD + length) as u64;
        let (Some(stream), true) = (stream, length <= RECORD && whole <= ahead) else { return Err(torn()) };
        let mut bytes = vec![0; length];
        self.read(self.taken + HEAD as u64, &mut bytes)?;
        self.taken += whole;
        self.tape.write_all_at(&self.taken.to_le_bytes(), TAKEN)?;
        Ok(Some((stream, bytes)))
    }

    fn read(&self, from: u64, bytes: &mut [u8]) -> io::Result<()> {
        around(from, bytes, |bytes, at| self.tape.read_exact_at(bytes, at))
    }

    /// Reads how far the worker is: two numbers that agree, since it may be writing them just now.
    fn written(&self) -> io::Result<u64> {
        for _ in 0..1000 {
            let first = number_at(&self.tape, WRITTEN + 8)?;
            if first == number_at(&self.tape, WRITTEN)? {
                return Ok(first);
            }
        }
        Err(torn())
    }
}

fn number_at(tape: &File, at: u64) -> io::Result<u64> {
    let mut number = [0; 8];
    tape.read_exact_at(&mut number, at)?;
    Ok(u64::from_le_bytes(number))
}

/// Does something with the two pieces that bytes fall into where the ring ends within them.
fn around(from: u64, bytes: &mut [u8], mut each: impl FnMut(&mut [u8], u64) -> io::Result<()>) -> io::Result<()> {
    let at = from % ROOM;
    let before = usize::try_from(ROOM - at).unwrap_or(usize::MAX).min(bytes.len());
    let (first, second) = bytes.split_at_mut(before);
    each(first, RING + at)?;
    if second.is_empty() { Ok(()) } else { each(second, RING) }
}

fn torn() -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, "what a worker printed is not as workers print")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ends() -> (Pen, Eye) {
        let tape = make().unwrap();
        (Pen::new(tape.try_clone().unwrap()), Eye::new(tape))
    }

    #[test]
    fn what_is_written_is_read_in_order_round_and_round() {
        let (mut pen, mut eye) = ends();
        for round in 0..200_usize {
            let bytes: Vec<u8> = (0..=250).cycle().take(round * 331 % RECORD).collect();
            let stream = if round % 3 == 0 { Printed::Stderr } else { Printed::Stdout };
            pen.write(stream, &bytes).unwrap();
            assert_eq!(eye.next().unwrap(), Some((stream, bytes)));
            assert_eq!(eye.next().unwrap(), None);
        }
    }

    #[test]
    fn a_worker_waits_for_a_parent_that_is_behind() {
        let (mut pen, mut eye) = ends();
        let writer = std::thread::spawn(move || {
            for _ in 0..100 {
                pen.write(Printed::Stdout, &[7; RECORD]).unwrap();
            }
        });
        let mut read = 0;
        while read < 100 * RECORD {
            read += eye.next().unwrap().map_or(0, |(_, bytes)| bytes.len());
        }
        writer.join().unwrap();
        assert_eq!(eye.next().unwrap(), None);
    }

    #[test]
    fn what_no_worker_writes_is_an_error() {
        let lies: [&dyn Fn(&Pen); 4] = [
            &|pen| pen.tape.write_all_at(&[9; 16], WRITTEN).unwrap(),
            &|pen| pen.tape.write_all_at(&[1, 0, 0, 0, 0, 0, 0, 0, 2], WRITTEN).unwrap(),
            &|pen| pen.tape.write_all_at(&[9], RING).unwrap(),
            &|pen| pen.tape.write_all_at(&[0xff; 4], RING + 1).unwrap(),
        ];
        for lie in lies {
            let (mut pen, mut eye) = ends();
            pen.write(Printed::Stdout, b"true").unwrap();
            lie(&pen);
            assert_eq!(eye.next().unwrap_err().kind(), io::ErrorKind::InvalidData);
        }
    }
}
