//! How a submission is run: the contract of every runtime, and what all runtimes share.
//!
//! A runtime supplies a [`RuntimeKind`] (one a process) and a [`Guest`] (how one command runs);
//! [`Commands`] makes of a guest everything else that the contract asks for: live events, capture, limits of
//! time and output, kill, set-up, results.
//! Never here: the meaning of a result (`evaluate/`), printing (`cli/`). The rooms below never name each other.
//! Read next: `kind.rs` for what a runtime is, `guest.rs` for what it supplies, `commands.rs` for who owns what.

mod admission;
mod any_kind;
mod ask;
mod capture;
mod command;
mod commands;
mod conduct;
mod control;
mod enforcement;
mod error;
mod gc;
mod guest;
mod kind;
#[cfg(any(feature = "docker", feature = "local", feature = "wasi"))]
mod pidfd;
mod places;
mod progress;
mod registration;
mod registry;
mod result;
mod running;
mod sections;
mod setup;
mod shared;
mod shutdown;
mod slot;
mod trial;
mod usage;

#[cfg(feature = "docker")]
pub(crate) mod docker;
#[cfg(feature = "local")]
pub(crate) mod local;
#[cfg(feature = "wasi")]
pub(crate) mod wasi;

pub(crate) use admission::Bar;
pub use admission::{Admission, AdmissionGroup};
pub use any_kind::AnyRuntimeKind;
#[cfg(feature = "evaluate")]
pub(crate) use capture::text_around;
pub use capture::{Omitted, Output, Sink};
pub use command::{Command, CommandLine, Stdin, StdinReader, StdinWriter};
pub use commands::Commands;
pub use control::{Control, Stop};
pub(crate) use enforcement::InForce;
pub use enforcement::{Capability, EnforcementRow, EnforcementTable, Level, Subject, Unheld};
pub use error::SolutionRuntimeError;
pub use guest::{Connection, Denied, End, Ending, Guest, Job};
pub use kind::{
    BuiltinSpec, Cached, Launch, Mount, RuntimeInfo, RuntimeKind, Seed, SpawnRequest, StaticRoot, SubmissionRuntime,
};
pub use progress::{NoProgress, Progress};
pub use registry::{RegistryBuilder, RuntimeRegistry};
pub use result::{Killer, Machine, NotStarted, ProgramUsed, RuntimeEvent, RuntimeResult, SetupOutcome, Termination};
pub use running::{Running, State};
pub use trial::{Trial, TrialGuest, TrialStream, posix_trial};
pub use usage::{Measured, Usage};
