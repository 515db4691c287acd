//! Where the content of an asset comes from.

use std::fmt;
use std::sync::Arc;

use cap_std::fs::Dir;

/// Where the content of a resolved asset comes from.
#[derive(Clone, Debug)]
pub(super) enum Source {
    /// A file or a directory below a directory.
    Below { base: Arc<Dir>, path: String },
    /// An archive below a directory, which is unpacked.
    Archive { base: Arc<Dir>, path: String },
    /// A text that only the guest's file holds.
    Secret(Secret),
}

/// A text that nobody prints.
#[derive(Clone)]
pub(super) struct Secret(Arc<str>);

impl Secret {
    pub(super) fn new(text: &str) -> Self {
        Self(text.into())
    }

    /// Gives the text, for the one file that holds it.
    pub(super) fn reveal(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret(..)")
    }
}
