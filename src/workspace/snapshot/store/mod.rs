//! Where the content of snapshots is kept: blobs by their hash, manifests by their id.
//!
//! Owns: the layout on disk (packs with an index, loose blobs above 1 MiB), who may read and write it when, which
//! snapshots are kept or held, and the removal of what nothing reaches. A blob is written once and never changed;
//! everything is written under another name and renamed; everything is verified when it is read.
//! Never here: what a snapshot is taken of, and where it is restored to.
//! Read next: [`SnapshotStore`], then `disk.rs` for the layout and `gc.rs` for what goes.

mod disk;
mod draft;
mod error;
mod folder;
mod gc;
mod hashes;
mod holder;
mod kept;
mod locks;
mod loose;
mod memory;
mod pack;
mod packs;
mod read;
mod snapshots;
mod write;

use draft::Draft;
pub use error::StoreError;
pub use gc::StoreGcReport;
pub(crate) use hashes::Hash;
pub use kept::KeptSnapshot;
pub(crate) use pack::SMALL;
pub(crate) use read::{Large, Reading};

pub(crate) use snapshots::Hold;
pub use snapshots::SnapshotStore;
pub(crate) use write::{BlobDraft, Writing};
