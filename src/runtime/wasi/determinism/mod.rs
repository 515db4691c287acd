//! Determinism: what a guest finds out about its host is the same in every run.
//!
//! A clock that counts readings, random bytes from a seed, sorted listings, inodes from paths, file times that stand
//! still, and one form of NaN. Only preview 1 so far; components are refused while it is on.
//! Never here: what every guest needs. With determinism off, nothing of this is linked.
//! Read next: `calls.rs` for the functions that are shadowed, `fixed.rs` for what one guest carries.

mod calls;
mod clock;
mod config;
mod fixed;
mod listing;
mod paths;
mod poll;
mod random;
mod stat;

pub use config::{DeterminismConfig, Moment};

pub(super) use calls::shadow;
pub(super) use fixed::Fixed;
