//! Counting what goes into a decompressor and what comes out, and stopping it.

use std::cell::Cell;
use std::io::{self, Read};
use std::rc::Rc;
use std::time::Instant;

use super::{ArchiveBounds, ArchiveError};

/// What any archive may hold, however small it is.
const FREE: u64 = 64 << 20;

/// The counts of one pass over an archive.
#[derive(Debug)]
pub(super) struct Gauge {
    bounds: ArchiveBounds,
    ends: Option<Instant>,
    packed: Cell<u64>,
    unpacked: Cell<u64>,
}

impl Gauge {
    pub(super) fn new(bounds: ArchiveBounds) -> Rc<Self> {
        let ends = Instant::now().checked_add(bounds.time);
        Rc::new(Self { bounds, ends, packed: Cell::new(0), unpacked: Cell::new(0) })
    }

    /// Fails when the time is over.
    pub(super) fn check_time(&self) -> Result<(), ArchiveError> {
        let is_over = self.ends.is_some_and(|ends| Instant::now() >= ends);
        if is_over { Err(ArchiveError::TooSlow { seconds: self.bounds.time.as_secs() }) } else { Ok(()) }
    }

    fn check_ratio(&self) -> Result<(), ArchiveError> {
        let most = self.packed.get().saturating_mul(self.bounds.ratio).saturating_add(FREE);
        if self.unpacked.get() <= most {
            return Ok(());
        }
        Err(ArchiveError::TooLarge { what: "times its own size", limit: self.bounds.ratio })
    }
}

/// The side of a reader that is counted.
#[derive(Clone, Copy, Debug)]
pub(super) enum Side {
    Packed,
    Unpacked,
}

/// A reader whose bytes are counted.
#[derive(Debug)]
pub(super) struct Gauged<R> {
    pub(super) inner: R,
    gauge: Rc<Gauge>,
    side: Side,
}

impl<R> Gauged<R> {
    pub(super) fn new(inner: R, gauge: &Rc<Gauge>, side: Side) -> Self {
        Self { inner, gauge: Rc::clone(gauge), side }
    }
}

impl<R: Read> Read for Gauged<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        self.gauge.check_time().map_err(io::Error::other)?;
        let read = self.inner.read(buffer)?;
        let counter = match self.side {
            Side::Packed => &self.gauge.packed,
            Side::Unpacked => &self.gauge.unpacked,
        };
        counter.set(counter.get().saturating_add(read as u64));
        self.gauge.check_ratio().map_err(io::Error::other)?;
        Ok(read)
    }
}

impl<R: io::Seek> io::Seek for Gauged<R> {
    fn seek(&mut self, to: io::SeekFrom) -> io::Result<u64> {
        self.inner.seek(to)
    }
}

/// Tells our own refusals, the host's trouble and damage apart.
pub(super) fn told_apart(error: io::Error) -> ArchiveError {
    let error = match error.downcast::<ArchiveError>() {
        Ok(own) => return own,
        Err(error) => error,
    };
    // What the system says has a number; what a decompressor says has none.
    if error.raw_os_error().is_some() {
        return ArchiveError::Read { source: error };
    }
    let is_short = error.kind() == io::ErrorKind::UnexpectedEof;
    ArchiveError::Damaged { problem: if is_short { "it ends too early".to_owned() } else { error.to_string() } }
}
