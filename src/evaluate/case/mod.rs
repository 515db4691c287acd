//! What is asked of a submission: suites of cases, each with its input and its expectations. Loaded, expanded, checked.
//!
//! Never here: how a case file is read, how a command runs, what a mismatch is.
//! Read next: [`Suite`], then [`Case`] and [`Expect`].

mod data;
mod expect;
mod policy;
mod promise;
mod request;
mod step;
mod suite;

pub use data::{Data, DataError, DataFile, MAX_DATA};
pub use expect::{ExitCodes, Expect, Expectation, StatusCodes};
pub use policy::PassPolicy;
pub use promise::{PathGlob, Promise, TimeBound};
pub use request::Request;
pub use step::Step;
pub use suite::{Case, Group, GroupScoring, Origin, Suite, Visibility};
