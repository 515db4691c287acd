//! How what a submission gave is compared with what was expected: pure functions, one file a checker.
//!
//! Never here: files of a workspace, sandboxes, verdicts.

mod kind;

pub use kind::Check;
