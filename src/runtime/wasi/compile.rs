//! The bounds of compiling what a submission brings along. Programs of the spec and of the host have none.

use std::time::Duration;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::spec::{ByteSize, Limit, Span};

/// The `wasi.compile` section of a spec: how much of a module of the submission's own is compiled.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
#[schemars(inline)]
#[non_exhaustive]
pub struct ModuleBounds {
    /// The largest module. Default: 64 MiB.
    #[serde(skip_serializing_if = "Limit::is_unset")]
    pub size: Limit<ByteSize>,
    /// How long compiling may take before the command ends without it. Default: 60 s.
    #[serde(skip_serializing_if = "Limit::is_unset")]
    pub time: Limit<Span>,
    /// How much memory compiling may take; held where guests run in worker processes. Default: 2 GiB.
    #[serde(skip_serializing_if = "Limit::is_unset")]
    pub memory: Limit<ByteSize>,
    /// How many functions there may be. Default: 60,000.
    #[serde(skip_serializing_if = "Limit::is_unset")]
    pub functions: Limit<u64>,
    /// The largest function. Default: 512 KiB.
    #[serde(skip_serializing_if = "Limit::is_unset")]
    pub body: Limit<ByteSize>,
    /// How many locals a function may have. Default: 10,000.
    #[serde(skip_serializing_if = "Limit::is_unset")]
    pub locals: Limit<u64>,
    /// How deep blocks may stand inside each other. Default: 5,000.
    #[serde(skip_serializing_if = "Limit::is_unset")]
    pub nesting: Limit<u64>,
    /// How many targets the branch tables of a function may have. Default: 50,000.
    #[serde(skip_serializing_if = "Limit::is_unset")]
    pub targets: Limit<u64>,
    /// The instructions of a function times its locals, which is what the compiler's time grows with. Default: 50 million.
    #[serde(skip_serializing_if = "Limit::is_unset")]
    pub work: Limit<u64>,
}

/// What compiling is held to; the largest number where nothing is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub(super) struct CompileBounds {
    pub(super) size: u64,
    pub(super) time: Option<Duration>,
    /// Held in worker processes only.
    pub(super) memory: Option<u64>,
    pub(super) functions: u64,
    pub(super) body: u64,
    pub(super) locals: u64,
    pub(super) nesting: u64,
    pub(super) targets: u64,
    pub(super) work: u64,
}

impl ModuleBounds {
    /// Gives every bound, with the defaults where nothing is written.
    pub(super) fn bounds(&self) -> CompileBounds {
        CompileBounds {
            size: bound(self.size.map(|size| size.0), 64 << 20),
            time: match self.time {
                Limit::Unset => Some(Duration::from_secs(60)),
                Limit::None => None,
                Limit::Set(time) => Some(time.0),
            },
            memory: match self.memory {
                Limit::Unset => Some(2 << 30),
                Limit::None => None,
                Limit::Set(memory) => Some(memory.0),
            },
            functions: bound(self.functions, 60_000),
            body: bound(self.body.map(|size| size.0), 512 << 10),
            locals: bound(self.locals, 10_000),
            nesting: bound(self.nesting, 5_000),
            targets: bound(self.targets, 50_000),
            work: bound(self.work, 50_000_000),
        }
    }
}

fn bound(limit: Limit<u64>, default: u64) -> u64 {
    match limit {
        Limit::Unset => default,
        Limit::None => u64::MAX,
        Limit::Set(most) => most,
    }
}
