//! What the submission sees: its workspace, reached through descriptors only.
//!
//! Owns: where workspaces live and who removes them, walking, copying and removing trees, the rule for names,
//! reading outputs and writing inputs, what files mean by their type, snapshots' manifests and diffs, archives, assets and
//! the placeholders that name them.
//! Never here: a runtime, a process, a path of the guest resolved by string.
//! Read next: [`Workspace`], then `at.rs` for how a name is opened, `walk.rs` for how a tree is walked.

mod archive;
mod assets;
mod at;
mod available;
mod base;
mod bytes;
#[cfg(feature = "cli")]
mod cache_folder;
mod cache_use;
mod charge;
mod contents;
mod copy;
mod copy_options;
mod error;
#[cfg(feature = "files")]
mod files;
mod gc;
mod give;
mod globs;
mod host_file;
#[cfg(feature = "docker")]
mod incoming;
mod inputs;
mod memory;
mod open;
mod owner;
mod path;
mod pattern;
mod placeholders;
mod reaper;
mod remove;
mod snapshot;
mod space;
mod stack;
mod tree;
mod usage;
mod walk;

#[cfg(feature = "files")]
pub use archive::{Archive, archive_snapshot, pack, save_archive};
pub use archive::{ArchiveBounds, ArchiveError, ArchiveFormat, ArchiveRules, LinkRule, SpecialRule};
#[cfg(feature = "cli")]
pub(crate) use assets::CACHED_ASSETS;
pub use assets::{
    AssetError, AssetKind, AssetResolver, ResolvedStaticAsset, SecretConfig, StagedAsset, StagedAssets,
    StaticAssetConfig, StaticAssets, resolve_static_assets,
};
#[cfg(feature = "testing")]
pub(crate) use at::random;
#[cfg(feature = "docker")]
pub(crate) use at::{Kind, Meta, Stamp, meta, read_link};
#[cfg(feature = "testing")]
pub(crate) use base::directory_path;
pub use base::{Base, BaseNeed};
#[cfg(feature = "cli")]
pub(crate) use cache_folder::CacheFolder;
#[cfg(any(feature = "evaluate", all(feature = "cli", feature = "wasi")))]
pub(crate) use cache_use::DRAFT;
#[cfg(feature = "evaluate")]
pub(crate) use cache_use::touch;
pub use contents::{Content, Contents, ContentsBounds, FileOutcome};
pub use copy::CopyIn;
pub use copy_options::{Bounds, CopyReport};
pub use error::WorkspaceError;
#[cfg(feature = "files")]
pub use files::{
    FileBounds, FileCompression, FileError, FileSignature, FileType, FileValue, FormatError, InputFileConfig,
    TypedContents, TypedOutcome,
};
pub(crate) use gc::gc_after;
#[cfg(feature = "testing")]
pub(crate) use gc::is_clear_of;
pub use gc::{Elsewhere, GcMode, GcReport, GcScope, gc};
pub use globs::Globs;
#[cfg(feature = "docker")]
pub(crate) use incoming::{Attributes, Incoming};
pub use inputs::{InputContent, InputFile};
pub use memory::DEFAULT_ENTRIES;
pub use open::{PrivateDir, Quota, Workspace};
pub use owner::{Owner, OwnerId};
pub use path::{MAX_COMPONENT, PathError, WorkspacePath};
pub use placeholders::{PlaceholderError, Placeholders};
pub use reaper::{Flushed, Reaper};
#[cfg(feature = "cli")]
pub(crate) use snapshot::scan_watched;
pub use snapshot::{
    ApplyError, Capture, Captured, Change, ChangeKind, Changes, ContentSource, DiffBody, DiffBounds, DiffJsonError,
    DiffStats, Entry, EntryKind, FileChange, FileDiff, KeptSnapshot, Manifest, Omission, Restore, Scan, Snapshot,
    SnapshotDiff, SnapshotId, SnapshotIdError, SnapshotProgress, SnapshotStore, StatCache, StoreError, StoreGcReport,
    Take, TakeMemory, Taken, TextDiff, Tree, Watch, scan,
};
#[cfg(feature = "docker")]
pub(crate) use tree::open_regular;
pub use usage::DiskUsage;
#[cfg(feature = "docker")]
pub(crate) use walk::{Descend, Seen, Visit, walk};
