//! The judge: prepares a submission once, drives every case, holds what was seen against what was expected.
//!
//! A submission cannot cause an `Err` here: what it does are facts. `Err` is the host's, is tried once more, and then
//! stands as `IE` in the report of that case alone.
//!
//! Never here: how a command is made of a step, how a report looks.
//! Read next: [`Evaluation`], then `prepare.rs` for what comes before the first case and `run.rs` for the loop.

mod case;
mod checks;
mod compile;
mod evaluation;
mod facts;
mod kept;
mod prepare;
mod program;
mod record;
mod run;
mod select;

pub(crate) use case::explain;
pub use evaluation::{Evaluation, EvaluationBuilder};
pub(crate) use facts::of_ending;
#[cfg(feature = "cli")]
pub(crate) use kept::KEPT as COMPILED_SUBMISSIONS;
pub use prepare::Start;
pub(crate) use run::skipped;
pub use run::{Progress, RunOptions};
pub use select::Selection;
