//! The command line, driven as a third party would: with a runtime of its own, and as the real binary.

#![expect(clippy::unwrap_used, reason = "a test fails where its own means fail")]
#![expect(clippy::disallowed_methods, reason = "tests write the files that the command reads, and start the command")]

mod binary;
mod cache;
#[cfg(feature = "wasi")]
mod deterministic;
mod documents;
mod echo;
mod failures;
mod host;
#[cfg(all(feature = "wasi", feature = "wat"))]
mod hosts;
mod json;
#[cfg(all(feature = "wasi", feature = "wat"))]
mod logs;
#[cfg(feature = "wasi")]
mod programs;
mod run;
mod signals;
mod snapshots;
mod specs;
mod support;
#[cfg(feature = "wasi")]
mod transcripts;
