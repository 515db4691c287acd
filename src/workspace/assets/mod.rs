//! Static assets: files of the host that a submission may read, checked once and staged once.
//!
//! Never here: a path of the host as text. Originals are opened below a base [`Dir`](cap_std::fs::Dir)
//! and never handed out; what guests see is the staged copy.
//! Read next: [`StaticAssetConfig`] for the file, [`resolve_static_assets`], then [`StagedAssets`].

mod config;
mod copy;
mod error;
mod resolve;
mod save_path;
mod staged;

pub use config::{StaticAssetConfig, StaticAssets};
pub use error::AssetError;
pub use resolve::{AssetKind, ResolvedStaticAsset, resolve_static_assets};
pub use staged::{StagedAsset, StagedAssets};
