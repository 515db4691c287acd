//! The layout of a store on disk.
//!
//! ```text
//! format               "bailiwick snapshot store 1"
//! lock                 held shared by readers and writers, alone by gc
//! packs/N.pack         blobs of at most 1 MiB, one after the other
//! packs/N.index        where each of them is; N is the hash of the index
//! blobs/ab/abcd…       one larger blob each, by hash
//! manifests/ID         a manifest in its canonical encoding, so that its hash is its name
//! kept/ID              what is said of a kept snapshot
//! owners/O/ID          a snapshot that the process O holds; O is locked while that process lives
//! stat/K               what need not be read again, by source
//! ```

use std::path::Path;
use std::sync::{Mutex, MutexGuard, PoisonError};

use cap_std::ambient_authority;
use cap_std::fs::Dir;

use super::StoreError;
use super::draft::DRAFT;
use super::folder::{Durability, Folder};
use super::holder::Holders;
use super::locks::{self, StoreLock};
use super::loose::Loose;
use super::packs::Packs;

/// The newest layout that is known.
const LAYOUT: u64 = 1;
const FORMAT: &str = "format";
const FORMAT_BEGINS: &str = "bailiwick snapshot store ";

/// A store in a directory.
#[derive(Debug)]
pub(super) struct Disk {
    pub(super) root: Folder,
    pub(super) packs_folder: Folder,
    pub(super) loose: Loose,
    pub(super) manifests: Folder,
    pub(super) kept: Folder,
    pub(super) owners: Folder,
    pub(super) stat: Folder,
    packs: Mutex<Packs>,
    pub(super) holders: Holders,
}

impl Disk {
    /// Opens a store, and makes it where there is none.
    pub(super) fn open(path: &Path) -> Result<Self, StoreError> {
        let failed = |error| StoreError::io("open", path.to_owned(), error);
        make_private(path).map_err(failed)?;
        let root = Dir::open_ambient_dir(path, ambient_authority()).map_err(failed)?;
        let root = Folder::new(root, path.to_owned());
        check_format(&root)?;
        Ok(Self {
            packs_folder: root.folder("packs")?,
            loose: Loose::new(root.folder("blobs")?),
            manifests: root.folder("manifests")?,
            kept: root.folder("kept")?,
            owners: root.folder("owners")?,
            stat: root.folder("stat")?,
            root,
            packs: Mutex::default(),
            holders: Holders::default(),
        })
    }

    /// Enters the store, among others; nothing goes away until the lock is dropped.
    pub(super) fn enter(&self) -> Result<StoreLock, StoreError> {
        let lock = locks::share(&self.root)?;
        self.packs().refresh(&self.packs_folder)?;
        Ok(lock)
    }

    /// Enters the store alone.
    pub(super) fn enter_alone(&self) -> Result<StoreLock, StoreError> {
        let lock = locks::exclude(&self.root)?;
        self.packs().refresh(&self.packs_folder)?;
        Ok(lock)
    }

    pub(super) fn packs(&self) -> MutexGuard<'_, Packs> {
        self.packs.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Makes the directory and those above it; it alone is for this user only.
fn make_private(path: &Path) -> std::io::Result<()> {
    use cap_std::fs::{Permissions, PermissionsExt};
    if path.is_dir() {
        return Ok(());
    }
    Dir::create_ambient_dir_all(path, ambient_authority())?;
    let dir = Dir::open_ambient_dir(path, ambient_authority())?;
    dir.set_permissions(".", Permissions::from_mode(0o700))
}

fn check_format(root: &Folder) -> Result<(), StoreError> {
    let corrupt = |problem| StoreError::Corrupt { what: "file", name: FORMAT.to_owned(), problem };
    let Some(text) = root.read(FORMAT)? else {
        // A draft is another process's that makes the same store now.
        if root.names()?.iter().any(|name| !name.starts_with(DRAFT)) && root.read(FORMAT)?.is_none() {
            return Err(StoreError::NotAStore { path: root.path().to_owned() });
        }
        let text = format!("{FORMAT_BEGINS}{LAYOUT}\n");
        return root.write(FORMAT, text.as_bytes(), Durability::Lazy);
    };
    let text = String::from_utf8(text).map_err(|_| corrupt("is no text"))?;
    let version = text.strip_prefix(FORMAT_BEGINS).and_then(|rest| rest.trim_end().parse::<u64>().ok());
    match version {
        Some(LAYOUT) => Ok(()),
        Some(found) if found > LAYOUT => Err(StoreError::Newer { path: root.path().to_owned(), found, known: LAYOUT }),
        Some(_) | None => Err(corrupt("names no layout that there ever was")),
    }
}
