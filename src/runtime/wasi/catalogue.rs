//! The program catalogue of a host: a directory a program, its module copied and named by digest.

use std::io::{Read, Write};
use std::os::unix::fs::DirBuilderExt;
use std::path::{Path, PathBuf};

use cap_std::ambient_authority;
use cap_std::fs::{Dir, OpenOptions, OpenOptionsExt};
use serde::{Deserialize, Serialize};

use super::program::Program;
use crate::error::{ErrorKind, ExecutionError};
use crate::host::Host;

/// The version of the descriptor that this release writes.
const VERSION: u32 = 1;
const DESCRIPTOR: &str = "program.json";
const MODULE: &str = "module.wasm";

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
    /// Everything else about it.
    pub program: Program,
    /// The directory that holds it.
    #[serde(skip)]
    pub dir: PathBuf,
}

impl ProgramEntry {
    /// Gives the path of the module.
    pub fn module(&self) -> PathBuf {
        self.dir.join(MODULE)
    }
}

/// What may go wrong with the catalogue.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum CatalogueError {
    /// The host has no data directory.
    #[error("this host has no data directory for programs")]
    NoDirectory,
    /// The name is not one that a command could use.
    #[error("`{name}` cannot be the name of a program")]
    BadName {
        /// The name.
        name: String,
    },
    /// There is no such program.
    #[error("no program is called `{name}`")]
    Unknown {
        /// The name.
        name: String,
    },
    /// The file is no module.
    #[error("`{path}` is not a WebAssembly module")]
    NotAModule {
        /// The file.
        path: PathBuf,
    },
    /// A file could not be read or written.
    #[error("{action} `{path}`")]
    Io {
        /// What was being done.
        action: &'static str,
        /// The file.
        path: PathBuf,
        /// What the system said.
        #[source]
        source: std::io::Error,
    },
}

impl From<CatalogueError> for ExecutionError {
    fn from(error: CatalogueError) -> Self {
        let hint = match &error {
            CatalogueError::NoDirectory => Some("set `BAILIWICK_DATA_DIR` or `HOME`"),
            CatalogueError::BadName { .. } => {
                Some("use letters, digits, `-`, `_`, `.` and `+`; begin with a letter or digit")
            }
            CatalogueError::Unknown { .. } => Some("`bailiwick programs list` shows the known ones"),
            CatalogueError::NotAModule { .. } => Some("give a `.wasm` file of WASI preview 1, or its text form"),
            CatalogueError::Io { .. } => None,
        };
        let wrapped = Self::new(ErrorKind::Unavailable, error);
        match hint {
            Some(hint) => wrapped.with_hint(hint),
            None => wrapped,
        }
    }
}

/// The programs of a host.
#[derive(Clone, Debug, Default)]
pub struct Catalogue {
    own: Option<PathBuf>,
    shared: Vec<PathBuf>,
}

impl Catalogue {
    /// Opens the catalogue of a host; nothing is read or made yet.
    pub fn open(host: &Host) -> Self {
        let programs = |dir: &PathBuf| dir.join("programs");
        Self {
            own: host.dirs.data.as_ref().map(programs),
            shared: host.dirs.shared_data.iter().map(programs).collect(),
        }
    }

    /// Finds a program by name; the user's own come before the machine's.
    pub fn find(&self, name: &str) -> Option<ProgramEntry> {
        is_name(name).then(|| self.dirs().find_map(|dir| read_entry(&dir.join(name))))?
    }

    /// Lists the programs by name; a name that stands in several places is listed once, as it would be found.
    pub fn list(&self) -> Vec<ProgramEntry> {
        let mut found = std::collections::BTreeMap::new();
        for dir in self.dirs() {
            let Ok(entries) = std::fs::read_dir(dir) else { continue };
            for entry in entries.flatten().filter_map(|entry| read_entry(&entry.path())) {
                found.entry(entry.name.clone()).or_insert(entry);
            }
        }
        found.into_values().collect()
    }

    /// Copies a module in under a name, in place of what had that name.
    ///
    /// # Errors
    /// See [`CatalogueError`].
    pub fn add(&self, name: &str, module: &Path, program: Program) -> Result<ProgramEntry, CatalogueError> {
        if !is_name(name) {
            return Err(CatalogueError::BadName { name: name.to_owned() });
        }
        let bytes = read_module(module)?;
        let dir = self.own.as_ref().ok_or(CatalogueError::NoDirectory)?.join(name);
        let io = |action, path: &Path| {
            let path = path.to_owned();
            move |source| CatalogueError::Io { action, path, source }
        };
        std::fs::DirBuilder::new().recursive(true).mode(0o755).create(&dir).map_err(io("make", &dir))?;
        let held = Dir::open_ambient_dir(&dir, ambient_authority()).map_err(io("open", &dir))?;
        let digest = blake3::hash(&bytes).to_hex().to_string();
        let size = bytes.len() as u64;
        let entry = ProgramEntry { format: VERSION, name: name.to_owned(), digest, size, program, dir: dir.clone() };
        let text = serde_json::to_vec_pretty(&entry).map_err(std::io::Error::other).map_err(io("write", &dir))?;
        write_whole(&held, MODULE, &bytes).map_err(io("write", &dir.join(MODULE)))?;
        write_whole(&held, DESCRIPTOR, &text).map_err(io("write", &dir.join(DESCRIPTOR)))?;
        Ok(entry)
    }

