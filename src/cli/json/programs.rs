//! What the `programs` commands print with `--json`.

use schemars::JsonSchema;
use serde::Serialize;

/// The programs of this host, as commands find them.
#[derive(Clone, Debug, Serialize, JsonSchema)]
#[schemars(title = "programs")]
pub(in crate::cli) struct ProgramsObject {
    /// The version of this object.
    pub(in crate::cli) version: u32,
    /// The programs, by name.
    pub(in crate::cli) programs: Vec<ListedProgram>,
}

/// One program.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub(in crate::cli) struct ListedProgram {
    /// The name that commands use.
    pub(in crate::cli) name: String,
    /// Its version, where it is known.
    pub(in crate::cli) program_version: Option<String>,
    /// The BLAKE3 hash of its module, in hex.
    pub(in crate::cli) digest: String,
    /// The size of its module in bytes.
    pub(in crate::cli) size: u64,
    /// Where its module is.
    pub(in crate::cli) module: String,
}
