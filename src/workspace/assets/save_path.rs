//! The rule for where an asset stands, below the asset root and in an agent's workspace.

use crate::workspace::WorkspacePath;

/// The name that bailiwick keeps for itself at the top of a workspace.
const RESERVED: &str = ".bailiwick";

/// Brings a save path into its one form, or says what is wrong with it, as the end of a sentence.
///
/// A leading `./` and one trailing `/` go; every other `.`, `..` and empty component is refused.
pub(super) fn normalise(text: &str) -> Result<String, &'static str> {
    let mut rest = text;
    while let Some(after) = rest.strip_prefix("./") {
        rest = after;
    }
    let rest = if rest.len() > 1 { rest.strip_suffix('/').unwrap_or(rest) } else { rest };
    if rest.len() > 4095 {
        return Err("is longer than a path can be");
    }
    WorkspacePath::new(rest).map_err(|error| error.problem)?;
    if rest.split('/').next() == Some(RESERVED) {
        return Err("begins with a name that bailiwick keeps for itself");
    }
    Ok(rest.to_owned())
}

/// Says whether one of two normal save paths is the other or holds it, by components.
pub(super) fn clash(one: &str, other: &str) -> bool {
    let holds = |outer: &str, inner: &str| {
        inner.strip_prefix(outer).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
    };
    holds(one, other) || holds(other, one)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn save_paths_have_one_form() {
        for (text, normal) in
            [("a/b", "a/b"), ("./a", "a"), ("././a/", "a"), ("...", "..."), ("a b\\c", "a b\\c"), ("-rf", "-rf")]
        {
            assert_eq!(normalise(text).as_deref(), Ok(normal));
        }
    }

    #[test]
    fn what_leaves_or_confuses_is_refused() {
        let long = "x".repeat(256);
        let deep = "x/".repeat(2050);
        for text in
            ["", ".", "./", "/", "/a", "..", "a/../b", "a//b", "a/./b", "a\0b", "../a", ".bailiwick/x", &long, &deep]
        {
            assert!(normalise(text).is_err(), "{text:?}");
        }
    }

    #[test]
    fn clashes_go_by_component() {
        assert!(clash("a", "a") && clash("a", "a/b") && clash("a/b", "a"));
        assert!(!clash("a", "ab") && !clash("a/b", "a/c"));
    }
}
