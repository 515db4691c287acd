//! SQLite databases, in memory only: bytes in, bytes out, no file is ever opened.
//!
//! Never here: SQL that a file brings. Triggers, views, virtual tables, functions, attached databases and extensions
//! of a guest's file are never run.
//! Read next: `read.rs` for what is closed, `write.rs` for the shapes.

mod read;
mod write;

pub(super) use read::read;
pub(super) use write::write;
