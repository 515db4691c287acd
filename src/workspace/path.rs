//! `WorkspacePath`: the one rule for names inside a workspace, in the API, in archives and in snapshots.

use std::cmp::Ordering;
use std::ffi::{OsStr, OsString};
use std::fmt;
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::path::Path;

/// The most bytes that one component of a path may have: what Linux file systems take.
pub const MAX_COMPONENT: usize = 255;

/// A relative path inside a workspace: components that are neither empty, `.`, `..` nor longer than
/// [`MAX_COMPONENT`] bytes, and hold no NUL.
///
/// Anything else is a name: backslashes, blanks, newlines, `C:`, `...` and bytes that are not UTF-8.
/// Order and equality go by bytes, so that they are the same on every machine.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct WorkspacePath(OsString);

/// Why a name cannot be a path inside a workspace.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the path `{path}` {problem}")]
#[non_exhaustive]
pub struct PathError {
    /// The name, escaped.
    pub path: String,
    /// What is wrong with it, as the end of a sentence.
    pub problem: &'static str,
}

impl WorkspacePath {
    /// Accepts a name as it stands.
    ///
    /// # Errors
    ///
    /// When the name is empty, absolute, or has a component that is empty, `.`, `..`, too long, or holds a NUL.
    pub fn new(name: impl AsRef<OsStr>) -> Result<Self, PathError> {
        let name = name.as_ref();
        match problem(name.as_bytes()) {
            None => Ok(Self(name.to_owned())),
            Some(problem) => Err(PathError { path: display(name.as_bytes()), problem }),
        }
    }

    /// Accepts a name as a guest or a case writes it: `./a`, `a/`, and absolute below the guest's `workdir`.
    /// `None` stands for the workspace itself.
    ///
    /// # Errors
    ///
    /// As [`Self::new`], after the leading `./`, the `workdir` and one trailing slash are gone.
    pub fn from_guest(name: impl AsRef<OsStr>, workdir: &Path) -> Result<Option<Self>, PathError> {
        let name = name.as_ref();
        let mut rest = match Path::new(name).strip_prefix(workdir) {
            Ok(below) if name.as_bytes().starts_with(b"/") => below.as_os_str().as_bytes(),
            _ => name.as_bytes(),
        };
        while let Some(after) = rest.strip_prefix(b"./") {
            rest = after;
        }
        let rest = rest.strip_suffix(b"/").unwrap_or(rest);
        let is_root = rest == b"." || (rest.is_empty() && !name.is_empty() && name != "/");
        if is_root { Ok(None) } else { Self::new(OsStr::from_bytes(rest)).map(Some) }
    }

    /// Wraps bytes that a walk has put together from directory entries.
    pub(crate) fn from_walk(bytes: &[u8]) -> Self {
        debug_assert_eq!(problem(bytes), None, "a directory entry is a component");
        Self(OsString::from_vec(bytes.to_vec()))
    }

    /// Gives the path as the system takes it.
    pub fn as_path(&self) -> &Path {
        Path::new(&self.0)
    }

    /// Gives the path's bytes.
    pub fn as_bytes(&self) -> &[u8] {
        self.0.as_bytes()
    }

    /// Gives the path as text, if it is UTF-8.
    pub fn as_str(&self) -> Option<&str> {
        self.0.to_str()
    }

    /// Lists the components, from the root down.
    pub fn components(&self) -> impl Iterator<Item = &OsStr> {
        self.as_bytes().split(|byte| *byte == b'/').map(OsStr::from_bytes)
    }

    /// Gives the last component.
    pub fn file_name(&self) -> &OsStr {
        OsStr::from_bytes(self.as_bytes().rsplit(|byte| *byte == b'/').next().unwrap_or_default())
    }

    /// Gives the directory that holds this path; `None` is the workspace itself.
    pub fn parent(&self) -> Option<Self> {
        let end = self.as_bytes().iter().rposition(|byte| *byte == b'/')?;
        Some(Self(OsStr::from_bytes(&self.as_bytes()[..end]).to_owned()))
    }

    /// Says whether this path is `ancestor` or below it, by components: `ab` is not below `a`.
    pub fn starts_with(&self, ancestor: &Self) -> bool {
        let (this, prefix) = (self.as_bytes(), ancestor.as_bytes());
        this.strip_prefix(prefix).is_some_and(|rest| rest.is_empty() || rest[0] == b'/')
    }

    /// Appends a path below this one.
    #[must_use]
    pub fn join(&self, below: &Self) -> Self {
        let bytes = [self.as_bytes(), below.as_bytes()].join(&b'/');
        Self(OsString::from_vec(bytes))
    }
}

