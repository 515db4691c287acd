//! Attacks on the WASI runtime (section G): each test has the code of its attack.

#![expect(clippy::disallowed_methods, reason = "canaries are laid out by path")]
#![expect(clippy::wildcard_enum_match_arm, reason = "an attack has few ends that are right, and many that are not")]
#![expect(clippy::unwrap_used, reason = "the helpers of a test fail like the test")]

mod files;
mod guest;
mod modules;
mod space;
mod suite;
mod support;
mod time;
