//! What a tree holds, under a name that its content gives it.
//!
//! Owns: manifests and their ids, taking one again cheaply, comparing two with their text, capturing a tree to restore it.
//! Never here: stores, archives.
//! Read next: [`Manifest`], then `scan.rs`.

mod cache;
mod capture;
mod changes;
mod content;
mod diff;
mod id;
mod manifest;
mod scan;
mod scope;

pub use cache::StatCache;
pub use capture::Captured;
pub use changes::{Change, ChangeKind, Changes};
pub use content::ContentSource;
#[cfg(feature = "files")]
pub(super) use content::each_piece;
pub use diff::{
    ApplyError, DiffBody, DiffBounds, DiffJsonError, DiffStats, FileChange, FileDiff, Omission, SnapshotDiff, TextDiff,
    Tree,
};
pub use id::{SnapshotId, SnapshotIdError};
pub use manifest::{Entry, EntryKind, Manifest};
pub use scan::{Scan, scan};
pub use scope::Capture;
