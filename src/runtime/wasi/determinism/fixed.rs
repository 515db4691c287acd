//! What one deterministic guest carries: its clock, the paths of its descriptors, the listings that it reads.

use wasmtime_wasi::WasiCtxBuilder;
use wasmtime_wasi::p1::WasiP1Ctx;

use super::clock::Clock;
use super::config::DeterminismConfig;
use super::listing::Listings;
use super::paths::Paths;
use super::random::Random;
use crate::runtime::{Control, Stop};
use crate::spec::LimitName;

/// The part of a result's note that says that another run may end otherwise.
const NOT_REPRODUCIBLE: &str = "not reproducible";

/// The fixed world of one guest.
#[derive(Debug)]
pub(in crate::runtime::wasi) struct Fixed {
    pub(super) clock: Clock,
    pub(super) paths: Paths,
    pub(super) listings: Listings,
}

impl Fixed {
    /// Puts the clock and the random bytes into the guest's world.
    pub(in crate::runtime::wasi) fn new(config: &DeterminismConfig, builder: &mut WasiCtxBuilder) -> Self {
        let clock = Clock::new(config);
        builder.wall_clock(clock.clone()).monotonic_clock(clock.clone()).secure_random(Random::new(config.seed));
        Self { clock, paths: Paths::default(), listings: Listings::default() }
    }

    /// Names what the guest has open when it begins in a directory.
    pub(in crate::runtime::wasi) fn begin(&mut self, wasi: &mut WasiP1Ctx, cwd: &str) {
        self.paths = Paths::of_preopens(wasi, cwd);
    }

    /// Notes that a descriptor was opened; `memory` is the guest's, where its path and its number stand.
    pub(in crate::runtime::wasi) fn opened(&mut self, memory: &[u8], dir: i32, path: (i32, i32), out: i32) {
        let at = |number: i32| usize::try_from(number.cast_unsigned()).unwrap_or(usize::MAX);
        let slice = |start: usize, len: usize| memory.get(start..start.saturating_add(len));
        let name = slice(at(path.0), at(path.1)).map(String::from_utf8_lossy);
        let fd = slice(at(out), 4).and_then(|bytes| bytes.first_chunk().copied()).map(i32::from_le_bytes);
        if let (Some(name), Some(fd)) = (name, fd) {
            self.listings.forget(fd);
            self.paths.opened(dir, &name, fd);
        }
    }

    /// Says why another run may end otherwise, if it was the host's clock that ended this one.
    pub(in crate::runtime::wasi) fn doubt(control: &Control) -> Option<String> {
        let by = match control.stop_reason()? {
            Stop::Kill(_) => "it was killed".to_owned(),
            Stop::Limit(limit @ (LimitName::WallTime | LimitName::CpuTime | LimitName::IdleTime), _) => {
                format!("the {limit} limit, which counts the host's time, ended it")
            }
            Stop::Limit(..) => return None,
        };
        Some(format!("{NOT_REPRODUCIBLE}: {by}"))
    }
}
