//! Hostile bytes for everything that reads bytes of others: nothing panics, and what is accepted means one thing.
//!
//! Each target begins with the files of `tests/data/fuzz/NAME/` and goes on with what comes of changing them, for
//! `BAILIWICK_FUZZ_SECONDS` (default: one second each), and prints how many inputs it has read.
//! `BAILIWICK_FUZZ_SEED` begins elsewhere, and `BAILIWICK_FUZZ_LAST` names a file for each input before it is read.

#![expect(clippy::disallowed_methods, reason = "the test writes the files that the library reads")]
#![expect(clippy::print_stdout, reason = "how much was run is part of what it shows")]
#![expect(clippy::unwrap_used, reason = "the helpers of a test fail like the test")]

mod archives;
mod checkers;
mod driver;
mod engine;
mod frames;
#[path = "../execution/support/readers.rs"]
mod readers;
mod texts;
#[expect(dead_code, reason = "random trees are for other tests; here trees are read back alone")]
#[path = "../execution/support/trees.rs"]
mod trees;
mod values;
