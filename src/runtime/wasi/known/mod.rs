//! The programs that `programs install` knows: where a package holds them, their digests, and how they are started.
//!
//! Data, one file a program; adding one is adding a file and its line in `list.rs`.
//! Never here: fetching (that is the user's own client, in `cli/programs/fetch.rs`), or writing.
//! Read next: `entry.rs` for what a file says, `python.yaml` for one.

mod entry;
mod list;

pub use entry::{KnownCopy, KnownMeasure, KnownModule, KnownProgram, KnownSource, PackageClient};
pub use list::{known_program, known_programs};
