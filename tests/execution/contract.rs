//! The contract of runtimes at its hard corners, on a runtime from outside the crate.

#![expect(clippy::unwrap_used, reason = "the helpers of a test fail like the test")]

mod support;

#[path = "contract/admission.rs"]
mod admission;
#[path = "contract/cancel.rs"]
mod cancel;
#[path = "contract/events.rs"]
mod events;
#[path = "contract/inputs.rs"]
mod inputs;
#[path = "contract/limits.rs"]
mod limits;
#[path = "contract/results.rs"]
mod results;
#[path = "contract/setup.rs"]
mod setup;
