//! Evaluation end to end: suites on disk, submissions that are shell scripts, the local runtime. The same on WASI where
//! it is built.

#![expect(clippy::unwrap_used, reason = "a test fails where its own means fail")]
#![expect(clippy::disallowed_methods, reason = "tests write the files that are judged, and start the command")]

mod adapters;
mod authors;
mod class;
mod command;
mod compile;
#[cfg(feature = "docker")]
mod containers;
mod documents;
mod forgery;
mod forgery_reports;
mod jobs;
mod load;
mod programs;
mod reports;
mod servers;
mod suite;
mod support;
mod verdicts;
#[cfg(all(feature = "wasi", feature = "wat"))]
mod wasi;
