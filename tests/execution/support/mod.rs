//! What the tests of the seams share: a runtime as another crate would write one, a place to run it, and a ledger.

#![expect(dead_code, unused_imports, reason = "each test program uses its part")]
#![expect(clippy::unwrap_used, reason = "the helpers of a test fail like the test")]

mod gates;
mod guest;
mod ledger;
mod scripted;
mod yard;

pub(crate) use gates::Gates;
pub(crate) use ledger::Ledger;
pub(crate) use scripted::Scripted;
pub(crate) use yard::{LONG, Yard, command, loud};
