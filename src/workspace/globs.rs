//! Globs with the meaning that environment files give them: shell wildcards over the whole relative path.
//!
//! `*` crosses `/`, `?` is one character, `[a-z]` and `[!a-z]` are classes; there are no braces, no negation and
//! no escape. A crate for globs is not used, because each gives `**`, `{`, `\` or `[^` a meaning of its own.

use std::fmt;

/// A set of patterns; a path matches when one of them matches it.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Globs {
    patterns: Vec<Pattern>,
}

impl Globs {
    /// Reads patterns. Every text is a pattern: an unclosed `[` stands for itself.
    pub fn new<P: AsRef<str>>(patterns: impl IntoIterator<Item = P>) -> Self {
        Self { patterns: patterns.into_iter().map(|text| Pattern::new(text.as_ref())).collect() }
    }

    /// Says whether there is no pattern at all.
    pub fn is_empty(&self) -> bool {
        self.patterns.is_empty()
    }

    /// Says whether a relative path matches, as `a/b` or as `./a/b`.
    pub fn matches(&self, path: &[u8]) -> bool {
        if self.patterns.is_empty() {
            return false;
        }
        let with_dot: Vec<Unit> = units(b"./").chain(units(path)).collect();
        self.patterns.iter().any(|pattern| pattern.matches(&with_dot[2..]) || pattern.matches(&with_dot))
    }

    /// Says whether a directory is left out with all that it holds: its path with a `/` matches.
    pub fn prunes(&self, directory: &[u8]) -> bool {
        !self.patterns.is_empty() && self.matches(&[directory, b"/"].concat())
    }
}

impl fmt::Debug for Globs {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.patterns.iter().map(|pattern| &pattern.text)).finish()
    }
}

/// One pattern, read.
#[derive(Clone, PartialEq, Eq)]
pub(crate) struct Pattern {
    text: String,
    tokens: Vec<Token>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Token {
    Any,
    One,
    Is(Unit),
    Class { negated: bool, ranges: Vec<(Unit, Unit)> },
}

/// A character, or a byte that is no part of one, moved out of the way of all characters.
type Unit = u32;

fn units(bytes: &[u8]) -> impl Iterator<Item = Unit> + '_ {
    const STRAY: Unit = 0x11_0000;
    bytes.utf8_chunks().flat_map(|chunk| {
        let stray = chunk.invalid().iter().map(|byte| STRAY + Unit::from(*byte));
        chunk.valid().chars().map(Unit::from).chain(stray)
    })
}

impl Pattern {
    pub(crate) fn new(text: &str) -> Self {
        let source: Vec<char> = text.chars().collect();
        let mut tokens = Vec::new();
        let mut at = 0;
        while at < source.len() {
            let (token, next) = match source[at] {
                '*' => (Token::Any, at + 1),
                '?' => (Token::One, at + 1),
                '[' => class(&source, at).unwrap_or((Token::Is(Unit::from('[')), at + 1)),
                other => (Token::Is(Unit::from(other)), at + 1),
            };
            if token != Token::Any || tokens.last() != Some(&Token::Any) {
                tokens.push(token);
            }
            at = next;
        }
        Self { text: text.to_owned(), tokens }
    }

    /// Matches a whole name given as bytes.
    pub(crate) fn matches_bytes(&self, name: &[u8]) -> bool {
        self.matches(&units(name).collect::<Vec<_>>())
    }

    /// Matches in at most length × length steps: only the last `*` is ever tried again.
    fn matches(&self, name: &[Unit]) -> bool {
        let (mut at, mut token) = (0, 0);
        let mut retry: Option<(usize, usize)> = None;
        while at < name.len() {
            match self.tokens.get(token) {
                Some(Token::Any) => {
                    retry = Some((at, token + 1));
                    token += 1;
                }
                Some(one) if one.takes(name[at]) => (at, token) = (at + 1, token + 1),
                _ => match retry {
                    Some((from, after)) => {
                        (at, token) = (from + 1, after);
                        retry = Some((at, after));
                    }
                    None => return false,
                },
            }
        }
        self.tokens[token..].iter().all(|rest| *rest == Token::Any)
    }
}

