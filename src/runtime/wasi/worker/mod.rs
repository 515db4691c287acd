//! Worker processes: the guest runs in a sealed child of this program, which is killed when it must end.
//!
//! The parent finds the module, opens the directories and keeps the clock; the child maps compiled code, runs one
//! guest at a time and says what came of it. Nothing that the child says is believed further than a guest would be.
//! Never here: what a command means, which is the parent's; limits of time, which nobody but the parent holds.
//! Read next: `work.rs` and `attend.rs` for a command seen by the parent, `serve.rs` and `guest.rs` for the child.

mod artifacts;
mod attend;
mod bound;
mod channel;
mod compile;
mod crew;
mod fence;
mod guest;
mod process;
mod seal;
mod serve;
mod streams;
mod tape;
mod wire;
mod work;

pub(super) use artifacts::Artifacts;
pub(super) use bound::Bound;
pub(super) use crew::Crew;
pub use serve::worker_main;
