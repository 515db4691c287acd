//! From config to something that is there: existence, type, place and content are checked once.

use std::fmt::Write as _;
use std::io::{self, Read as _};
use std::sync::Arc;

use cap_std::fs::{Dir, File, OpenOptions, OpenOptionsExt as _};
use sha2::{Digest as _, Sha256};

use super::{AssetError, StaticAssetConfig, StaticAssets, save_path};

/// What an asset is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AssetKind {
    /// A regular file.
    File,
    /// A directory with all that is below it.
    Directory,
}

/// An asset that was there and fit its config when it was resolved.
#[derive(Clone, Debug)]
pub struct ResolvedStaticAsset {
    name: String,
    path: String,
    save_path: String,
    kind: AssetKind,
    sha256: Option<String>,
    base: Arc<Dir>,
}

/// Resolves the assets of a file below the directory of that file, sorted by name.
///
/// # Errors
/// The first asset that is missing, of the wrong type or content, outside of `base`, or in the way of
/// another; groups and order that do not fit each other.
pub fn resolve_static_assets(
    base: &Arc<Dir>,
    assets: &StaticAssets,
    ordering: Option<&[String]>,
) -> Result<Vec<ResolvedStaticAsset>, AssetError> {
    let assets = assets.in_order(ordering)?;
    let resolved: Vec<_> = assets
        .into_iter()
        .map(|(name, config)| ResolvedStaticAsset::resolve(base, name, config))
        .collect::<Result<_, _>>()?;
    ResolvedStaticAsset::check_together(&resolved)?;
    Ok(resolved)
}

impl ResolvedStaticAsset {
    /// Resolves one asset below a directory.
    ///
    /// # Errors
    /// As [`resolve_static_assets`], for this one.
    pub fn resolve(base: &Arc<Dir>, name: &str, config: &StaticAssetConfig) -> Result<Self, AssetError> {
        if name.is_empty() || name.contains(|c: char| c.is_control() || "{}".contains(c)) {
            return Err(AssetError::Name { name: name.to_owned() });
        }
        config.check_version(name)?;
        check_path(name, &config.path)?;
        let save_path = config.save_path.as_deref().unwrap_or(&config.path);
        let save_path = save_path::normalise(save_path).map_err(|problem| AssetError::SavePath {
            name: name.to_owned(),
            save_path: save_path.to_owned(),
            problem,
        })?;
        let kind = kind(base, name, &config.path)?;
        let asset = Self {
            name: name.to_owned(),
            path: config.path.clone(),
            save_path,
            kind,
            sha256: config.sha256.as_deref().map(str::to_ascii_lowercase),
            base: Arc::clone(base),
        };
        if let Some(sha256) = &asset.sha256 {
            let problem = match kind {
                AssetKind::Directory => Some("is of a directory, which has none"),
                AssetKind::File if sha256.len() != 64 || !sha256.bytes().all(|byte| byte.is_ascii_hexdigit()) => {
                    Some("is not 64 hex digits")
                }
                AssetKind::File => None,
            };
            match problem {
                Some(problem) => return Err(AssetError::BadDigest { name: asset.name, problem }),
                None => asset.verify(asset.open()?)?,
            }
        }
        Ok(asset)
    }

    /// Checks that no two assets stand in each other's way.
    ///
    /// # Errors
    /// The first two whose save paths are equal, or one of which is below the other.
    pub fn check_together(assets: &[Self]) -> Result<(), AssetError> {
        for (index, first) in assets.iter().enumerate() {
            if let Some(second) =
                assets[..index].iter().find(|second| save_path::clash(&first.save_path, &second.save_path))
            {
                let longer = [&first.save_path, &second.save_path].into_iter().max_by_key(|path| path.len());
                return Err(AssetError::Clash {
                    first: second.name.clone(),
                    second: first.name.clone(),
                    save_path: longer.cloned().unwrap_or_default(),
                });
            }
        }
        Ok(())
    }

    /// Gives the name that placeholders use.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Gives where it stands for the guest, relative to the asset root.
    pub fn save_path(&self) -> &str {
        &self.save_path
    }

    /// Says whether it is a file or a directory.
    pub fn kind(&self) -> AssetKind {
        self.kind
    }

    pub(super) fn path(&self) -> &str {
        &self.path
    }

    /// Opens the file of a file asset.
    pub(super) fn open(&self) -> Result<File, AssetError> {
        open_file(&self.base, &self.path).map_err(|error| failed("open", &self.name, &self.path, error))
    }

    /// Opens the directory of a directory asset.
    pub(super) fn open_dir(&self) -> Result<Dir, AssetError> {
        self.base.open_dir(&self.path).map_err(|error| failed("open", &self.name, &self.path, error))
    }

    /// Checks the content of a file against the digest, if there is one.
    pub(super) fn verify(&self, mut file: File) -> Result<(), AssetError> {
        let Some(expected) = &self.sha256 else { return Ok(()) };
        let actual = digest(&mut file).map_err(|error| failed("read", &self.name, &self.path, error))?;
        if actual == *expected {
            return Ok(());
        }
        Err(AssetError::Digest { name: self.name.clone(), expected: expected.clone(), actual })
    }
}

/// Opens a file for reading without waiting for whoever would write into a pipe of that name.
pub(super) fn open_file(dir: &Dir, path: &str) -> io::Result<File> {
    let nonblock = i32::try_from(rustix::fs::OFlags::NONBLOCK.bits()).unwrap_or_default();
    let file = dir.open_with(path, OpenOptions::new().read(true).custom_flags(nonblock))?;
    if file.metadata()?.is_file() { Ok(file) } else { Err(io::Error::from(io::ErrorKind::InvalidInput)) }
}

fn check_path(name: &str, path: &str) -> Result<(), AssetError> {
    let problem = match path {
        "" => "is empty",
        path if path.starts_with('/') => "is absolute",
        path if path.contains('\0') => "holds a NUL",
        _ => return Ok(()),
    };
    Err(AssetError::Path { name: name.to_owned(), problem })
}

fn kind(base: &Dir, name: &str, path: &str) -> Result<AssetKind, AssetError> {
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

fn digest(file: &mut File) -> io::Result<String> {
    let mut hasher = Sha256::new();
    let mut buffer = vec![0; 64 << 10];
    loop {
        let read = file.read(&mut buffer)?;
        if read == 0 {
            break;
        }
        hasher.update(&buffer[..read]);
    }
    Ok(hasher.finalize().iter().fold(String::new(), |mut hex, byte| {
        // Writing to a text cannot fail.
        let _ = write!(hex, "{byte:02x}");
        hex
    }))
}
