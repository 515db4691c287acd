//! The self-test: whether what a runtime claims to hold stands on this host, tried by guests of its own machine.
//!
//! It holds the enforcement table of any registered runtime against what guests can really do, and what is promised
//! for every runtime besides: true results, nothing left running, nothing left behind. It fails closed: what is claimed
//! and was not tried does not stand.
//! Never here: a runtime by name, a guest (each kind [brings its own](crate::RuntimeKind::trial)), printing (`cli/`).
//! Read next: `check.rs` for the list, `limits.rs` and `walls.rs` for what is tried, `run.rs` for the order.

mod canary;
mod check;
mod ends;
mod environment;
mod ledger;
mod limits;
mod process;
mod report;
mod run;
mod stage;
mod walls;

pub use check::Check;
pub use report::{Outcome, Report, Tested};
pub use run::run;
