//! Copying one asset into the read-only tree.

use std::io;
use std::os::fd::OwnedFd;
use std::sync::Arc;

use cap_std::fs::{Dir, DirBuilder, DirBuilderExt as _, File};
use rustix::fs::{AtFlags, Mode};

use super::resolve::failed;
use super::rules;
use super::source::Source;
use super::{AssetError, AssetKind, ResolvedStaticAsset};
use crate::workspace::copy_options::{CopyOptions, CopyReport, Modes, Times};
use crate::workspace::host_file::open_below;
use crate::workspace::path::{PathError, display};
use crate::workspace::walk::Seen;
use crate::workspace::{ArchiveError, WorkspacePath, tree};

/// The mode of a file that nobody writes.
const READ_ONLY: u32 = 0o444;

/// Changes the mode of an open directory; its descriptor may be one that only names it.
pub(super) fn set_mode(dir: &Dir, mode: Mode) -> io::Result<()> {
    Ok(rustix::fs::chmodat(dir, ".", mode, AtFlags::empty())?)
}

/// Gives a save path, which was checked when the asset was resolved, as a path.
pub(super) fn path_of(name: &str, save_path: &str) -> Result<WorkspacePath, AssetError> {
    WorkspacePath::new(save_path).map_err(|error| AssetError::copy(name, error.into()))
}

/// Copies one asset to its save path below the root.
pub(super) fn stage_one(asset: &ResolvedStaticAsset, root: &Dir) -> Result<(), AssetError> {
    let place = path_of(asset.name(), asset.save_path())?;
    match asset.source() {
        Source::Secret(secret) => tree::put_bytes(root, &place, secret.reveal().as_bytes(), READ_ONLY)
            .map_err(|source| AssetError::copy(asset.name(), source)),
        Source::Below { base, path } if asset.kind() == AssetKind::Directory => {
            copy_directory(asset.name(), base, path, root, &place)
        }
        Source::Below { base, path } => copy_file(asset, base, path, root, &place).map(drop),
        Source::Archive { base, path } => {
            // What was checked is what is unpacked: the copy, whatever becomes of the original.
            let packed = copy_file(asset, base, path, root, &place)?;
            unpack(asset, packed, root)
        }
    }
}
/// Copies a file and checks the copy, not the original: what was resolved may have changed since. Gives the copy.
fn copy_file(
    asset: &ResolvedStaticAsset,
    base: &Arc<Dir>,
    path: &str,
    root: &Dir,
    place: &WorkspacePath,
) -> Result<File, AssetError> {
    let io = |error| failed("open", asset.name(), path, error);
    let original = OwnedFd::from(open_below(base, path).map_err(io)?.into_std());
    let options = CopyOptions::new(Modes::ReadOnly, Times::Fresh);
    tree::copy_open(&original, root, place, options).map_err(|source| AssetError::copy(asset.name(), source))?;
    let mut copy = open_below(root, asset.save_path()).map_err(io)?;
    asset.verify(&mut copy)?;
    Ok(copy)
}

fn copy_directory(
    name: &str,
    base: &Arc<Dir>,
    path: &str,
    root: &Dir,
    place: &WorkspacePath,
) -> Result<(), AssetError> {
    let from = base.open_dir(path).map_err(|error| failed("open", name, path, error))?;
    let mut refused = None;
    let mut check = |seen: Seen<'_>| {
        rules::check(name, seen).map_err(|error| {
            refused = Some(error);
            // Ends the copy; what is told is the error of the asset.
            PathError { path: display(seen.path), problem: "cannot be part of an asset" }.into()
        })
    };
    let mut options = CopyOptions::new(Modes::ReadOnly, Times::Fresh);
    options.check = Some(&mut check);
    let copied = tree::copy_tree(&from, None, root, Some(place), options);
    match (copied, refused) {
        (_, Some(error)) => Err(error),
        (Err(source), None) => Err(AssetError::copy(name, source)),
        (Ok(CopyReport { mounts: 0, .. }), None) => {
            let made = root.open_dir(place.as_path()).map_err(|error| failed("open", name, path, error))?;
            set_mode(&made, Mode::from_raw_mode(0o555)).map_err(|error| failed("close", name, path, error))
        }
        (Ok(_), None) => Err(AssetError::Mounts { name: name.to_owned() }),
    }
}

/// Unpacks an archive into a directory that takes its own place.
fn unpack(asset: &ResolvedStaticAsset, packed: File, root: &Dir) -> Result<(), AssetError> {
    let io = |error| failed("unpack", asset.name(), asset.save_path(), error);
    let refused = |source| AssetError::Archive { name: asset.name().to_owned(), source: Box::new(source) };
    root.remove_file(asset.save_path()).map_err(io)?;
    let mut builder = DirBuilder::new();
    builder.mode(0o700);
    root.create_dir_with(asset.save_path(), &builder).map_err(io)?;
    let made = root.open_dir(asset.save_path()).map_err(io)?;
    unpack_into(packed, &made).map_err(refused)?;
    set_mode(&made, Mode::from_raw_mode(0o555)).map_err(io)
}

#[cfg(feature = "files")]
fn unpack_into(packed: File, to: &Dir) -> Result<(), ArchiveError> {
    use crate::workspace::{Archive, ArchiveRules, Globs};

    let archive = Archive::open(packed.into_std(), ArchiveRules::submission())?;
    archive.unpack_with(to, &Globs::default(), Modes::ReadOnly).map(drop)
}

#[cfg(not(feature = "files"))]
fn unpack_into(_: File, _: &Dir) -> Result<(), ArchiveError> {
    Err(ArchiveError::Unsupported)
}
