//! How what a submission gave is compared with what was expected: one file a checker, each a pure function.
//!
//! Every checker takes time linear in its input (sorting counted as linear), recurses to a fixed depth, and never
//! fails: a submission's output can be anything. What a *file* says wrongly is found when it is loaded.
//!
//! Never here: files of a workspace, sandboxes, verdicts. A checker that is a program is data here, and run elsewhere.
//! Read next: [`CheckConfig`] for what files write, [`Check`] for what becomes of it, [`Mismatch`] for what is found.

mod config;
mod contains;
mod decimal;
mod exact;
mod excerpt;
mod files;
mod float;
mod json;
mod kind;
mod lines;
mod mismatch;
mod options;
mod pattern;
mod program;
mod read;
mod schema;
mod table;
mod text;
mod tokens;
mod tree;
mod trimmed;
mod validator;

#[cfg(test)]
mod tests;

pub use config::{CheckConfig, CheckName, CommandText, ExpectationConfig, Tolerances};
pub(super) use files::collect_files;
pub use kind::{Check, Comparison};
pub use mismatch::Mismatch;
pub use program::{Answer, ProgramCheck, Protocol};
pub use validator::{DefaultValidator, NumberForms};
