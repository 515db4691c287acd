//! The program catalogue of a host: a directory a program and version, its module copied and named by digest.
//!
//! `programs/<name>/<version>/` holds `program.json`, `module.wasm`, `files/` (what the guest reads) and `licences/`;
//! `programs/<name>/default` names the version that the plain name means. A program without a version stands in
//! `programs/<name>/` itself.
//! Never here: fetching, compiling, or a decision about what may run.
//! Read next: `store.rs` for finding and adding, `entry.rs` for what is kept of a program.

mod entry;
mod error;
mod files;
mod store;

pub use entry::{NewProgram, ProgramEntry};
pub use error::CatalogueError;
pub use store::Catalogue;
