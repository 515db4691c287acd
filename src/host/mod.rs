//! The machine as a value: its directories and variables, and what its owner allows.
//!
//! Never here: a look at the machine that the caller did not ask for.
//! Read next: `facts.rs` for [`Host`], `policy.rs` for what is allowed, `file.rs` for the host file.

mod facts;
mod file;
mod policy;

pub use facts::{EngineAccess, Host, HostDirs};
pub use policy::{HostPolicy, Ruled};
