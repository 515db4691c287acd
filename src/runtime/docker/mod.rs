//! The Docker runtime: commands as execs in a container of an engine that is reached over its API.
//!
//! It owns the client, the containers, and what is asked of the engine. Never here: a `docker` binary, the meaning of a
//! result, a container that does not bear the label of its owner.
//! Read next: `kind.rs` for what a registry sees, `client.rs` for the way to the engine, `spawn.rs` for one runtime,
//! `run.rs` for one command, `limits.rs` for every limit.

mod asked;
mod attend;
mod bake;
mod cell;
mod cgroups;
mod client;
mod commit;
mod config;
mod container;
mod ending;
mod error;
mod exec;
mod facts;
mod gc;
mod image;
mod images;
mod init;
mod kind;
mod labels;
mod limits;
mod mounts;
mod network;
mod order;
mod plan;
mod run;
mod settle;
mod spawn;
mod streams;
mod transfer;
mod usage;
mod users;
mod watch;

pub use config::{BuildConfig, DockerConfig, DockerOptions, ExtraMount, MountMode, MountTarget, PullPolicy};
pub use error::DockerError;
pub use kind::Docker;
