//! From config to something that is there: existence, type, place and content are checked once.

use std::io;
use std::sync::Arc;

use cap_std::fs::{Dir, File};

use super::source::Source;
use super::{AssetError, AssetResolver, StaticAssetConfig, StaticAssets, digest, save_path};
use crate::workspace::host_file::open_below;

/// What an asset is for the guest.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AssetKind {
    /// A regular file: one of the host, an archive as it is, a secret.
    File,
    /// A directory with all that is below it: one of the host, or what an archive holds.
    Directory,
}

/// An asset that was there and fit its config when it was resolved.
#[derive(Clone, Debug)]
pub struct ResolvedStaticAsset {
    name: String,
    save_path: String,
    kind: AssetKind,
    sha256: Option<String>,
    source: Source,
    groups: Arc<[String]>,
}

/// Resolves the assets of a file below the directory of that file, sorted by name; nothing else is granted.
///
/// # Errors
/// As [`AssetResolver::resolve_all`].
pub fn resolve_static_assets(
    base: &Arc<Dir>,
    assets: &StaticAssets,
    ordering: Option<&[String]>,
) -> Result<Vec<ResolvedStaticAsset>, AssetError> {
    AssetResolver::new(Arc::clone(base)).resolve_all(assets, ordering)
}

impl ResolvedStaticAsset {
    pub(super) fn new(name: &str, save_path: String, kind: AssetKind, sha256: Option<String>, source: Source) -> Self {
        Self { name: name.to_owned(), save_path, kind, sha256, source, groups: Arc::default() }
    }

    /// Resolves one asset below a directory; nothing else is granted.
    ///
    /// # Errors
    /// As [`AssetResolver::resolve`].
    pub fn resolve(base: &Arc<Dir>, name: &str, config: &StaticAssetConfig) -> Result<Self, AssetError> {
        AssetResolver::new(Arc::clone(base)).resolve(name, config)
    }

    /// Checks that no two assets stand in each other's way.
    ///
    /// # Errors
    /// Every two whose save paths are equal, or one of which is below the other.
    pub fn check_together(assets: &[Self]) -> Result<(), AssetError> {
        AssetError::all(Self::clashes(assets)).map_or(Ok(()), Err)
    }

    pub(super) fn clashes(assets: &[Self]) -> Vec<AssetError> {
        let mut clashes = Vec::new();
        for (index, second) in assets.iter().enumerate() {
            let before = assets[..index].iter();
            let clashing = before.filter(|first| save_path::clash(&first.save_path, &second.save_path));
            clashes.extend(clashing.map(|first| {
                let longer = [&first.save_path, &second.save_path].into_iter().max_by_key(|path| path.len());
                AssetError::Clash {
                    first: first.name.clone(),
                    second: second.name.clone(),
                    save_path: longer.cloned().unwrap_or_default(),
                }
            }));
        }
        clashes
    }

    /// Remembers the groups of its file, which placeholders must not name.
    pub(super) fn of_groups(mut self, groups: &Arc<[String]>) -> Self {
        self.groups = Arc::clone(groups);
        self
    }

    /// Gives the name that placeholders use.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Gives where it stands for the guest, relative to the asset root.
    pub fn save_path(&self) -> &str {
        &self.save_path
    }

    /// Says whether it is a file or a directory for the guest.
    pub fn kind(&self) -> AssetKind {
        self.kind
    }

    /// Says whether its content is to be found nowhere but in the file that the guest reads.
    pub fn is_secret(&self) -> bool {
        matches!(self.source, Source::Secret(_))
    }

    pub(super) fn groups(&self) -> &[String] {
        &self.groups
    }

    pub(super) fn source(&self) -> &Source {
        &self.source
    }

    /// Checks the original against the digest, if there is one; staging checks the copy.
    pub(super) fn verify_original(&self) -> Result<(), AssetError> {
        let (Source::Below { base, path } | Source::Archive { base, path }) = &self.source else { return Ok(()) };
        match (&self.sha256, &self.source, self.kind) {
            (None, _, _) => Ok(()),
            (Some(_), Source::Below { .. }, AssetKind::Directory) => {
                Err(AssetError::BadDigest { name: self.name.clone(), problem: "is of a directory, which has none" })
            }
            (Some(_), _, _) => {
                self.verify(&mut open_below(base, path).map_err(|error| failed("open", &self.name, path, error))?)
            }
        }
    }

    /// Checks the content of a file against the digest, if there is one.
    pub(super) fn verify(&self, file: &mut File) -> Result<(), AssetError> {
        let Some(expected) = &self.sha256 else { return Ok(()) };
        let actual = digest::of(file).map_err(|error| failed("read", &self.name, &self.save_path, error))?;
        if actual == *expected {
            return Ok(());
        }
        Err(AssetError::Digest { name: self.name.clone(), expected: expected.clone(), actual })
    }
}

pub(super) fn check_path(name: &str, path: &str) -> Result<(), AssetError> {
    let problem = match path {
        "" => "is empty",
        path if path.starts_with('/') => "is absolute",
        path if path.contains('\0') => "holds a NUL",
        _ => return Ok(()),
    };
    Err(AssetError::Path { name: name.to_owned(), problem })
}

pub(super) fn kind_below(base: &Dir, name: &str, path: &str) -> Result<AssetKind, AssetError> {
    let metadata = base.metadata(path).map_err(|error| failed("read", name, path, error))?;
    if metadata.is_file() {
        Ok(AssetKind::File)
    } else if metadata.is_dir() {
        Ok(AssetKind::Directory)
    } else {
        Err(AssetError::Special { name: name.to_owned(), path: path.to_owned() })
    }
}

/// Names a failure: a path that leads out is refused by `Dir` before the system sees it.
pub(super) fn failed(operation: &'static str, name: &str, path: &str, error: io::Error) -> AssetError {
    // What `Dir` and this module refuse themselves has no number of the system.
    let ours = error.raw_os_error().is_none();
    let is = |kind| error.kind() == kind;
    let (owned_name, owned_path) = (name.to_owned(), path.to_owned());
    if is(io::ErrorKind::NotFound) {
        AssetError::Missing { name: owned_name, path: owned_path }
    } else if ours && is(io::ErrorKind::PermissionDenied) {
        AssetError::Outside { name: owned_name, path: owned_path }
    } else if ours && is(io::ErrorKind::InvalidInput) {
        AssetError::Special { name: owned_name, path: owned_path }
    } else {
        AssetError::io(operation, name, path, error)
    }
}
