//! The checkers and their options.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// A checker with its options.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(tag = "check", rename_all = "snake_case")]
pub enum Check {
    /// Blanks at line ends and newlines at the end do not count, and CRLF is LF.
    Trimmed {},
}
