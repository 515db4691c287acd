//! What the tests of the seams share: a runtime as another crate would write one, a place to run it, and a ledger.

#![expect(dead_code, reason = "each test program uses its part")]
#![expect(clippy::unwrap_used, reason = "the helpers of a test fail like the test")]

pub(crate) mod gates;
mod guest;
pub(crate) mod ledger;
pub(crate) mod scripted;
pub(crate) mod yard;
