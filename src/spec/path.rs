//! Paths into a file as readers write them: `limits.wall_time`, `cases[3].args[0]`, `env["a.b"]`.

use serde_json::Value;

/// One step of a path.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Step {
    /// Into a map.
    Key(String),
    /// Into a list, from 0.
    Index(usize),
}

/// Adds a key to a path.
pub(crate) fn join_key(path: &str, key: &str) -> String {
    let plain = !key.is_empty() && key.chars().all(|c| c.is_alphanumeric() || "_-".contains(c));
    match (plain, path) {
        (true, "") => key.to_owned(),
        (true, path) => format!("{path}.{key}"),
        // The quoting of JSON, so that no key can look like a path.
        (false, path) => format!("{path}[{}]", Value::from(key)),
    }
}

/// Adds an index to a path.
pub(super) fn join_index(path: &str, index: usize) -> String {
    format!("{path}[{index}]")
}

/// Puts a path that is relative to another behind it.
pub(super) fn join(base: &str, rest: &str) -> String {
    match (base, rest) {
        ("", rest) => rest.to_owned(),
        (base, "") => base.to_owned(),
        (base, rest) if rest.starts_with('[') => format!("{base}{rest}"),
        (base, rest) => format!("{base}.{rest}"),
    }
}

/// Says whether a path is another or below it, by steps: `ab` is not below `a`.
pub(super) fn is_within(path: &str, ancestor: &str) -> bool {
    path.strip_prefix(ancestor).is_some_and(|rest| rest.is_empty() || rest.starts_with(['.', '[']))
}

/// Writes steps as a path.
pub(super) fn write(steps: &[Step]) -> String {
    steps.iter().fold(String::new(), |path, step| match step {
        Step::Key(key) => join_key(&path, key),
        Step::Index(index) => join_index(&path, *index),
    })
}

/// Reads a path; none when it is not one.
pub(super) fn read(path: &str) -> Option<Vec<Step>> {
    let mut steps = Vec::new();
    let mut rest = path;
    while !rest.is_empty() {
        if let Some(inner) = rest.strip_prefix('[') {
            let mut stream = serde_json::Deserializer::from_str(inner).into_iter::<Value>();
            steps.push(match stream.next()?.ok()? {
                Value::String(key) => Step::Key(key),
                Value::Number(index) => Step::Index(usize::try_from(index.as_u64()?).ok()?),
                Value::Null | Value::Bool(_) | Value::Array(_) | Value::Object(_) => return None,
            });
            rest = inner[stream.byte_offset()..].strip_prefix(']')?;
        } else {
            let body = if steps.is_empty() { rest } else { rest.strip_prefix('.')? };
            let end = body.find(['.', '[']).unwrap_or(body.len());
            if end == 0 {
                return None;
            }
            steps.push(Step::Key(body[..end].to_owned()));
            rest = &body[end..];
        }
    }
    Some(steps)
}

/// Reads a JSON pointer, with the value that it points into to tell keys from indexes.
pub(super) fn from_pointer(pointer: &str, root: &Value) -> Vec<Step> {
    let mut here = Some(root);
    let mut steps = Vec::new();
    for part in pointer.split('/').skip(1) {
        let part = part.replace("~1", "/").replace("~0", "~");
        let index = part.parse().ok().filter(|_| here.is_some_and(Value::is_array));
        here = here.and_then(|value| match index {
            Some(index) => value.get::<usize>(index),
            None => value.get(&part),
        });
        steps.push(index.map_or(Step::Key(part), Step::Index));
    }
    steps
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn a_path_reads_as_it_is_written() {
        let steps = [Step::Key("a".into()), Step::Index(3), Step::Key("b.c".into()), Step::Key("d".into())];
        assert_eq!(write(&steps), "a[3][\"b.c\"].d");
        assert_eq!(read("a[3][\"b.c\"].d").as_deref(), Some(&steps[..]));
    }

    #[test]
    fn what_is_no_path_is_not_read() {
        for path in ["a.", ".a", "a..b", "a[", "a[x]", "a[-1]", "a[1", "a[1]b", "[null]"] {
            assert_eq!(read(path), None, "{path}");
        }
    }

    proptest! {
        #[test]
        fn every_key_survives(keys in proptest::collection::vec("\\PC{0,6}", 1..4)) {
            let steps: Vec<Step> = keys.into_iter().map(Step::Key).collect();
            prop_assert_eq!(read(&write(&steps)).unwrap(), steps);
        }
    }
}
