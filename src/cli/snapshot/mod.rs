//! `snapshot`: takes, shows, compares, restores, lists and removes snapshots.
//!
//! Never here: what a snapshot is, or how an archive is written; that is `workspace/`.
//! Read next: `command.rs` for the commands, `source.rs` for what may stand for a snapshot, `work.rs` for how long
//! work tells how far it is and ends on Ctrl-C.

mod command;
mod create;
mod diff;
mod keep;
mod restore;
mod show;
mod source;
mod work;

pub(super) use command::{SnapshotCommand, run};
