//! Names of files in packages.

/// Says whether a name may stand in a package; others are passed over, as the newer formats have it.
pub(super) fn is_name(name: &str) -> bool {
    let mut bytes = name.bytes();
    let first = bytes.next().is_some_and(|byte| byte.is_ascii_alphanumeric() || byte == b'_');
    first && name.len() <= 255 && bytes.all(|byte| byte.is_ascii_alphanumeric() || b"_.-".contains(&byte))
}

/// The endings of what may stand beside a test case and is for people.
const FOR_PEOPLE: [&str; 12] = [
    "hint",
    "desc",
    "png",
    "jpg",
    "jpeg",
    "svg",
    "interaction",
    "out",
    "in.statement",
    "ans.statement",
    "in.download",
    "ans.download",
];

/// Says whether a file beside a test case is for people, and judges nothing.
pub(super) fn is_for_people(name: &str) -> bool {
    let ending = |ending: &&str| name.strip_suffix(*ending).is_some_and(|rest| rest.ends_with('.'));
    FOR_PEOPLE.iter().any(ending) || name.to_ascii_lowercase().starts_with("readme")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_those_of_the_format() {
        for name in ["1.in", "a", "_x", "test-01.ans", "A.b_c-d"] {
            assert!(is_name(name), "{name}");
        }
        for name in ["", ".git", "-x", "a b", "é.in", "a/b"] {
            assert!(!is_name(name), "{name}");
        }
        assert!(is_for_people("1.in.download") && is_for_people("README.md") && is_for_people("1.png"));
        assert!(!is_for_people("1.in") && !is_for_people("png") && !is_for_people("1.inn"));
    }
}
