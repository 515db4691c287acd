//! Static assets: files of the host that a submission may read, checked once and staged once.
//!
//! Never here: a path of the host as text, but for a `file:` url that the host was asked to grant. Originals are opened
//! below a base [`Dir`](cap_std::fs::Dir) and never handed out; what guests see is the staged copy.
//! Read next: [`StaticAssetConfig`] for the file, [`AssetResolver`], then [`StagedAssets`].

mod cache;
mod config;
mod digest;
mod error;
mod resolve;
mod resolver;
mod rules;
mod save_path;
mod source;
mod stage;
mod staged;
mod url;

#[cfg(feature = "cli")]
pub(crate) use cache::FOLDER as CACHED_ASSETS;
pub use config::{SecretConfig, StaticAssetConfig, StaticAssets};
pub use error::AssetError;
pub use resolve::{AssetKind, ResolvedStaticAsset, resolve_static_assets};
pub use resolver::AssetResolver;
pub use staged::{StagedAsset, StagedAssets};
