//! From files to a suite: what stands at a path, read strictly, expanded, every problem of every file reported together.
//!
//! Never here: running anything, or a file that a submission brings along.
//! Read next: `locate.rs` for what may stand at a path, `wire.rs` for what a case file may say.

mod build;
mod data;
mod file;
mod locate;
mod matrix;
mod problems;
mod schema;
mod step;
mod wire;

pub use locate::open_ambient_suite;
pub(super) use problems::Problems;
pub use schema::cases_schema;
