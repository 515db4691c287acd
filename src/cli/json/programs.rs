//! What the `programs` commands print with `--json`.

use schemars::JsonSchema;
use serde::Serialize;

/// The programs of this host, as commands find them.
#[derive(Clone, Debug, Serialize, JsonSchema)]
#[schemars(title = "programs")]
pub(in crate::cli) struct ProgramsObject {
    /// The version of this object.
    pub(in crate::cli) version: u32,
    /// The programs, by name; of one name, what the plain name means comes first.
    pub(in crate::cli) programs: Vec<ListedProgram>,
}

/// One program.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub(in crate::cli) struct ListedProgram {
    /// The name that commands use.
    pub(in crate::cli) name: String,
    /// Its version, where it is known.
    pub(in crate::cli) program_version: Option<String>,
    /// What `use` in a spec says to mean exactly this one.
    pub(in crate::cli) id: String,
    /// Whether the plain name means this one.
    pub(in crate::cli) is_default: bool,
    /// Under which licences it stands, where that is known.
    pub(in crate::cli) licence: Option<String>,
    /// The BLAKE3 hash of its module, in hex.
    pub(in crate::cli) digest: String,
    /// The size of its module in bytes.
    pub(in crate::cli) size: u64,
    /// Where its module is.
    pub(in crate::cli) module: String,
    /// What it lacks beside the program of that name on an ordinary machine.
    pub(in crate::cli) lacks: Vec<String>,
    /// How long it takes to start, once compiled; only where that was measured now.
    pub(in crate::cli) start_time: Option<StartTime>,
    /// How fast it computes beside a program of this host; only where that was measured now.
    pub(in crate::cli) speed: Option<Speed>,
}

/// How long a program takes to start.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub(in crate::cli) struct StartTime {
    /// Seconds, with a fraction.
    pub(in crate::cli) seconds: f64,
    /// What measured it.
    pub(in crate::cli) by: &'static str,
}

/// How fast a program computes.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub(in crate::cli) struct Speed {
    /// Times as fast: 1 is as fast, 0.1 takes ten times as long.
    pub(in crate::cli) ratio: f64,
    /// The program of this host that did the same.
    pub(in crate::cli) beside: String,
    /// What measured it.
    pub(in crate::cli) by: &'static str,
}
