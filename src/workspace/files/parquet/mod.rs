//! Parquet: a list of flat records, in columns.
//!
//! Owns: the look at a file's structure before its reader sees it, pages unpacked within the bounds, and what a column
//! of a type means. Never here: nested columns, encrypted files, a library's own decompression of what a guest packed.
//! Read next: `read.rs`, `thrift.rs` for why the structure is walked first, `write.rs`.

mod cells;
mod footer;
mod meaning;
mod page;
mod read;
mod thrift;
mod unpack;
mod write;

pub(super) use read::read;
pub(super) use write::write;
