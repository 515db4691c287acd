//! Images: got from where they are, built where the spec says how, kept for the next time.
//!
//! It owns pulling, building from a context of the host, and the list of what was built. Never here: a container, a file
//! of a context that a link leads out to, an image that this did not make being removed.
//! Read next: `ensure.rs` for what a spawn needs, `build.rs` for how an image is made.

mod build;
mod context;
mod dockerfile;
mod ensure;
mod ignore;
mod kept;
mod owned;
mod pull;

pub(super) use ensure::ensure;
pub(super) use kept::{SORT, evict, list};
pub(super) use owned::release;
