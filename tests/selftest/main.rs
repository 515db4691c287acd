//! The self-test: it finds what is claimed and does not stand, and what stands on this host.
//!
//! A check that cannot fail shows nothing: a runtime that lies once must be found out in exactly that row.

#![expect(clippy::unwrap_used, reason = "a test fails where its own means fail")]
#![expect(clippy::disallowed_methods, reason = "a guest that lies does what no guest may, and tests start the command")]

#[cfg(feature = "cli")]
mod command;
#[cfg(feature = "docker")]
#[path = "../execution/engine/mod.rs"]
mod engine;
mod liar;
mod lies;
#[cfg(any(feature = "local", feature = "wasi"))]
mod open_walls;

use std::sync::{Mutex, MutexGuard, PoisonError};

/// Lets one self-test of this process run at a time, since it counts what the process holds.
fn alone() -> MutexGuard<'static, ()> {
    static ALONE: Mutex<()> = Mutex::new(());
    ALONE.lock().unwrap_or_else(PoisonError::into_inner)
}
