//! The local runtime: commands as plain processes of the host, each under a supervisor of its own. No isolation.
//!
//! It owns the start, the watching and the certain end of processes. Never here: a wall between guest and host
//! (every result says `isolation: none`), the meaning of a result, paths that a guest chose.
//! Read next: `kind.rs` for what a registry sees, `spawn.rs` for one runtime, `run.rs` for one command,
//! `supervisor/` for the process that holds the guest, `limits.rs` for every limit.

mod attend;
mod cgroup;
mod config;
mod ending;
mod identity;
mod kind;
mod limits;
mod lookup;
mod order;
mod run;
mod sockets;
mod spawn;
mod streams;
mod supervisor;
#[cfg(test)]
mod tests;
mod tree;
mod usage;

pub use config::{Isolation, LocalConfig, LocalOptions};
pub use kind::Local;
