//! Who owns the life cycle: a spec opened over a workspace, the runtimes spawned on it, and their end.
//!
//! Never here: which runtimes there are, what a result means, printing.
//! Read next: [`Session`], then `open.rs` for how one comes to be, `reset.rs` for going back and `checkpoint.rs` for going on.

mod blocking;
mod builder;
mod checkpoint;
mod close;
mod error;
mod files;
mod frozen;
mod inner;
mod open;
#[cfg(feature = "evaluate")]
mod parts;
mod reset;
mod spawn;
mod state;

pub use builder::SessionBuilder;
pub use error::SessionError;
pub use frozen::Frozen;
pub use inner::Session;
#[cfg(feature = "evaluate")]
pub(crate) use parts::is_described;
pub use state::SessionState;
