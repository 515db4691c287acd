//! One read-only tree with a copy of every asset: what runtimes mount, open or hand out.

use std::collections::BTreeMap;
use std::ffi::CString;
use std::io;
use std::os::fd::AsFd as _;

use cap_std::fs::Dir;
use rustix::fs::Mode;

use super::copy::{Copy, Modes, make_dir, set_mode};
use super::resolve::failed;
use crate::workspace::error::WorkspaceError;
use crate::workspace::remove::remove;

use super::{AssetError, AssetKind, ResolvedStaticAsset};

/// The assets of a session, staged: each stands at its save path below one root.
///
/// The tree is a copy (sharing content where the file system can), so that nothing done to it
/// reaches an original. Files are 0444 (0555 where the original could be executed), directories
/// 0555. Whoever made the root removes it, after [`unlock`](Self::unlock).
#[derive(Debug)]
pub struct StagedAssets {
    root: Dir,
    assets: BTreeMap<String, StagedAsset>,
}

/// One staged asset.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct StagedAsset {
    /// Where it stands below the root.
    pub save_path: String,
    /// What it is.
    pub kind: AssetKind,
}

impl StagedAssets {
    /// Copies assets into an empty directory, and closes it for writing.
    ///
    /// Symlinks inside a directory asset are copied as links when they can only lead to somewhere
    /// in that asset: relative, with `..` only at the beginning. Other links are refused, and so are
    /// pipes, sockets and devices.
    ///
    /// # Errors
    /// What cannot be read, copied or has changed since it was resolved. What was copied stays,
    /// unlocked, for the owner of `root` to remove.
    pub fn stage(root: Dir, assets: &[ResolvedStaticAsset]) -> Result<Self, AssetError> {
        match Self::fill(&root, assets) {
            Ok(assets) => Ok(Self { root, assets }),
            Err(error) => {
                // Whatever stays locked meets whoever removes the tree; this failure is the one to tell.
                let _ = unlock(&root);
                Err(error)
            }
        }
    }

    fn fill(root: &Dir, assets: &[ResolvedStaticAsset]) -> Result<BTreeMap<String, StagedAsset>, AssetError> {
        ResolvedStaticAsset::check_together(assets)?;
        let mut staged = BTreeMap::new();
        for asset in assets {
            copy_asset(asset, root)?;
            let entry = StagedAsset { save_path: asset.save_path().to_owned(), kind: asset.kind() };
            staged.insert(asset.name().to_owned(), entry);
        }
        close(root, assets)?;
        Ok(staged)
    }

    /// Gives the root of the tree.
    pub fn root(&self) -> &Dir {
        &self.root
    }

    /// Says whether there is no asset at all.
    pub fn is_empty(&self) -> bool {
        self.assets.is_empty()
    }

    /// Gives one asset.
    pub fn get(&self, name: &str) -> Option<&StagedAsset> {
        self.assets.get(name)
    }

    /// Lists the assets with their names, sorted.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &StagedAsset)> {
        self.assets.iter().map(|(name, asset)| (name.as_str(), asset))
    }

    /// Gives the path of each asset for placeholders, below where the guest sees the root.
    pub fn placeholders(&self, static_root: &str) -> crate::workspace::Placeholders {
        let root = static_root.trim_end_matches('/');
        self.iter().map(|(name, asset)| (name.to_owned(), format!("{root}/{}", asset.save_path))).collect()
    }

    /// Copies every asset to its save path in a workspace, to be written by an agent.
    ///
    /// Parents are made; whatever stands at a save path is replaced.
    ///
    /// # Errors
    /// What cannot be removed, made or copied, and a save path that leads out of the workspace.
    pub fn copy_into(&self, workspace: &Dir) -> Result<(), AssetError> {
        for (name, asset) in self.iter() {
            let copy = Copy { name, modes: Modes::Writable };
            let path = asset.save_path.as_str();
            let io = |error| failed("replace", name, path, error);
            let (parent, last) = open_parent(workspace, path, Modes::Writable).map_err(io)?;
            replace(&parent, last)
                .map_err(|source| AssetError::Replace { name: name.to_owned(), source: Box::new(source) })?;
            match asset.kind {
                AssetKind::File => copy.file(self.root.open(path).map_err(io)?, &parent, last, path)?,
                AssetKind::Directory => {
                    let made = make_dir(&parent, last).map_err(io)?;
                    copy.tree(&self.root.open_dir(path).map_err(io)?, &made, path, 0)?;
                    set_mode(&made, Modes::Writable.dir()).map_err(io)?;
                }
            }
        }
        Ok(())
    }

    /// Makes the tree removable: directories are 0700 again. Idempotent.
    ///
    /// # Errors
    /// The first directory that cannot be changed; the others have been.
    pub fn unlock(&self) -> io::Result<()> {
        unlock(&self.root)
    }
}

