//! Who may resolve what: a directory, and whatever else of the host was granted.

use std::collections::BTreeMap;
use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use cap_std::ambient_authority;
use cap_std::fs::Dir;

use super::resolve::{check_path, failed, kind_below};
use super::source::{Secret, Source};
use super::{AssetError, AssetKind, ResolvedStaticAsset, StaticAssetConfig, StaticAssets};
use super::{cache, digest, save_path, url};
use crate::workspace::host_file::open_below;

/// Resolves the assets of a file below the directory of that file. Nothing else of the host is granted at the start:
/// `secret` and `url` are errors until they are.
#[derive(Clone)]
pub struct AssetResolver {
    base: Arc<Dir>,
    secrets: Option<Arc<BTreeMap<String, String>>>,
    urls: Option<Urls>,
}

/// That files may be named by url, and where they are kept.
#[derive(Clone, Debug)]
struct Urls {
    cache: Option<PathBuf>,
}

impl AssetResolver {
    /// Resolves below a directory alone.
    pub fn new(base: Arc<Dir>) -> Self {
        Self { base, secrets: None, urls: None }
    }

    /// Grants environment variables of the host as the content of secrets.
    #[must_use]
    pub fn grant_secrets(mut self, env: Arc<BTreeMap<String, String>>) -> Self {
        self.secrets = Some(env);
        self
    }

    /// Grants files of the host anywhere, by `file:` url and digest, kept in the folder `assets` of a cache directory.
    /// Without one they are read where they are.
    #[must_use]
    pub fn grant_file_urls(mut self, cache: Option<PathBuf>) -> Self {
        self.urls = Some(Urls { cache });
        self
    }

    /// Resolves all assets that apply, sorted by name.
    ///
    /// # Errors
    /// All that is wrong together: what is missing, of the wrong type or content, outside of the directory, not
    /// granted, or in the way of another; groups and order that do not fit each other.
    pub fn resolve_all(
        &self,
        assets: &StaticAssets,
        ordering: Option<&[String]>,
    ) -> Result<Vec<ResolvedStaticAsset>, AssetError> {
        let groups: Arc<[String]> = assets.groups().map(str::to_owned).collect();
        let (mut resolved, mut problems) = (Vec::new(), Vec::new());
        for (name, config) in assets.in_order(ordering)? {
            match self.resolve(name, config) {
                Ok(asset) => resolved.push(asset.of_groups(&groups)),
                Err(problem) => problems.push(problem),
            }
        }
        problems.extend(ResolvedStaticAsset::clashes(&resolved));
        AssetError::all(problems).map_or(Ok(resolved), Err)
    }

    /// Resolves one asset.
    ///
    /// # Errors
    /// As [`Self::resolve_all`], for this one.
    pub fn resolve(&self, name: &str, config: &StaticAssetConfig) -> Result<ResolvedStaticAsset, AssetError> {
        if name.is_empty() || name.contains(|c: char| c.is_control() || "{}".contains(c)) {
            return Err(AssetError::Name { name: name.to_owned() });
        }
        let sha256 = config.sha256.as_deref().map(|sha256| {
            let bad = || AssetError::BadDigest { name: name.to_owned(), problem: "is not 64 hex digits" };
            digest::normal(sha256).ok_or_else(bad)
        });
        let sha256 = sha256.transpose()?;
        let (source, kind) = self.source(name, config, sha256.as_deref())?;
        let asset = ResolvedStaticAsset::new(name, place(name, config)?, kind, sha256, source);
        asset.verify_original()?;
        Ok(asset)
    }

    fn source(
        &self,
        name: &str,
        config: &StaticAssetConfig,
        sha256: Option<&str>,
    ) -> Result<(Source, AssetKind), AssetError> {
        match (config.path.as_str(), &config.url, &config.secret) {
            (path, None, None) => below(name, config.extract, Arc::clone(&self.base), path.to_owned()),
            ("", Some(url), None) => {
                let (base, path) = self.fetch(name, url, sha256)?;
                below(name, config.extract, base, path)
            }
            ("", None, Some(_)) if sha256.is_some() || config.extract => Err(AssetError::Keys {
                name: name.to_owned(),
                problem: "is a secret, which has no digest and no archive",
            }),
            ("", None, Some(secret)) => Ok((Source::Secret(self.secret(name, &secret.env)?), AssetKind::File)),
            (_, Some(_), _) | (_, _, Some(_)) => Err(AssetError::Keys {
                name: name.to_owned(),
                problem: "has more than one of `path`, `url` and `secret`",
            }),
        }
    }

