//! Patterns that name files to read back: a path, or a path with wildcards in its components.

use super::globs::Pattern;

/// A pattern in components: `*` and `?` stay inside one, `**` is any number of directories.
///
/// Unlike the globs of a snapshot, which cross `/`: these are the two meanings that environment files and cases use.
pub(crate) struct PathPattern {
    parts: Vec<Part>,
}

enum Part {
    AnyDepth,
    Name(Pattern),
}

/// How far a path has come in a pattern; every way at once.
#[derive(Clone, Debug)]
pub(crate) struct Reached(Vec<usize>);

impl PathPattern {
    /// Says whether a text is a pattern rather than a path.
    pub(crate) fn is_one(text: &str) -> bool {
        text.contains(['*', '?', '['])
    }

    pub(crate) fn new(text: &str) -> Self {
        let part = |part: &str| if part == "**" { Part::AnyDepth } else { Part::Name(Pattern::new(part)) };
        Self { parts: text.split('/').filter(|part| !part.is_empty() && *part != ".").map(part).collect() }
    }

    pub(crate) fn start(&self) -> Reached {
        self.close([0])
    }

    /// Goes one component further; nothing reached means that nothing below can match.
    pub(crate) fn step(&self, from: &Reached, component: &[u8]) -> Reached {
        self.close(from.0.iter().filter_map(|at| match self.parts.get(*at)? {
            Part::AnyDepth => Some(*at),
            Part::Name(name) => name.matches_bytes(component).then_some(at + 1),
        }))
    }

    /// Says whether the whole pattern was matched.
    pub(crate) fn is_match(&self, reached: &Reached) -> bool {
        reached.0.contains(&self.parts.len())
    }

    fn close(&self, reached: impl IntoIterator<Item = usize>) -> Reached {
        let mut all = Vec::new();
        for start in reached {
            let skipped = self.parts[start..].iter().take_while(|part| matches!(part, Part::AnyDepth)).count();
            all.extend(start..=start + skipped);
        }
        all.sort_unstable();
        all.dedup();
        Reached(all)
    }
}

impl Reached {
    pub(crate) fn is_nothing(&self) -> bool {
        self.0.is_empty()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn hit(pattern: &str, path: &str) -> bool {
        let pattern = PathPattern::new(pattern);
        let reached = path.split('/').fold(pattern.start(), |at, part| pattern.step(&at, part.as_bytes()));
        pattern.is_match(&reached)
    }

    #[test]
    fn a_star_stays_in_its_component() {
        assert!(hit("*.py", "a.py") && !hit("*.py", "b/a.py"));
        assert!(hit("**/*.py", "a.py") && hit("**/*.py", "b/c/a.py"));
        assert!(hit("a/**/b", "a/b") && hit("a/**/b", "a/x/y/b") && !hit("a/**/b", "a/x"));
        assert!(hit("*", ".hidden") && hit("./out/[ab].txt", "out/a.txt"));
    }

    fn slow(pattern: &[&str], path: &[&str]) -> bool {
        match pattern.split_first() {
            None => path.is_empty(),
            Some((&"**", rest)) => (0..=path.len()).any(|skip| slow(rest, &path[skip..])),
            Some((part, rest)) => path
                .split_first()
                .is_some_and(|(head, tail)| Pattern::new(part).matches_bytes(head.as_bytes()) && slow(rest, tail)),
        }
    }

    proptest! {
        #[test]
        fn agrees_with_trying_every_way(
            pattern in proptest::collection::vec(prop_oneof![Just("**"), Just("*"), Just("a"), Just("a*")], 1..5),
            path in proptest::collection::vec(prop_oneof![Just("a"), Just("b"), Just("ab")], 1..5),
        ) {
            prop_assert_eq!(hit(&pattern.join("/"), &path.join("/")), slow(&pattern, &path));
        }
    }
}
