//! What became of a tree, with the lines that changed: to be read by people, by programs and by `git apply`.
//!
//! Owns: the list of changes with their text, its bounds, its patch, JSON and short forms, and its application.
//! Never here: where content is kept, how a manifest is taken.
//! Read next: [`SnapshotDiff`], then `compare.rs`; `patch.rs` for what `git apply` takes.

mod apply;
mod bounds;
mod compare;
mod file;
mod json;
mod lines;
mod names;
mod patch;
mod place;
mod quote;
mod segments;
mod stat;

pub use apply::ApplyError;
pub use bounds::DiffBounds;
pub use compare::{SnapshotDiff, Tree};
pub use file::{DiffBody, DiffStats, FileChange, FileDiff, Omission, TextDiff};
pub use json::DiffJsonError;