    fn secret(&self, name: &str, variable: &str) -> Result<Secret, AssetError> {
        let wrong = |problem| AssetError::Secret { name: name.to_owned(), variable: variable.to_owned(), problem };
        let granted = self.secrets.as_ref().ok_or_else(|| wrong("no secrets are granted here"))?;
        granted.get(variable).map(|text| Secret::new(text)).ok_or_else(|| wrong("the host has no such variable"))
    }

    /// Finds the file of a url, in the cache first; gives where it is.
    fn fetch(&self, name: &str, text: &str, sha256: Option<&str>) -> Result<(Arc<Dir>, String), AssetError> {
        let wrong = |problem| AssetError::Url { name: name.to_owned(), problem };
        let path = url::path(name, text)?;
        let urls = self.urls.as_ref().ok_or_else(|| wrong("is not granted here"))?;
        let sha256 = sha256.ok_or_else(|| wrong("needs `sha256`: what is outside has to be known by its content"))?;
        // A cache that cannot be used makes it slower, not impossible.
        let folder = urls.cache.as_deref().and_then(|cache| cache::open(cache).ok());
        if let Some(folder) = &folder
            && cache::holds(folder, sha256).unwrap_or(false)
            && let Ok(folder) = folder.try_clone()
        {
            return Ok((Arc::new(folder), sha256.to_owned()));
        }
        let (base, file_name) = beside(name, &path)?;
        let mut file = open_below(&base, &file_name).map_err(|error| failed("open", name, &file_name, error))?;
        let actual = digest::of(&mut file).map_err(|error| failed("read", name, &file_name, error))?;
        if actual != sha256 {
            return Err(AssetError::Digest { name: name.to_owned(), expected: sha256.to_owned(), actual });
        }
        let kept = folder.and_then(|folder| cache::keep(folder, &mut file, sha256).ok());
        Ok(kept.map_or((base, file_name), |folder| (folder, sha256.to_owned())))
    }
}

/// Opens the directory of a file that a url names; a link to the file is followed, as whoever wrote the url meant it.
fn beside(name: &str, path: &Path) -> Result<(Arc<Dir>, String), AssetError> {
    let io = |error| failed("open", name, "the file of its url", error);
    let real = path.canonicalize().map_err(io)?;
    let (Some(parent), Some(file_name)) = (real.parent(), real.file_name().and_then(|file_name| file_name.to_str()))
    else {
        return Err(AssetError::Url { name: name.to_owned(), problem: "names a file whose name is not UTF-8" });
    };
    let base = Dir::open_ambient_dir(parent, ambient_authority()).map_err(io)?;
    Ok((Arc::new(base), file_name.to_owned()))
}

fn below(name: &str, extract: bool, base: Arc<Dir>, path: String) -> Result<(Source, AssetKind), AssetError> {
    check_path(name, &path)?;
    match (kind_below(&base, name, &path)?, extract) {
        (kind, false) => Ok((Source::Below { base, path }, kind)),
        (AssetKind::File, true) => Ok((Source::Archive { base, path }, AssetKind::Directory)),
        (AssetKind::Directory, true) => Err(AssetError::Keys {
            name: name.to_owned(),
            problem: "is a directory, of which nothing can be extracted",
        }),
    }
}

/// Gives where the asset stands for the guest.
fn place(name: &str, config: &StaticAssetConfig) -> Result<String, AssetError> {
    let save_path = match (&config.save_path, config.path.as_str()) {
        (Some(save_path), _) => save_path.as_str(),
        (None, "") => return Err(AssetError::Keys { name: name.to_owned(), problem: "needs a `save_path`" }),
        (None, path) => path,
    };
    save_path::normalise(save_path).map_err(|problem| AssetError::SavePath {
        name: name.to_owned(),
        save_path: save_path.to_owned(),
        problem,
    })
}

impl fmt::Debug for AssetResolver {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // Never the values, and not the names of what else is in the environment.
        f.debug_struct("AssetResolver")
            .field("secrets", &self.secrets.is_some())
            .field("urls", &self.urls)
            .finish_non_exhaustive()
    }
}
