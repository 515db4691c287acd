//! The command line: flags to values, values to text. The only place that prints, and the only one that reads the
//! process (its environment, its standard streams, its signals).
//!
//! A third party gets the whole command, with its own runtimes, by [`run`]:
//!
//! ```no_run
//! use bailiwick::RuntimeRegistry;
//!
//! fn main() -> std::process::ExitCode {
//!     bailiwick::cli::run(|host| RuntimeRegistry::builder(host).with_builtins().build(), std::env::args_os())
//! }
//! ```
//!
//! Never here: a runtime by name (but for the program catalogue), or a decision about what a guest may do.
//! Read next: `args.rs` for the tree of commands, `run/mod.rs` for the main one, `json/mod.rs` for what `--json` prints.

mod app;
mod args;
mod cache;
mod changes;
mod completions;
mod doctor;
#[cfg(feature = "evaluate")]
mod eval;
mod failure;
mod gc;
#[cfg(feature = "evaluate")]
mod init;
mod json;
mod kept;
mod logging;
mod prepare;
#[cfg(feature = "wasi")]
mod programs;
mod progress;
mod run;
mod schema;
#[cfg(any(feature = "evaluate", feature = "wasi"))]
mod scratch;
mod selftest;
mod signals;
mod snapshot;
mod spec;
mod spec_source;
mod streams;
mod terminal;
mod version;

pub use app::{run, run_with};
pub use streams::{Input, Streams};
