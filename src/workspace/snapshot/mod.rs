//! What a tree holds, under a name that its content gives it.
//!
//! Owns: manifests and their ids, taking one again cheaply, comparing two with their text, the store of the content,
//! restoring it, capturing a workspace to go back to.
//! Never here: archives.
//! Read next: [`Manifest`], then `scan.rs`, then [`SnapshotStore`].

mod batch;
mod beside;
mod cache;
mod capture;
mod changes;
mod codec;
mod content;
mod diff;
mod held;
mod id;
mod lane;
mod manifest;
mod restore;
mod scan;
mod scope;
mod settle;
mod store;
mod take;

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
pub use held::{Snapshot, SnapshotProgress, Watch};
pub use id::{SnapshotId, SnapshotIdError};
pub use manifest::{Entry, EntryKind, Manifest};
pub use restore::Restore;
#[cfg(feature = "cli")]
pub(crate) use scan::scan_watched;
pub use scan::{Scan, scan};
pub use scope::Capture;
pub use store::{KeptSnapshot, SnapshotStore, StoreError, StoreGcReport};
pub use take::{Take, TakeMemory, Taken};
