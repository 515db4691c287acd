//! Submissions baked into images: what a set-up made, with the workspace and the assets, kept for the next spawn.
//!
//! It owns the name of such an image, its making out of a container whose set-up succeeded, and the way back out of it.
//! Never here: a set-up being run, an image of a set-up that failed, a file of a guest being believed.
//! Read next: `begin.rs` for what a spawn finds, `keep.rs` for how an image is made, `digest.rs` for what decides over it.

mod begin;
mod digest;
mod keep;
mod outcomes;
mod scratch;

pub(super) use begin::{Bake, Found, begin};
pub(super) use keep::keep;
