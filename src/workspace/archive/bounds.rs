//! What an archive may hold, and how much.

use std::time::Duration;

use super::super::Bounds;

/// How much an archive may hold, how long reading it may take, and what of the unusual is accepted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ArchiveRules {
    /// How much there may be.
    pub bounds: ArchiveBounds,
    /// What becomes of links that lead out.
    pub links: LinkRule,
    /// What becomes of FIFOs and devices.
    pub specials: SpecialRule,
}

/// How much an archive may hold, and how long reading it may take.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ArchiveBounds {
    /// The most entries, directories that are only implied counted, and the most bytes of all files, those of a hard
    /// link counted again. Default: [`Bounds::default`].
    pub tree: Bounds,
    /// The most components of a path. Default: 256.
    pub depth: usize,
    /// The most bytes of a path. Default: 4,096.
    pub path_bytes: usize,
    /// How many times its own size an archive may hold, beyond the first 64 MiB. Default: 1,000.
    pub ratio: u64,
    /// How long one pass over the archive may take; there are two. Default: 10 minutes.
    pub time: Duration,
}

/// What becomes of symbolic links that lead out of the archive's tree, straight or over other links.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LinkRule {
    /// The archive is refused.
    Inside,
    /// They are made as they are written, like those of any tree: links are never followed.
    AsWritten,
}

/// What becomes of FIFOs and devices.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SpecialRule {
    /// The archive is refused.
    Refuse,
    /// They are listed and not made, as in snapshots.
    List,
}

impl Default for ArchiveBounds {
    fn default() -> Self {
        Self { tree: Bounds::default(), depth: 256, path_bytes: 4096, ratio: 1000, time: Duration::from_secs(600) }
    }
}

impl Default for ArchiveRules {
    fn default() -> Self {
        Self::submission()
    }
}

impl ArchiveRules {
    /// Gives the rules for what somebody hands in, and for assets: what leads out is refused, and so are specials.
    pub fn submission() -> Self {
        Self { bounds: ArchiveBounds::default(), links: LinkRule::Inside, specials: SpecialRule::Refuse }
    }

    /// Gives the rules for what a snapshot was packed into, here or by the field's reference system: whatever a
    /// workspace may hold, at any depth.
    pub fn snapshot() -> Self {
        let bounds = ArchiveBounds { depth: 1 << 16, path_bytes: 1 << 20, ..ArchiveBounds::default() };
        Self { bounds, links: LinkRule::AsWritten, specials: SpecialRule::List }
    }
}
