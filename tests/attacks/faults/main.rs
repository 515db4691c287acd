//! Every call that the workspace and the store make fails once: nothing hangs, nothing is left, nothing that was
//! stored is lost, and no fault turns into a success.

#![expect(clippy::disallowed_methods, reason = "the test lays out the trees that the library works on")]
#![expect(clippy::unwrap_used, reason = "the helpers of a test fail like the test")]

mod faults;
mod store;
mod workspace;
mod yard;