/// Opens a directory of a staged tree for its removal, and all below it.
fn unlock(dir: &Dir) -> io::Result<()> {
    set_mode(dir, Mode::RWXU)?;
    let mut first = Ok(());
    for entry in dir.entries()? {
        let entry = entry?;
        if entry.file_type()?.is_dir() {
            let below = entry.open_dir().and_then(|dir| unlock(&dir));
            first = first.and(below);
        }
    }
    first
}

fn copy_asset(asset: &ResolvedStaticAsset, root: &Dir) -> Result<(), AssetError> {
    let copy = Copy { name: asset.name(), modes: Modes::ReadOnly };
    let io = |error| failed("stage", asset.name(), asset.path(), error);
    let (parent, last) = open_parent(root, asset.save_path(), Modes::ReadOnly).map_err(io)?;
    match asset.kind() {
        AssetKind::File => {
            copy.file(asset.open()?, &parent, last, asset.path())?;
            // The copy is checked, not the original: what was resolved may have changed since.
            asset.verify(parent.open(last).map_err(io)?)
        }
        AssetKind::Directory => {
            let made = make_dir(&parent, last).map_err(io)?;
            copy.tree(&asset.open_dir()?, &made, asset.path(), 0)?;
            set_mode(&made, Modes::ReadOnly.dir()).map_err(io)
        }
    }
}

/// Removes what a guest may have put at a save path, however it is made.
fn replace(parent: &Dir, name: &str) -> Result<(), WorkspaceError> {
    let c_name = CString::new(name).map_err(|error| WorkspaceError::io("remove", name.as_bytes(), error))?;
    remove(parent.as_fd(), &c_name)
}

/// Opens the directory that a save path stands in, making it; gives it with the last name.
fn open_parent<'a>(root: &Dir, save_path: &'a str, modes: Modes) -> io::Result<(Dir, &'a str)> {
    let mut here = root.try_clone()?;
    let (parents, last) = save_path.rsplit_once('/').unwrap_or(("", save_path));
    for name in parents.split('/').filter(|name| !name.is_empty()) {
        here = match here.open_dir(name) {
            Ok(dir) => dir,
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                let made = make_dir(&here, name)?;
                // A read-only tree is closed at the end, when nothing more has to be made in it.
                if modes == Modes::Writable {
                    set_mode(&made, modes.dir())?;
                }
                made
            }
            Err(error) => return Err(error),
        };
    }
    Ok((here, last))
}

/// Closes the root and the parents of save paths; the assets themselves are closed already.
fn close(root: &Dir, assets: &[ResolvedStaticAsset]) -> Result<(), AssetError> {
    for asset in assets {
        let io = |error| failed("stage", asset.name(), asset.path(), error);
        let mut path = asset.save_path();
        while let Some((parent, _)) = path.rsplit_once('/') {
            let dir = root.open_dir(parent).map_err(io)?;
            set_mode(&dir, Modes::ReadOnly.dir()).map_err(io)?;
            path = parent;
        }
    }
    set_mode(root, Modes::ReadOnly.dir()).map_err(|error| failed("stage", "", ".", error))
}
