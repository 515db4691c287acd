//! `programs`: the modules that command names stand for, in the catalogue of this host.
//!
//! The one place of `cli/` that names a runtime: only WASI has programs. And the one that starts processes: the user's
//! own package clients, in `fetch.rs` alone.
//! Never here: running a package's code; what it holds is taken by its digest.
//! Read next: `command.rs` for the commands, `install.rs` for the way of a known program into the catalogue.

mod add;
mod command;
mod fetch;
mod install;
mod list;
mod measure;

pub(super) use command::{ProgramsCommand, run};
