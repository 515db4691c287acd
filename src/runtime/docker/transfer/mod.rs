//! Files into a container and back, through the engine's API, where it does not see ours.
//!
//! It owns plain tar in both directions, what of a workspace has to go in again, and the look at whether the engine sees
//! our files at all. Never here: a link that is followed, a name that is resolved as text, a write to the workspace
//! before everything has come back whole.
//! Read next: `ferry.rs` for one workspace's way, `container.rs` for the two directions, `unpack.rs` for what is refused.

mod channel;
mod container;
mod entries;
mod ferry;
mod listing;
mod pack;
mod record;
mod sight;
#[cfg(test)]
mod tests;
mod unpack;

pub(super) use channel::ToEngine;
pub(super) use container::{ReadBack, Tree, put_tree, read_back};
pub(super) use ferry::{Ferry, Shore};
pub(super) use listing::Listing;
pub(super) use pack::{Owner, Packing, Times, pack};
pub(super) use record::{Record, Records};
pub(super) use sight::Sight;
pub(super) use unpack::Refusal;
