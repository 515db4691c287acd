//! Problem packages in the published formats: from a directory to a suite, every problem of every file told together.
//!
//! The legacy format, its ICPC subset, 2025-09, and the states of the draft that it was (2023-07). What of them cannot
//! be judged here is refused by name, never left out in silence.
//!
//! Never here: running anything, or a meaning of our own for what a format defines.
//! Read next: `open.rs` for the order of things, `legacy.rs` and `modern.rs` for `problem.yaml`, `data.rs` for cases.

mod config;
mod data;
mod file;
mod groups;
mod include;
mod legacy;
mod limits;
mod metadata;
mod modern;
mod name;
mod open;
mod program;
mod promises;
mod timing;
mod validator;

#[cfg(test)]
mod modern_tests;
#[cfg(test)]
mod tests;

pub(super) use open::open_package;
