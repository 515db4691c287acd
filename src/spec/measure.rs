//! Quantities as people write them: `60s`, `512MiB`.

use std::fmt;
use std::time::Duration;

/// A number of bytes. In files: a whole number, or a number with a unit (`512MiB`, `1GB`, `64k` is an error).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ByteSize(pub u64);

/// A length of time. In files: a number with a unit (`250ms`, `60s`, `10m`), or a bare number of seconds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Span(pub Duration);

/// The value of a limit, or what was measured against it, with its unit.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum LimitValue {
    /// A length of time.
    Time(Duration),
    /// A number of bytes.
    Bytes(u64),
    /// A number of things.
    Count(u64),
    /// A number of processors, which may be a fraction.
    Cores(f64),
}

impl fmt::Display for ByteSize {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        const UNITS: [(u64, &str); 4] = [(1 << 40, "TiB"), (1 << 30, "GiB"), (1 << 20, "MiB"), (1 << 10, "KiB")];
        match UNITS.iter().find(|(unit, _)| self.0 >= *unit && self.0.is_multiple_of(*unit)) {
            Some((unit, name)) => write!(f, "{}{name}", self.0 / unit),
            None => write!(f, "{}B", self.0),
        }
    }
}

impl fmt::Display for Span {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        humantime::format_duration(self.0).fmt(f)
    }
}

impl fmt::Display for LimitValue {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match *self {
            Self::Time(time) => write!(f, "{:.3} s", time.as_secs_f64()),
            Self::Bytes(bytes) => ByteSize(bytes).fmt(f),
            Self::Count(count) => count.fmt(f),
            Self::Cores(cores) => cores.fmt(f),
        }
    }
}
