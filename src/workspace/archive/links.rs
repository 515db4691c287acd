//! Where a link leads in a tree that is not made yet.

/// How many links one path may lead over: what Linux follows.
const FOLLOWED: usize = 40;

/// Says whether a link leads above the root, or to an absolute path, straight or over other links.
///
/// `target_of` says where a path points when it is a link. A name that is not there is taken for a directory, because
/// it may be made later.
pub(super) fn leads_out<'a>(link: &[u8], target: &'a [u8], target_of: &dyn Fn(&[u8]) -> Option<&'a [u8]>) -> bool {
    let mut here: Vec<u8> = parent(link).to_vec();
    let mut left: Vec<&[u8]> = Vec::new();
    let mut followed = 0;
    let mut next = Some(target);
    loop {
        if let Some(target) = next.take() {
            if target.starts_with(b"/") {
                return true;
            }
            followed += 1;
            if followed > FOLLOWED {
                // Such a path leads nowhere at all.
                return false;
            }
            left.extend(target.split(|byte| *byte == b'/').rev());
        }
        match left.pop() {
            None => return false,
            Some(b"" | b".") => {}
            Some(b"..") if here.is_empty() => return true,
            Some(b"..") => here.truncate(parent(&here).len()),
            Some(name) => {
                let length = here.len();
                if !here.is_empty() {
                    here.push(b'/');
                }
                here.extend_from_slice(name);
                next = target_of(&here);
                if next.is_some() {
                    here.truncate(length);
                }
            }
        }
    }
}

fn parent(path: &[u8]) -> &[u8] {
    let end = path.iter().rposition(|byte| *byte == b'/').unwrap_or(0);
    &path[..end]
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeMap;
    use std::os::unix::fs::symlink;

    use proptest::prelude::*;

    #[expect(clippy::disallowed_methods, reason = "a tree of a test is made by path")]
    fn make_dirs(path: impl AsRef<std::path::Path>) -> std::io::Result<()> {
        std::fs::create_dir_all(path)
    }

    fn out(links: &[(&str, &str)], link: &str) -> bool {
        let links: BTreeMap<&[u8], &[u8]> = links.iter().map(|(at, to)| (at.as_bytes(), to.as_bytes())).collect();
        leads_out(link.as_bytes(), links[link.as_bytes()], &|path| links.get(path).copied())
    }

    #[test]
    fn links_lead_where_the_system_would_go() {
        assert!(out(&[("a", "/etc/passwd")], "a"));
        assert!(out(&[("a", "..")], "a"));
        assert!(out(&[("a", "x/../../y")], "a"));
        assert!(!out(&[("x/a", "../y")], "x/a"));
        assert!(!out(&[("x/a", "..")], "x/a"), "the root itself");
        assert!(!out(&[("a", "a")], "a"));
        // The text of `a` stays inside, but `b` is the root.
        let over = [("p/q/b", "../.."), ("a", "p/q/b/../x")];
        assert!(!out(&over, "p/q/b") && out(&over, "a"));
        assert!(out(&[("a", "b/x"), ("b", "c"), ("c", "/")], "a"));
    }

    proptest! {
        #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(300) })]
        /// What is said to stay inside does stay inside when the system follows it.
        #[test]
        fn what_stays_inside_does_so_on_disk(
            links in proptest::collection::btree_map("[ab](/[ab])?", "(\\.\\./|[abc]/|\\./){0,4}[abc.]", 1..6)
        ) {
            let temp = tempfile::tempdir().unwrap();
            let root = temp.path().join("1/2/3/root");
            make_dirs(&root).unwrap();
            let mut made: BTreeMap<Vec<u8>, Vec<u8>> = BTreeMap::new();
            for (at, to) in &links {
                let path = root.join(at);
                let is_below_link = at.len() > 1 && made.contains_key(&at.as_bytes()[..1]);
                if !is_below_link {
                    make_dirs(path.parent().unwrap()).unwrap();
                    if symlink(to, &path).is_ok() {
                        made.insert(at.clone().into(), to.clone().into());
                    }
                }
            }
            for (at, to) in &made {
                let is_out = leads_out(at, to, &|path| made.get(path).map(Vec::as_slice));
                let followed = std::fs::canonicalize(root.join(std::str::from_utf8(at).unwrap()));
                if let Ok(real) = followed {
                    prop_assert!(is_out || real.starts_with(root.canonicalize().unwrap()), "{:?}", made);
                }
            }
        }
    }
}
