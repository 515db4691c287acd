//! `suite`: a test program that the author trusts judges; it runs outside the sandbox, and reaches the submission only
//! through a command that stands for it.
//!
//! Every call of that command is a command of a session of its own, which holds the caller's directory and nothing of
//! the tests. What the test program reports becomes cases, each joined with the facts of the commands that it caused.
//!
//! Never here: a report that the submission could write, a test or an answer in a place that it could read.
//! Read next: `adapter.rs` for the walk, `call.rs` for one call, `process.rs` for the one process that is started here.

mod adapter;
mod call;
mod config;
mod join;
mod mirror;
mod process;
mod replay;
mod report;
mod room;
mod serve;
mod shim;
mod wire;

pub use adapter::SuiteAdapter;
pub use shim::open_ambient_shim;
