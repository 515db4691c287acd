//! `http`: the submission is a server, started once a group on a port that the engine gives.
//!
//! Never here: a framework, TLS, or a connection that outlives its answer.
//! Read next: `adapter.rs` for what cases may say, `server.rs` for its life, `client.rs` for the bytes on the wire.

mod adapter;
mod client;
mod config;
mod driver;
mod port;
mod server;

pub use adapter::HttpAdapter;
