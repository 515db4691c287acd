//! What a context leaves out: `.dockerignore`, with the meaning that engines' own clients give it.

use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt as _;
use std::path::{Component, Path};

use globset::{GlobBuilder, GlobMatcher};

/// The rules, of which the last that matches a path or a directory above it wins.
#[derive(Clone, Debug, Default)]
pub(super) struct Ignore {
    rules: Vec<Rule>,
}

#[derive(Clone, Debug)]
struct Rule {
    leaves_out: bool,
    pattern: GlobMatcher,
}

impl Ignore {
    /// Reads rules; gives the first line that is none.
    pub(super) fn read(text: &str) -> Result<Self, String> {
        let mut rules = Vec::new();
        for line in text.trim_start_matches('\u{feff}').lines().filter(|line| !line.starts_with('#')) {
            let line = line.trim();
            let (leaves_out, pattern) = match line.strip_prefix('!') {
                Some(kept) => (false, kept.trim()),
                None => (true, line),
            };
            let pattern = clean(pattern);
            if pattern.is_empty() {
                continue;
            }
            let glob = GlobBuilder::new(&pattern).literal_separator(true).backslash_escape(true).build();
            rules.push(Rule { leaves_out, pattern: glob.map_err(|_| line.to_owned())?.compile_matcher() });
        }
        Ok(Self { rules })
    }

    /// Says whether a path of the context is left out.
    pub(super) fn leaves_out(&self, path: &[u8]) -> bool {
        let path = Path::new(OsStr::from_bytes(path));
        let is_met = |rule: &&Rule| path.ancestors().any(|above| rule.pattern.is_match(above));
        self.rules.iter().rev().find(is_met).is_some_and(|rule| rule.leaves_out)
    }

    /// Says whether nothing below a directory can be taken.
    pub(super) fn prunes(&self, directory: &[u8]) -> bool {
        self.rules.iter().all(|rule| rule.leaves_out) && self.leaves_out(directory)
    }
}

/// Brings a pattern into its one spelling: relative, without `.` and `..`.
fn clean(pattern: &str) -> String {
    let mut parts: Vec<&str> = Vec::new();
    for part in Path::new(pattern).components() {
        match part {
            Component::Normal(part) => parts.extend(part.to_str()),
            Component::ParentDir => drop(parts.pop()),
            Component::RootDir | Component::CurDir | Component::Prefix(_) => {}
        }
    }
    parts.join("/")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rules_mean_what_they_mean_elsewhere() {
        let text = "# comment\n\n*.pyc\n/target/\n**/node_modules\nsrc/*.tmp\n!src/keep.tmp\ndocs\n!docs/README.md\n./a/../b?\n";
        let ignore = Ignore::read(text).unwrap();
        for out in [
            "a.pyc",
            "target",
            "target/debug/x",
            "node_modules",
            "web/node_modules/left-pad/index.js",
            "src/x.tmp",
            "docs/page.md",
            "bc",
        ] {
            assert!(ignore.leaves_out(out.as_bytes()), "{out}");
        }
        for kept in ["dir/a.pyc", "targets", "src/deep/x.tmp", "src/keep.tmp", "docs/README.md", "b", "a", "# comment"]
        {
            assert!(!ignore.leaves_out(kept.as_bytes()), "{kept}");
        }
        assert!(!ignore.prunes(b"docs"), "something below it is kept");
        assert!(Ignore::read("target\n").unwrap().prunes(b"target"));
        assert_eq!(Ignore::read("ok\n[unclosed\n").unwrap_err(), "[unclosed");
        assert!(Ignore::read("*\n!Dockerfile\n").unwrap().leaves_out(b"secret"));
    }
}
