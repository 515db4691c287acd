//! Trees in one file: read so that a hostile archive is refused whole, written so that equal trees give equal bytes.
//!
//! Owns: the formats and how they are told apart, what an archive may hold and how much, unpacking, packing.
//! Never here: where archives come from, which of a workspace's snapshots becomes one.
//! Read next: [`Archive`], then `listing.rs` for what is refused, `tar_read.rs` for how strictly tar is read.

mod bounds;
#[cfg(feature = "files")]
mod decode;
#[cfg(feature = "files")]
mod encode;
mod error;
mod format;
#[cfg(feature = "files")]
mod gauge;
#[cfg(feature = "files")]
mod header;
#[cfg(feature = "files")]
mod links;
#[cfg(feature = "files")]
mod listing;
#[cfg(feature = "files")]
mod member;
#[cfg(feature = "files")]
mod open;
#[cfg(feature = "files")]
mod pax;
#[cfg(feature = "files")]
mod save;
#[cfg(feature = "files")]
mod tar_read;
#[cfg(feature = "files")]
mod tar_write;
#[cfg(feature = "files")]
mod unpack;
#[cfg(feature = "files")]
mod watched;
#[cfg(feature = "files")]
mod zip_read;

pub use bounds::{ArchiveBounds, ArchiveRules, LinkRule, SpecialRule};
pub use error::ArchiveError;
pub use format::ArchiveFormat;
#[cfg(feature = "files")]
pub use open::Archive;
#[cfg(feature = "files")]
pub use save::{archive_snapshot, pack, save_archive};
