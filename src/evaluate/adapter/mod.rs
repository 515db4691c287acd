//! How a case becomes commands of a session: adapters, and their registry.
//!
//! Never here: expectations compared, verdicts, reports.
//! Read next: [`Adapter`] and [`Driver`] for the contract, `cli.rs` for the plainest of them.

mod cli;
mod contract;
mod http;
mod inputs;
mod observed;
mod registry;
mod suite;

pub use cli::CliAdapter;
pub use contract::{Adapter, Collected, Driver, Scope, Stage, SubmissionCommand};
pub use http::HttpAdapter;
pub(crate) use inputs::{bytes, check_placeholders};
pub use observed::{Observed, Part, Seen};
pub use registry::AdapterRegistry;
pub use suite::{SuiteAdapter, open_ambient_shim};
