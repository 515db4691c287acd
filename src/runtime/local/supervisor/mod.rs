//! The supervisor: one small process per command, parent of everything that the command starts.
//!
//! It is a copy of this process, made by `clone`, that never returns to Rust code of ours outside this folder: it
//! allocates nothing, takes no lock and keeps three descriptors. As a subreaper it becomes the parent of every orphan
//! of the command, so that nothing escapes by `setsid` or a double fork; it ends all of them when the main process
//! has ended, when it is asked to, or when the control socket closes, which also is how the death of the engine
//! reaches it. Never here: tokio, limits of time, output.
//! Read next: `handle.rs` for the engine's side, `guest.rs` for what happens before exec, `watch.rs` for the loop.

mod guest;
mod handle;
mod plan;
mod report;
mod reports;
mod start;
mod sys;
mod watch;

pub(super) use handle::{Manner, Supervisor};
pub(super) use plan::{LeftOvers, Plan};
use report::SIZE;
pub(super) use report::{Refusal, Report, Step, Used};
pub(super) use reports::Reports;
pub(super) use start::{Begun, start};

/// How long a guest that was asked to end by SIGTERM has before SIGKILL.
pub(super) const GRACE: std::time::Duration = std::time::Duration::from_millis(100);

/// How long killed processes are waited for before they are given up as not to be ended.
pub(super) const UNKILLABLE: std::time::Duration = std::time::Duration::from_secs(2);
