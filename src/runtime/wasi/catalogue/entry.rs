//! What the catalogue keeps of a program.

use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use super::super::program::Program;

/// The version of the descriptor that this release writes.
pub(super) const VERSION: u32 = 1;
pub(super) const DESCRIPTOR: &str = "program.json";
pub(super) const MODULE: &str = "module.wasm";

/// A program of the catalogue.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct ProgramEntry {
    /// The version of this descriptor.
    pub format: u32,
    /// The name that commands use.
    pub name: String,
    /// The BLAKE3 hash of the module, in hex.
    pub digest: String,
    /// The size of the module in bytes.
    pub size: u64,
    /// Under which licences it stands, where that is known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub licence: Option<String>,
    /// What it lacks beside the program of that name on an ordinary machine.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub lacks: Vec<String>,
    /// Everything else about it; its mounts are absolute paths.
    pub program: Program,
    /// The directory that holds it.
    #[serde(skip)]
    pub dir: PathBuf,
    /// Whether the plain name means this one.
    #[serde(skip)]
    pub is_default: bool,
}

impl ProgramEntry {
    /// Gives the path of the module.
    pub fn module(&self) -> PathBuf {
        self.dir.join(MODULE)
    }

    /// Gives the name with the version, where there is one: `python@3.12.0`.
    pub fn id(&self) -> String {
        match &self.program.version {
            Some(version) => format!("{}@{version}", self.name),
            None => self.name.clone(),
        }
    }

    /// Reads the entry of a directory, if a good one is there.
    pub(super) fn read(dir: &Path) -> Option<Self> {
        let text = std::fs::read(dir.join(DESCRIPTOR)).ok()?;
        let mut entry: Self = serde_json::from_slice(&text).ok()?;
        if entry.format != VERSION {
            return None;
        }
        entry.dir = dir.to_owned();
        entry.anchor();
        Some(entry)
    }

    /// Turns mounts below the entry's own directory, as the descriptor writes them, into paths of this host.
    pub(super) fn anchor(&mut self) {
        for mount in &mut self.program.mounts {
            // An absolute path stays what it is.
            mount.host = self.dir.join(&mount.host).to_string_lossy().into_owned();
        }
    }
}

/// A program to be added: its module and what comes with it.
#[derive(Clone, Debug, Default)]
pub struct NewProgram {
    /// The name that commands use.
    pub name: String,
    /// The file that holds the module.
    pub module: PathBuf,
    /// What it is beyond its module. Mounts that are not absolute are below the entry's own directory.
    pub program: Program,
    /// Under which licences it stands.
    pub licence: Option<String>,
    /// What it lacks.
    pub lacks: Vec<String>,
    /// Files and directories of the host that are copied in, each with its place below the entry's directory.
    pub copies: Vec<(PathBuf, String)>,
    /// Files that are written, each as its place and its content.
    pub writes: Vec<(String, Vec<u8>)>,
}
