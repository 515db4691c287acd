//! Typed files: what a file's bytes mean, and back, by the ending of its name.
//!
//! Owns: types and compressions, one reader and one writer for each, the bounds of reading, the forms that a file of
//! cases writes an input in. Never here: a path, a descriptor, a look at the host but for a case's own files.
//! Whatever a guest wrote is a value or a [`FileError`] that callers make an outcome of; it is never trusted.
//! Read next: [`FileSignature`], then `read.rs` and `write.rs`, `bounds.rs` for what stops a hostile file.

mod binary;
mod bounds;
mod codec;
mod config;
mod error;
mod grid;
mod json;
#[cfg(feature = "parquet")]
mod parquet;
mod read;
mod signature;
mod sqlite;
#[cfg(test)]
mod tests;
mod toml;
mod tree;
mod typed;
mod value;
mod write;
mod yaml;

pub use bounds::FileBounds;
pub use config::InputFileConfig;
pub use error::{FileError, FormatError};
pub use signature::{FileCompression, FileSignature, FileType};
pub use typed::{TypedContents, TypedOutcome};
pub use value::FileValue;
