//! Attacks on the WASI runtime (section G): each test has the code of its attack.
//!
//! Elsewhere: G5, G15 and G27 are fixtures of `guest-fixtures/`; G12, G16, G22, G23 and G30 are in
//! `tests/execution/`; G32 is every test here, since each calls from an async context.

#![expect(clippy::disallowed_methods, reason = "canaries are laid out by path")]
#![expect(clippy::wildcard_enum_match_arm, reason = "an attack has few ends that are right, and many that are not")]
#![expect(clippy::unwrap_used, reason = "the helpers of a test fail like the test")]

mod files;
mod guest;
mod modules;
mod no_openat2;
mod space;
mod suite;
mod support;
mod time;