    /// Removes one of the user's own programs.
    ///
    /// # Errors
    /// See [`CatalogueError`].
    pub fn remove(&self, name: &str) -> Result<(), CatalogueError> {
        let unknown = || CatalogueError::Unknown { name: name.to_owned() };
        let dir = self.own.as_ref().filter(|_| is_name(name)).ok_or_else(unknown)?;
        let held = Dir::open_ambient_dir(dir, ambient_authority()).map_err(|_| unknown())?;
        if !held.exists(name) {
            return Err(unknown());
        }
        held.remove_dir_all(name).map_err(|source| CatalogueError::Io {
            action: "remove",
            path: dir.join(name),
            source,
        })
    }

    fn dirs(&self) -> impl Iterator<Item = &PathBuf> {
        self.own.iter().chain(&self.shared)
    }
}

fn is_name(name: &str) -> bool {
    let good = |byte: u8| byte.is_ascii_alphanumeric() || b"-_.+".contains(&byte);
    name.len() <= 64 && name.bytes().all(good) && name.bytes().next().is_some_and(|byte| byte.is_ascii_alphanumeric())
}

fn read_entry(dir: &Path) -> Option<ProgramEntry> {
    let text = std::fs::read(dir.join(DESCRIPTOR)).ok()?;
    let entry: ProgramEntry = serde_json::from_slice(&text).ok()?;
    (entry.format == VERSION).then(|| ProgramEntry { dir: dir.to_owned(), ..entry })
}

fn read_module(path: &Path) -> Result<Vec<u8>, CatalogueError> {
    let failed = |source| CatalogueError::Io { action: "read", path: path.to_owned(), source };
    let mut bytes = Vec::new();
    std::fs::File::open(path).and_then(|mut file| file.read_to_end(&mut bytes)).map_err(failed)?;
    let not_a_module = || CatalogueError::NotAModule { path: path.to_owned() };
    #[cfg(feature = "wat")]
    let bytes = wat::parse_bytes(&bytes).map_err(|_| not_a_module())?.into_owned();
    if bytes.starts_with(b"\0asm") { Ok(bytes) } else { Err(not_a_module()) }
}

fn write_whole(dir: &Dir, name: &str, bytes: &[u8]) -> std::io::Result<()> {
    let draft = format!(".{name}.{}", std::process::id());
    let mut options = OpenOptions::new();
    options.write(true).create(true).truncate(true).mode(0o644);
    let mut file = dir.open_with(&draft, &options)?;
    file.write_all(bytes)?;
    file.sync_all()?;
    dir.rename(&draft, dir, name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_program_is_found_as_it_was_added_and_gone_when_removed() {
        let data = tempfile::tempdir().unwrap();
        let mut host = Host::default();
        host.dirs.data = Some(data.path().to_owned());
        let catalogue = Catalogue::open(&host);
        let module = data.path().join("m.wasm");
        std::fs::File::create(&module).unwrap().write_all(b"\0asm\x01\0\0\0").unwrap();
        let added = catalogue.add("tool", &module, Program::default()).unwrap();
        assert_eq!(catalogue.find("tool"), Some(added.clone()));
        assert_eq!(catalogue.list(), [added]);
        catalogue.remove("tool").unwrap();
        assert_eq!(catalogue.find("tool"), None);
        assert!(matches!(catalogue.remove("tool"), Err(CatalogueError::Unknown { .. })));
    }

    #[test]
    fn names_are_words_and_modules_are_modules() {
        let data = tempfile::tempdir().unwrap();
        let mut host = Host::default();
        host.dirs.data = Some(data.path().to_owned());
        let catalogue = Catalogue::open(&host);
        for bad in ["", "../x", "a/b", ".hidden", "a b"] {
            let added = catalogue.add(bad, Path::new("/dev/null"), Program::default());
            assert!(matches!(added, Err(CatalogueError::BadName { .. })), "{bad}");
        }
        let added = catalogue.add("empty", Path::new("/dev/null"), Program::default());
        assert!(matches!(added, Err(CatalogueError::NotAModule { .. })), "{added:?}");
    }
}
