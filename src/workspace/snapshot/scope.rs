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
    /// Reads the globs of a spec, its defaults among them. An empty list of `keep_globs` keeps everything.
    pub fn from_spec(config: &SnapshotConfig) -> Self {
        let keep = config.keep_globs.as_deref().filter(|globs| !globs.is_empty()).map(Globs::new);
        Self::Spec { keep, ignore: Globs::new(config.effective_ignore_globs()) }
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

#[cfg(test)]
mod tests {
    use super::*;

    fn taken<'a>(config: &SnapshotConfig, paths: &[&'a str]) -> Vec<&'a str> {
        let scope = Capture::from_spec(config);
        let is_in = |path: &&&str| {
            let above = path.match_indices('/').map(|(at, _)| &path[..at]);
            scope.takes(path.as_bytes()) && !above.into_iter().any(|above| scope.prunes(above.as_bytes()))
        };
        paths.iter().filter(is_in).copied().collect()
    }

    const PATHS: [&str; 8] = [
        "a.py",
        "deep/b.py",
        "deep/b.pyc",
        "venv/bin/python",
        "sub/venv/x",
        ".evaluation_tests/t.py",
        "tests/assets/own.txt",
        "notes.md",
    ];

    #[test]
    fn own_globs_stand_beside_the_defaults() {
        let mut config = SnapshotConfig::default();
        let wanted = ["a.py", "deep/b.py", "sub/venv/x", "tests/assets/own.txt", "notes.md"];
        assert_eq!(taken(&config, &PATHS), wanted);
        config.ignore_globs = vec!["*.md".into()];
        assert_eq!(taken(&config, &PATHS), wanted[..4]);
        config.replace_defaults = true;
        assert_eq!(taken(&config, &PATHS), PATHS[..7]);
        config.ignore_globs.clear();
        assert_eq!(taken(&config, &PATHS), PATHS);
    }

    #[test]
    fn what_is_ignored_is_not_kept() {
        let config = SnapshotConfig {
            keep_globs: Some(vec!["*.py".into(), "venv/*".into()]),
            ignore_globs: vec!["deep/*".into()],
            ..SnapshotConfig::default()
        };
        assert_eq!(taken(&config, &PATHS), ["a.py"]);
        let everything = SnapshotConfig { keep_globs: Some(Vec::new()), ..SnapshotConfig::default() };
        assert_eq!(taken(&everything, &PATHS).len(), 5);
    }
}
