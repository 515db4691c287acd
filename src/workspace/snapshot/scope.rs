//! How much of a tree a snapshot takes.

use super::super::Globs;
use crate::spec::SnapshotConfig;

/// How much of a tree is taken.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Capture {
    /// Everything, for forks, resets and evaluation: what a set-up made is needed, ignored or not.
    #[default]
    All,
    /// What the spec's globs say, for checkpoints, archives, ids and diffs.
    Spec {
        /// The only files that are taken. `None`: every file.
        keep: Option<Globs>,
        /// What is left out; beats `keep`.
        ignore: Globs,
    },
}

impl Capture {
    /// Reads the globs of a spec. An empty list of `keep_globs` keeps everything.
    pub fn from_spec(config: &SnapshotConfig) -> Self {
        let keep = config.keep_globs.as_deref().filter(|globs| !globs.is_empty()).map(Globs::new);
        Self::Spec { keep, ignore: Globs::new(&config.ignore_globs) }
    }

    pub(crate) fn ignore(&self) -> Option<&Globs> {
        match self {
            Self::All => None,
            Self::Spec { ignore, .. } => Some(ignore),
        }
    }

    pub(crate) fn keep(&self) -> Option<&Globs> {
        match self {
            Self::All => None,
            Self::Spec { keep, .. } => keep.as_ref(),
        }
    }

    /// Says whether a directory is left out with all that it holds.
    pub(crate) fn prunes(&self, path: &[u8]) -> bool {
        self.ignore().is_some_and(|globs| globs.prunes(path))
    }

    /// Says whether anything but a directory is taken.
    pub(crate) fn takes(&self, path: &[u8]) -> bool {
        !self.ignore().is_some_and(|globs| globs.matches(path)) && self.keep().is_none_or(|globs| globs.matches(path))
    }
}