fn problem(name: &[u8]) -> Option<&'static str> {
    if name.is_empty() {
        return Some("is empty");
    }
    if name[0] == b'/' {
        return Some("is absolute");
    }
    if name.contains(&0) {
        return Some("holds a NUL byte");
    }
    name.split(|byte| *byte == b'/').find_map(|component| match component {
        b"" => Some("has an empty component"),
        b"." => Some("has a component `.`"),
        b".." => Some("has a component `..`"),
        long if long.len() > MAX_COMPONENT => Some("has a component of more than 255 bytes"),
        _ => None,
    })
}

/// Writes a name for people: control characters and text direction marks escaped, other bytes that are not UTF-8
/// replaced, long names cut in the middle.
pub(crate) fn display(name: &[u8]) -> String {
    const KEPT: usize = 120;
    let text = String::from_utf8_lossy(name);
    let escape = |character: char| match character {
        '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{2069}' | '\u{feff}' => {
            character.escape_unicode().to_string()
        }
        _ if character.is_control() => character.escape_debug().to_string(),
        _ => character.to_string(),
    };
    let count = text.chars().count();
    if count <= 2 * KEPT {
        return if name.is_empty() { ".".into() } else { text.chars().map(escape).collect() };
    }
    let head: String = text.chars().take(KEPT).map(escape).collect();
    let tail: String = text.chars().skip(count - KEPT).map(escape).collect();
    format!("{head}…{tail}")
}

impl fmt::Display for WorkspacePath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&display(self.as_bytes()))
    }
}

impl fmt::Debug for WorkspacePath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&self.0, f)
    }
}

impl Ord for WorkspacePath {
    fn cmp(&self, other: &Self) -> Ordering {
        self.as_bytes().cmp(other.as_bytes())
    }
}

impl PartialOrd for WorkspacePath {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl std::str::FromStr for WorkspacePath {
    type Err = PathError;

    fn from_str(name: &str) -> Result<Self, PathError> {
        Self::new(name)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn refuses_what_leaves_or_confuses() {
        for name in ["", "/", "/a", ".", "..", "a//b", "a/", "./a", "a/../b", "a/./b", "a\0b", "../x"] {
            assert!(WorkspacePath::new(name).is_err(), "{name:?}");
        }
    }

    #[test]
    fn keeps_odd_names() {
        for name in ["...", "-rf", "$(id)", "C:\\x", "\\\\unc\\x", " a ", "a\nb", "\u{202e}txt", ".hidden", "a/..b"] {
            assert!(WorkspacePath::new(name).is_ok(), "{name:?}");
        }
        assert!(WorkspacePath::new(OsStr::from_bytes(b"\xff\xfe")).is_ok());
        assert!(WorkspacePath::new("x".repeat(255)).is_ok());
        assert!(WorkspacePath::new("x".repeat(256)).is_err());
    }

    #[test]
    fn a_guest_may_write_its_workdir_and_a_leading_dot() {
        let parse = |name: &str| WorkspacePath::from_guest(name, Path::new("/workspace"));
        for name in ["a/b", "./a/b", "././a/b", "/workspace/a/b", "a/b/"] {
            assert_eq!(parse(name).unwrap().unwrap().as_str(), Some("a/b"), "{name}");
        }
        for name in [".", "./", "/workspace", "/workspace/"] {
            assert_eq!(parse(name).unwrap(), None, "{name}");
        }
        for name in ["/workspaces/a", "/etc/passwd", "/", "", "../a", "/workspace/../etc", "//"] {
            assert!(parse(name).is_err(), "{name}");
        }
    }

    #[test]
    fn prefixes_go_by_component() {
        let path = |name: &str| WorkspacePath::new(name).unwrap();
        assert!(path("a/b").starts_with(&path("a")));
        assert!(!path("ab").starts_with(&path("a")));
        assert_eq!(path("a/b").parent(), Some(path("a")));
        assert_eq!(path("a").parent(), None);
    }

    proptest! {
        #[test]
        fn an_accepted_path_stays_below_its_root(name in proptest::collection::vec(
            prop_oneof![Just(b'/'), Just(b'.'), Just(0u8), any::<u8>()], 0..20)) {
            if let Ok(path) = WorkspacePath::new(OsStr::from_bytes(&name)) {
                let std: Vec<_> = path.as_path().components().collect();
                prop_assert_eq!(std.len(), path.components().count());
                prop_assert!(std.iter().all(|part| matches!(part, std::path::Component::Normal(_))));
            }
        }
    }
}
