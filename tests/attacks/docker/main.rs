//! Attacks D1 to D20: each a test with its code.

#![expect(clippy::unwrap_used, reason = "a test fails where its own means fail")]
