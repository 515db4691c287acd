//! One read-only tree with a copy of every asset: what runtimes mount, open or hand out.

use std::collections::{BTreeMap, BTreeSet};
use std::io;
use std::os::fd::AsFd as _;

use cap_std::fs::Dir;
use rustix::fs::Mode;

use super::resolve::failed;
use super::stage::{path_of, set_mode, stage_one};
use super::{AssetError, AssetKind, ResolvedStaticAsset};
use crate::workspace::copy_options::{CopyOptions, Modes, Times};
use crate::workspace::error::WorkspaceError;
use crate::workspace::{Placeholders, WorkspacePath, remove, tree};

/// The assets of a session, staged: each stands at its save path below one root.
///
/// The tree is a copy (sharing content where the file system can), so that nothing done to it
/// reaches an original. Files are 0444 (0555 where the original could be executed), directories
/// 0555. Whoever made the root removes it, after [`unlock`](Self::unlock).
#[derive(Debug)]
pub struct StagedAssets {
    root: Dir,
    assets: BTreeMap<String, StagedAsset>,
    groups: BTreeSet<String>,
}

/// One staged asset.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct StagedAsset {
    /// Where it stands below the root.
    pub save_path: String,
    /// What it is.
    pub kind: AssetKind,
    /// Whether nothing but this tree may hold it: it is never copied into a workspace.
    pub is_secret: bool,
}

impl StagedAssets {
    /// Copies assets into an empty directory, and closes it for writing.
    ///
    /// Symlinks inside a directory asset are copied as links when they can only lead to somewhere
    /// in that asset: relative, with `..` only at the beginning. Other links are refused, and so are
    /// pipes, sockets and devices. An archive that is extracted follows the rules of archives.
    ///
    /// # Errors
    /// What cannot be read, copied or has changed since it was resolved. What was copied stays,
    /// unlocked, for the owner of `root` to remove.
    pub fn stage(root: Dir, assets: &[ResolvedStaticAsset]) -> Result<Self, AssetError> {
        match Self::fill(&root, assets) {
            Ok(staged) => {
                let groups = assets.iter().flat_map(ResolvedStaticAsset::groups).cloned().collect();
                Ok(Self { root, assets: staged, groups })
            }
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
            stage_one(asset, root)?;
            let entry = StagedAsset {
                save_path: asset.save_path().to_owned(),
                kind: asset.kind(),
                is_secret: asset.is_secret(),
            };
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
    pub fn placeholders(&self, static_root: &str) -> Placeholders {
        let root = static_root.trim_end_matches('/');
        let paths = self.iter().map(|(name, asset)| (name.to_owned(), format!("{root}/{}", asset.save_path)));
        paths.collect::<Placeholders>().with_groups(self.groups.iter().cloned())
    }

    /// Copies every asset but secrets to its save path in a workspace, to be written by an agent.
    ///
    /// Parents are made; whatever stands at a save path is replaced, and what is no directory above it too.
    ///
    /// # Errors
    /// What cannot be removed, made or copied.
    pub fn copy_into(&self, workspace: &Dir) -> Result<(), AssetError> {
        for (name, asset) in self.iter().filter(|(_, asset)| !asset.is_secret) {
            let place = path_of(name, &asset.save_path)?;
            replace(workspace, &place)
                .map_err(|source| AssetError::Replace { name: name.to_owned(), source: Box::new(source) })?;
            let options = CopyOptions::new(Modes::OwnerWritable, Times::Fresh);
            tree::copy_tree(&self.root, Some(&place), workspace, Some(&place), options)
                .map_err(|source| AssetError::copy(name, source))?;
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

/// Removes what a guest may have put at a save path, however it is made.
fn replace(workspace: &Dir, place: &WorkspacePath) -> Result<(), WorkspaceError> {
    match tree::parent_of(workspace.as_fd(), place) {
        Ok(parent) => remove::remove(parent.as_fd(), &tree::c_name(place)),
        // Nothing is there, or something that is no directory stands above: the copy replaces that.
        Err(_) => Ok(()),
    }
}

/// Closes the root and the parents of save paths; the assets themselves are closed already.
fn close(root: &Dir, assets: &[ResolvedStaticAsset]) -> Result<(), AssetError> {
    let read_only = Mode::from_raw_mode(0o555);
    for asset in assets {
        let io = |error| failed("stage", asset.name(), asset.save_path(), error);
        let mut path = asset.save_path();
        while let Some((parent, _)) = path.rsplit_once('/') {
            let dir = root.open_dir(parent).map_err(io)?;
            set_mode(&dir, read_only).map_err(io)?;
            path = parent;
        }
    }
    set_mode(root, read_only).map_err(|error| failed("stage", "", ".", error))
}
