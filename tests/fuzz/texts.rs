//! Names, specs, placeholders: what is read as text.

use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt as _;
use std::path::{Component, Path};

use bailiwick::{Host, MAX_COMPONENT, Placeholders, RuntimeRegistry, WorkspacePath, spec};

use super::driver::run;

/// A name is taken when each of its components is one, and no other is; a guest's own spelling never leads elsewhere.
#[test]
fn names() {
    let words: [&[u8]; 8] = [b"/", b"..", b".", b"\0", b"./", b"/workspace", b"//", &[b'a'; 256]];
    run("names", &words, |input, _| {
        let is_component = |part: &[u8]| {
            !part.is_empty() && part != b"." && part != b".." && part.len() <= MAX_COMPONENT && !part.contains(&0)
        };
        let wanted = input.split(|byte| *byte == b'/').all(is_component);
        let taken = WorkspacePath::new(OsStr::from_bytes(input));
        assert_eq!(taken.is_ok(), wanted);
        let own = WorkspacePath::from_guest(OsStr::from_bytes(input), Path::new("/workspace"));
        for path in taken.into_iter().chain(own.into_iter().flatten()) {
            let parts = path.as_path().components();
            assert_eq!(parts.clone().count(), path.components().count());
            assert!(parts.into_iter().all(|part| matches!(part, Component::Normal(_))));
            assert_eq!(WorkspacePath::new(OsStr::from_bytes(path.as_bytes())).unwrap(), path);
        }
    });
}

/// A spec is refused with problems, or written out and read back as the same.
#[test]
fn specs() {
    let registry = RuntimeRegistry::builder(Host::default()).with_builtins().build().unwrap();
    let words: [&[u8]; 14] = [
        b"limits: {memory: 1e400MiB}\n",
        b"null",
        b"&a [*a, *a]",
        b"<<: *a",
        b"!!binary aGk=",
        b"? ",
        b"\t",
        b"0x7f",
        b"wall_time: ",
        b"-1",
        b"18446744073709551616",
        b"\n---\n",
        b"\"\\ud800\"",
        b"{entry_file",
    ];
    run("specs", &words, |input, _| {
        let text = String::from_utf8_lossy(input);
        match spec::load(&text, "spec", &registry) {
            Err(error) => assert!(!error.to_string().is_empty()),
            Ok(loaded) => {
                let written = serde_json::to_string(&loaded.spec.to_value()).unwrap();
                let again = spec::load(&written, "spec", &registry).unwrap();
                assert_eq!(again.spec.to_value(), loaded.spec.to_value(), "{written}");
            }
        }
    });
}

/// Bytes, texts and values are resolved alike; what is no placeholder stays, and what is put in is not looked at.
#[test]
fn placeholders() {
    let known = [("a", "/static/{{static:b}}"), ("b", "/static/b"), ("{", "/static/brace")];
    let known: Placeholders = known.into_iter().map(|(name, path)| (name.to_owned(), path.to_owned())).collect();
    let words: [&[u8]; 6] = [b"{{static:", b"}}", b"{{static:a}}", b"{{{{static:", b"{", b"}"];
    run("placeholders", &words, |input, _| {
        let bytes = known.resolve_bytes(input);
        if !input.windows(9).any(|window| window == b"{{static:") {
            assert_eq!(bytes.as_deref(), Ok(input));
        }
        let Ok(text) = std::str::from_utf8(input) else { return };
        let resolved = known.resolve_str(text);
        assert_eq!(resolved.clone().map(String::into_bytes), bytes);
        assert_eq!(known.resolve_value(&text.into()), resolved.clone().map(Into::into));
        // A slow model: from the left, one placeholder after the other.
        assert_eq!(resolved.ok(), model(text));
    });
}

/// What the page of assets says, as slowly as it can be said.
fn model(text: &str) -> Option<String> {
    let mut out = String::new();
    let mut rest = text;
    while let Some(first) = rest.chars().next() {
        if let Some(after) = rest.strip_prefix("{{{{static:") {
            out.push_str("{{static:");
            rest = after;
            continue;
        }
        let name = rest
            .strip_prefix("{{static:")
            .and_then(|after| after.split_once('}'))
            .filter(|(name, after)| !name.is_empty() && after.starts_with('}'));
        if let Some((name, after)) = name {
            out.push_str(match name {
                "a" => "/static/{{static:b}}",
                "b" => "/static/b",
                "{" => "/static/brace",
                _ => return None,
            });
            rest = &after[1..];
            continue;
        }
        out.push(first);
        rest = &rest[first.len_utf8()..];
    }
    Some(out)
}
