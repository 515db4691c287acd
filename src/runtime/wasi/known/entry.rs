//! What is known of a program that can be installed.

use serde::Deserialize;

use super::super::catalogue::NewProgram;
use super::super::program::Program;
use super::list::own_file;

/// A program that `programs install` can get.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct KnownProgram {
    /// The name that commands use.
    pub name: String,
    /// Other names that `programs install` takes.
    #[serde(default)]
    pub aliases: Vec<String>,
    /// Its version.
    pub version: String,
    /// A line for people.
    pub about: String,
    /// Under which licences it stands.
    pub licence: String,
    /// The module, whichever package it comes in.
    pub module: KnownModule,
    /// Where it can be had, the best first.
    pub sources: Vec<KnownSource>,
    /// Files of bailiwick's own that the guest reads: from, by name, and their place in the catalogue.
    #[serde(default)]
    pub own_files: Vec<KnownCopy>,
    /// How it is started; mounts are below the entry of the catalogue.
    #[serde(default)]
    pub program: Program,
    /// What it lacks beside the program of that name on an ordinary machine.
    #[serde(default)]
    pub lacks: Vec<String>,
    /// What shows how fast it is.
    #[serde(default)]
    pub measure: Option<KnownMeasure>,
}

/// The module of a known program.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct KnownModule {
    /// Its SHA-256, in hex.
    pub sha256: String,
    /// Its size in bytes.
    pub size: u64,
}

/// A package that holds a known program.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct KnownSource {
    /// The client that gets it.
    pub client: PackageClient,
    /// The package.
    pub package: String,
    /// The version of the package.
    pub version: String,
    /// The SHA-256 of the package's archive, in hex. It covers every file in it.
    pub sha256: String,
    /// The size of the archive in bytes.
    pub size: u64,
    /// The module in the archive.
    pub module: String,
    /// Files and directories of the archive that the guest reads.
    #[serde(default)]
    pub files: Vec<KnownCopy>,
    /// The texts of the licences in the archive.
    #[serde(default)]
    pub licences: Vec<String>,
}

/// The client of the user that gets a package.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PackageClient {
    /// Python's `pip`, for a wheel.
    Pip,
    /// Node's `npm`, for a tar archive.
    Npm,
}

/// Something that is put into the catalogue.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct KnownCopy {
    /// Where it is.
    pub from: String,
    /// Its place below the entry of the catalogue.
    pub to: String,
}

/// What shows how fast a program is: arguments, run by it and by the program of the host that it stands for.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct KnownMeasure {
    /// Arguments that do nothing.
    pub start: Vec<String>,
    /// Arguments that compute for a while. Absent: only the start is measured.
    #[serde(default)]
    pub work: Option<Vec<String>>,
    /// The program of the host that takes the same arguments.
    #[serde(default)]
    pub native: Option<String>,
}

impl PackageClient {
    /// Gives the name of the client.
    pub fn name(self) -> &'static str {
        match self {
            Self::Pip => "pip",
            Self::Npm => "npm",
        }
    }
}

impl KnownSource {
    /// Gives the package with its version, as its client writes it.
    pub fn requirement(&self) -> String {
        match self.client {
            PackageClient::Pip => format!("{}=={}", self.package, self.version),
            PackageClient::Npm => format!("{}@{}", self.package, self.version),
        }
    }
}

impl KnownProgram {
    /// Gives the name with the version: `python@3.12.0`.
    pub fn id(&self) -> String {
        format!("{}@{}", self.name, self.version)
    }

    /// Says whether the program is its module and nothing else of a package.
    pub fn is_module_alone(&self) -> bool {
        self.sources.iter().all(|source| source.files.is_empty())
    }

    /// Gives what the catalogue gets, but for the module and what comes out of an archive.
    pub fn new_program(&self) -> NewProgram {
        let text = |copy: &KnownCopy| (copy.to.clone(), own_file(&copy.from).as_bytes().to_vec());
        NewProgram {
            name: self.name.clone(),
            program: Program { version: Some(self.version.clone()), ..self.program.clone() },
            licence: Some(self.licence.clone()),
            lacks: self.lacks.clone(),
            writes: self.own_files.iter().map(text).collect(),
            ..NewProgram::default()
        }
    }
}
