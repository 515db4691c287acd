//! Attacks D1 to D20, each a test with its code.
//!
//! Elsewhere: D5 of a paused engine beside the tests of lost engines, D6 beside those of the ferry.

#![expect(clippy::unwrap_used, reason = "a test fails where its own means fail")]
#![expect(clippy::disallowed_methods, reason = "a test starts the command, to kill it")]

mod answers;
mod at_once;
mod calls;
mod crash;
#[path = "../../execution/engine/mod.rs"]
mod engine;
mod images;
mod paths;
mod space;
mod time;
mod walls;
