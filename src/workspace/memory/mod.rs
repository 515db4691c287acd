//! Detached memory file systems: a descriptor of a size-limited tmpfs that has no path anywhere.
//!
//! It vanishes with its last descriptor, so that not even `kill -9` leaves anything behind.
//! Never here: what is stored in one, and whose it is.
//! Read next: `system.rs` for how one is made, `helper.rs` for how an ordinary user makes one, `guard.rs` for how much
//! of the host's memory all of them may take, `spares.rs` for how one serves several workspaces, one after the other.

mod guard;
mod helper;
mod spares;
mod system;
#[cfg(test)]
mod tests;

pub(crate) use guard::{MemoryGuard, Reservation};
pub(crate) use spares::Spare;
pub use system::DEFAULT_ENTRIES;
pub(crate) use system::{Controls, PAGE, Room, left, mount, resize, used};
