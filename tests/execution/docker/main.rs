//! The Docker runtime on a real engine: every key of its section, its streams, its ends, and what it leaves behind.

#![expect(clippy::unwrap_used, reason = "a test fails where its own means fail")]

mod bake;
mod commands;
#[path = "../engine/mod.rs"]
mod engine;
mod forks;
mod lost;
mod section;
