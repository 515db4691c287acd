//! What is not looked at in a value: paths as files write them, with `*` for any key and `[*]` for any item.

use super::node::Node;

/// A path to what is not looked at: `meta.time`, `items[*].id`, `["a.b"][0]`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::evaluate::check) struct Mask {
    steps: Vec<Step>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Step {
    Key(String),
    AnyKey,
    Item(usize),
    AnyItem,
}

impl Mask {
    /// Reads a path; says what is wrong with it.
    pub(in crate::evaluate::check) fn read(path: &str) -> Result<Self, String> {
        let bad = || "is not a path".to_owned();
        let mut steps = Vec::new();
        // `$` is the whole, for those who write it.
        let mut rest = path.strip_prefix('$').unwrap_or(path);
        while !rest.is_empty() {
            if let Some(inner) = rest.strip_prefix('[') {
                let (step, behind) = bracket(inner).ok_or_else(bad)?;
                steps.push(step);
                rest = behind;
                continue;
            }
            let body = rest.strip_prefix('.').unwrap_or(if steps.is_empty() { rest } else { "" });
            let end = body.find(['.', '[']).unwrap_or(body.len());
            steps.push(match &body[..end] {
                "" => return Err(bad()),
                "*" => Step::AnyKey,
                key => Step::Key(key.to_owned()),
            });
            rest = &body[end..];
        }
        if steps.is_empty() { Err("leaves nothing to look at".to_owned()) } else { Ok(Self { steps }) }
    }

    /// Says whether it names an item by its place, which means nothing where order does not count.
    pub(in crate::evaluate::check) fn names_an_item(&self) -> bool {
        self.steps.iter().any(|step| matches!(step, Step::Item(_)))
    }

    /// Takes what it names out of a value: keys go, items become null.
    pub(in crate::evaluate::check) fn apply(&self, node: &mut Node) {
        apply(&self.steps, node);
    }
}

/// Reads what stands behind `[`, and gives the rest.
fn bracket(inner: &str) -> Option<(Step, &str)> {
    if inner.starts_with('"') {
        let mut stream = serde_json::Deserializer::from_str(inner).into_iter::<String>();
        let key = stream.next()?.ok()?;
        let rest = inner[stream.byte_offset()..].strip_prefix(']')?;
        return Some((Step::Key(key), rest));
    }
    let (word, rest) = inner.split_once(']')?;
    let step = if word == "*" { Step::AnyItem } else { Step::Item(word.parse().ok()?) };
    Some((step, rest))
}

fn apply(steps: &[Step], node: &mut Node) {
    let Some((step, rest)) = steps.split_first() else { return };
    match (step, node) {
        (Step::Key(key), Node::Map(entries)) => {
            let Ok(at) = entries.binary_search_by(|(other, _)| other.as_ref().cmp(key.as_str())) else { return };
            if rest.is_empty() {
                entries.remove(at);
            } else {
                apply(rest, &mut entries[at].1);
            }
        }
        (Step::AnyKey, Node::Map(entries)) if rest.is_empty() => entries.clear(),
        (Step::AnyKey, Node::Map(entries)) => entries.iter_mut().for_each(|(_, node)| apply(rest, node)),
        (Step::Item(at), Node::List(nodes)) => {
            if let Some(node) = nodes.get_mut(*at) {
                blank(rest, node);
            }
        }
        (Step::AnyItem, Node::List(nodes)) => nodes.iter_mut().for_each(|node| blank(rest, node)),
        // A path that does not fit the value names nothing of it.
        (Step::Key(_) | Step::AnyKey | Step::Item(_) | Step::AnyItem, _) => {}
    }
}

fn blank(rest: &[Step], node: &mut Node) {
    if rest.is_empty() {
        *node = Node::Null;
    } else {
        apply(rest, node);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::{Value, json};

    fn masked(path: &str, value: &Value) -> Value {
        let mut node = Node::from(value);
        Mask::read(path).unwrap().apply(&mut node);
        node.to_value()
    }

    #[test]
    fn paths_take_out_what_they_name() {
        let value = json!({"a": {"b": 1, "c.d": 2}, "l": [{"x": 1, "y": 2}, {"x": 3}, 4]});
        assert_eq!(masked("a.b", &value)["a"], json!({"c.d": 2}));
        assert_eq!(masked("$.a[\"c.d\"]", &value)["a"], json!({"b": 1}));
        assert_eq!(masked("l[*].x", &value)["l"], json!([{"y": 2}, {}, 4]));
        assert_eq!(masked("l[1]", &value)["l"], json!([{"x": 1, "y": 2}, null, 4]));
        assert_eq!(masked("a.*", &value)["a"], json!({}));
        assert_eq!(masked("a.b.c[7]", &value), value);
    }

    #[test]
    fn what_is_no_path_is_refused() {
        for path in ["", "$", "a..b", "a.", ".", "a[", "a[x]", "a[-1]", "a[1]b", "a[\"x]", "a[]"] {
            assert!(Mask::read(path).is_err(), "{path}");
        }
        assert!(Mask::read("a[3].b").unwrap().names_an_item());
        assert!(!Mask::read("a[*].b").unwrap().names_an_item());
    }
}
