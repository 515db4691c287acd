//! What the `snapshot` commands print with `--json`.

use schemars::JsonSchema;
use serde::Serialize;

/// A snapshot that was taken and is kept.
#[derive(Clone, Debug, Serialize, JsonSchema)]
#[schemars(title = "snapshot create")]
pub(in crate::cli) struct CreatedObject {
    /// The version of this object.
    pub(in crate::cli) version: u32,
    /// Its id.
    pub(in crate::cli) id: String,
    /// How many entries it has.
    pub(in crate::cli) entries: u64,
    /// The bytes of all its files.
    pub(in crate::cli) bytes: u64,
    /// How many files were read; the others were known.
    pub(in crate::cli) read: u64,
    /// FIFOs, sockets and devices that were seen and are no part of it.
    pub(in crate::cli) specials: u64,
    /// Directories left out because another file system is mounted there.
    pub(in crate::cli) mounts: u64,
    /// The archive that was written as well.
    pub(in crate::cli) archive: Option<String>,
    /// Files that kept changing while they were read.
    pub(in crate::cli) unsettled: Vec<String>,
}

/// What a snapshot holds.
#[derive(Clone, Debug, Serialize, JsonSchema)]
#[schemars(title = "snapshot show")]
pub(in crate::cli) struct ShownSnapshotObject {
    /// The version of this object.
    pub(in crate::cli) version: u32,
    /// Its id.
    pub(in crate::cli) id: String,
    /// The bytes of all its files.
    pub(in crate::cli) bytes: u64,
    /// Its entries, in the order of their paths' bytes.
    pub(in crate::cli) entries: Vec<EntryObject>,
}

/// One entry of a snapshot.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub(in crate::cli) struct EntryObject {
    /// Its path; bytes that are not UTF-8 are replaced.
    pub(in crate::cli) path: String,
    /// What it is: `file`, `directory`, `symlink`, `special`.
    pub(in crate::cli) kind: &'static str,
    /// Its permission bits, four octal digits.
    pub(in crate::cli) mode: String,
    /// The bytes that a file holds or a link is long.
    pub(in crate::cli) size: Option<u64>,
    /// The BLAKE3 hash of a file's content.
    pub(in crate::cli) hash: Option<String>,
    /// Where a link points.
    pub(in crate::cli) target: Option<String>,
}

/// A directory that is equal to a snapshot now.
#[derive(Clone, Debug, Serialize, JsonSchema)]
#[schemars(title = "snapshot restore")]
pub(in crate::cli) struct RestoredObject {
    /// The version of this object.
    pub(in crate::cli) version: u32,
    /// The id of the snapshot.
    pub(in crate::cli) id: String,
    /// Files that were written.
    pub(in crate::cli) files: u64,
    /// Directories that were made.
    pub(in crate::cli) directories: u64,
    /// Links that were made.
    pub(in crate::cli) links: u64,
    /// The bytes of all files.
    pub(in crate::cli) bytes: u64,
}

/// The snapshots that are kept, the oldest first.
#[derive(Clone, Debug, Serialize, JsonSchema)]
#[schemars(title = "snapshot list")]
pub(in crate::cli) struct KeptSnapshotsObject {
    /// The version of this object.
    pub(in crate::cli) version: u32,
    /// The snapshots.
    pub(in crate::cli) snapshots: Vec<KeptObject>,
}

/// One snapshot that is kept.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub(in crate::cli) struct KeptObject {
    /// Its id.
    pub(in crate::cli) id: String,
    /// When it was kept, as RFC 3339 writes it.
    pub(in crate::cli) created: String,
    /// What it was taken of.
    pub(in crate::cli) source: String,
    /// How many entries it has.
    pub(in crate::cli) entries: u64,
    /// The bytes of all its files.
    pub(in crate::cli) bytes: u64,
    /// FIFOs, sockets and devices that were seen and are no part of it.
    pub(in crate::cli) specials: u64,
}

/// Snapshots that are no longer kept.
#[derive(Clone, Debug, Serialize, JsonSchema)]
#[schemars(title = "snapshot remove")]
pub(in crate::cli) struct RemovedSnapshotsObject {
    /// The version of this object.
    pub(in crate::cli) version: u32,
    /// Their ids.
    pub(in crate::cli) removed: Vec<String>,
}
