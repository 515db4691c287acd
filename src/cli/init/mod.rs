//! `init`: a suite to begin with, written to a new directory.
//!
//! Never here: anything that is not in the templates.
//! Read next: `templates.rs` for what there is, `write.rs` for how it gets to disk.

mod templates;
mod write;

pub(super) use write::{InitArgs, InitObject, run};
