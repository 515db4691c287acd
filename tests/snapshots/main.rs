//! The snapshot store: what it keeps, who shares it, what it does when it is full or broken, and real trees.

#![expect(clippy::disallowed_methods, reason = "trees are laid out by path")]
#![expect(clippy::print_stdout, reason = "a skip is printed with its reason")]
#![expect(clippy::unwrap_used, reason = "the helpers of a test fail like the test")]

mod bad;
mod shared;
mod store;
mod trees;
mod yard;
