//! What stops a hostile file: bytes, ratio, values, depth, steps.

use std::cell::Cell;

use super::FormatError;

/// How much of a typed file is read. All of it holds for one call, however many files that reads.
///
/// The figures are chosen so that one call never takes more than half of a small host's memory: the worst value, a list
/// of maps of one member each, takes some 700 bytes a map (peak resident memory of reading 990,000 of them: 682 MiB).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FileBounds {
    /// The most bytes after decompression, and the most bytes of all texts in what is read. Default: 64 MiB.
    pub bytes: u64,
    /// How many times its packed size a file may become, beyond the first [`RATIO_FREE`](Self::RATIO_FREE) bytes.
    /// Default: 1,000.
    pub ratio: u64,
    /// The most values: cells, members, elements, and the rows that hold them. Default: 1,000,000.
    pub values: u64,
    /// The deepest nesting of lists and maps. Default: 100; never more than 64 in YAML, 80 in TOML and 127 in JSON,
    /// whose parsers use the stack for it.
    pub depth: u32,
    /// The most instructions of SQLite's own machine. Default: 50,000,000.
    pub steps: u64,
}

impl FileBounds {
    /// What a file may become whatever its packed size: 16 MiB.
    pub const RATIO_FREE: u64 = 16 << 20;

    /// The most bytes of a YAML or TOML text, and of the structure of a Parquet file: their parsers keep several times
    /// as much, 4 MiB.
    pub const PARSED_TEXT: usize = 4 << 20;
}

impl Default for FileBounds {
    fn default() -> Self {
        Self { bytes: 64 << 20, ratio: 1_000, values: 1_000_000, depth: 100, steps: 50_000_000 }
    }
}

/// Counts what is read against its bounds.
#[derive(Debug)]
pub(super) struct Meter {
    bounds: FileBounds,
    unpacked: Cell<u64>,
    text: Cell<u64>,
    values: Cell<u64>,
    /// What was exceeded, for readers whose parsers have errors of their own.
    exceeded: Cell<Option<(&'static str, u64)>>,
}

impl Meter {
    pub(super) fn new(bounds: FileBounds) -> Self {
        let zero = || Cell::new(0);
        Self { bounds, unpacked: zero(), text: zero(), values: zero(), exceeded: Cell::new(None) }
    }

    pub(super) fn bounds(&self) -> &FileBounds {
        &self.bounds
    }

    /// Counts decompressed bytes of a file that has so many packed ones and became so many so far.
    pub(super) fn unpack(&self, more: usize, so_far: usize, packed: usize) -> Result<(), FormatError> {
        let most = (packed as u64).saturating_mul(self.bounds.ratio).max(FileBounds::RATIO_FREE);
        if so_far as u64 > most {
            return Err(self.exceed("times its packed size", self.bounds.ratio));
        }
        self.count(&self.unpacked, more as u64, "bytes when it is unpacked", self.bounds.bytes)
    }

    /// Counts one value.
    pub(super) fn value(&self) -> Result<(), FormatError> {
        self.count(&self.values, 1, "values", self.bounds.values)
    }

    /// Counts the bytes of a text in a value.
    pub(super) fn text(&self, bytes: usize) -> Result<(), FormatError> {
        self.count(&self.text, bytes as u64, "bytes of text", self.bounds.bytes)
    }

    /// Checks a nesting.
    pub(super) fn depth(&self, depth: u32) -> Result<(), FormatError> {
        if depth <= self.bounds.depth {
            return Ok(());
        }
        Err(self.exceed("levels of nesting", u64::from(self.bounds.depth)))
    }

    /// Names a bound that somebody else has counted.
    pub(super) fn exceed(&self, what: &'static str, limit: u64) -> FormatError {
        self.exceeded.set(Some((what, limit)));
        FormatError::Bound { what, limit }
    }

    /// Gives the bound behind an error of a parser, if there is one.
    pub(super) fn exceeded(&self) -> Option<FormatError> {
        self.exceeded.get().map(|(what, limit)| FormatError::Bound { what, limit })
    }

    fn count(&self, so_far: &Cell<u64>, more: u64, what: &'static str, limit: u64) -> Result<(), FormatError> {
        so_far.set(so_far.get().saturating_add(more));
        if so_far.get() <= limit { Ok(()) } else { Err(self.exceed(what, limit)) }
    }
}