impl Token {
    fn takes(&self, unit: Unit) -> bool {
        match self {
            Self::Any => false,
            Self::One => true,
            Self::Is(wanted) => *wanted == unit,
            Self::Class { negated, ranges } => {
                ranges.iter().any(|(low, high)| (*low..=*high).contains(&unit)) != *negated
            }
        }
    }
}

/// Reads `[...]` that starts at `open`; a `]` that comes first is a member. `None` when it never closes.
fn class(source: &[char], open: usize) -> Option<(Token, usize)> {
    let negated = source.get(open + 1) == Some(&'!');
    let start = open + 1 + usize::from(negated);
    let first = start + usize::from(source.get(start) == Some(&']'));
    let close = first + source.get(first..)?.iter().position(|c| *c == ']')?;
    let members = &source[start..close];
    let mut ranges = Vec::new();
    let mut at = 0;
    while at < members.len() {
        let low = Unit::from(members[at]);
        if members.get(at + 1) == Some(&'-') && at + 2 < members.len() {
            ranges.push((low, Unit::from(members[at + 2])));
            at += 3;
        } else {
            ranges.push((low, low));
            at += 1;
        }
    }
    Some((Token::Class { negated, ranges }, close + 1))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn hit(pattern: &str, path: &str) -> bool {
        Globs::new([pattern]).matches(path.as_bytes())
    }

    #[test]
    fn a_star_crosses_directories() {
        assert!(hit("*.py", "a/b/c.py"));
        assert!(hit("**/*.py", "root.py"), "tried as ./root.py");
        assert!(hit("**/.DS_Store", "a/.DS_Store"));
        assert!(!hit("a/**/b", "a/b"));
    }

    #[test]
    fn a_directory_is_pruned_by_its_name_with_a_slash() {
        let globs = Globs::new(["venv/*", "x"]);
        assert!(globs.prunes(b"venv"));
        assert!(!globs.prunes(b"sub/venv"));
        assert!(!globs.prunes(b"x"), "no slash, no pruning");
        assert!(globs.matches(b"x"));
    }

    #[test]
    fn classes_braces_and_escapes() {
        assert!(hit("[ab].c", "a.c") && !hit("[!ab].c", "a.c") && hit("[!ab].c", "c.c"));
        assert!(hit("[]]", "]") && hit("[a", "[a") && hit("[^a]", "^") && hit("[^a]", "a"));
        assert!(hit("{a,b}", "{a,b}") && !hit("{a,b}", "a"));
        assert!(hit("a\\*", "a\\b") && !hit("a\\*", "a*"));
        assert!(hit("?", "é") && !hit("??", "é"));
        assert!(Globs::new(["?"]).matches(b"\xff"));
        assert!(!hit("[z-a]", "m"));
    }

    #[test]
    fn many_stars_do_not_explode() {
        let pattern = "*a".repeat(40) + "b";
        assert!(!hit(&pattern, &"a".repeat(2000)));
    }

    /// Tries every way there is.
    fn slow(pattern: &[Token], name: &[Unit]) -> bool {
        match pattern.split_first() {
            None => name.is_empty(),
            Some((Token::Any, rest)) => (0..=name.len()).any(|skip| slow(rest, &name[skip..])),
            Some((one, rest)) => name.split_first().is_some_and(|(head, tail)| one.takes(*head) && slow(rest, tail)),
        }
    }

    proptest! {
        #[test]
        fn agrees_with_trying_every_way(pattern in "[ab*?/\\[\\]!-]{0,8}", name in "[ab/]{0,8}") {
            let read = Pattern::new(&pattern);
            let name: Vec<Unit> = units(name.as_bytes()).collect();
            prop_assert_eq!(read.matches(&name), slow(&read.tokens, &name));
        }
    }
}
