//! `eval`: judges a submission by the cases of a suite, and writes the reports.
//!
//! Never here: a verdict, or what an audience may see.
//! Read next: `args.rs` for the flags, `command.rs` for the walk through a run, `target.rs` for where reports go.

mod args;
mod class;
mod command;
mod differential;
mod journal;
mod narrate;
mod object;
mod place;
mod plan;
mod record;
mod repeat;
mod solutions;
mod target;
mod verify;

pub(super) use self::args::EvalArgs;
pub(super) use self::command::run;
pub(super) use self::object::{CheckedObject, DifferentialObject};
pub(super) use self::plan::jobs;
pub(super) use self::record::RecordObject;
pub(super) use self::repeat::RepeatObject;
pub(super) use self::verify::VerifyObject;
