//! A reader of YAML into the same values, with bounds against bombs.

use std::fmt;

use serde::de::{Deserialize, Deserializer, Error as _, MapAccess, SeqAccess, Visitor};
use serde_saphyr::{DuplicateKeyPolicy, NonFiniteFloatPolicy, Options};

use super::node::{Node, Unreadable, map};

/// The deepest nesting that is read: half of what JSON may have, since the reader takes more stack for a level.
const MAX_DEPTH: usize = 64;
/// The most values that are read, aliases counted as often as they stand.
const MAX_NODES: usize = 200_000;

/// Reads one document; an empty one is null.
pub(in crate::evaluate::check) fn read_yaml(text: &[u8]) -> Result<Node, Unreadable> {
    let text = std::str::from_utf8(text)
        .map_err(|error| Unreadable { message: "is not UTF-8".to_owned(), at: Some(error.valid_up_to()) })?;
    serde_saphyr::from_str_with_options::<Node>(text, options()).map_err(|error| {
        let error = error.without_snippet();
        let shown = error.render_with_options(serde_saphyr::RenderOptions::default());
        // The place is told apart.
        let message = shown.split(" at line ").next().unwrap_or(&shown).trim();
        let line = error.location().and_then(|location| usize::try_from(location.line()).ok());
        let message = super::super::excerpt::begin_of_text(message);
        Unreadable { message: format!("is not YAML: {message}"), at: line.and_then(|line| begin_of(text, line)) }
    })
}

/// Gives the byte at which a line, from 1, begins.
fn begin_of(text: &str, line: usize) -> Option<usize> {
    let lines = line.checked_sub(1)?;
    if lines == 0 {
        return Some(0);
    }
    text.match_indices('\n').nth(lines - 1).map(|(at, _)| at + 1)
}

fn options() -> Options {
    let mut budget = serde_saphyr::Budget::default();
    budget.max_depth = MAX_DEPTH;
    budget.flow_nesting_limit = MAX_DEPTH;
    budget.max_nodes = MAX_NODES;
    budget.max_documents = 1;
    let mut options = Options::default();
    options.budget = Some(budget);
    options.alias_limits.max_total_replayed_events = MAX_NODES;
    options.duplicate_keys = DuplicateKeyPolicy::Error;
    options.strict_booleans = true;
    options.non_finite_float_policy = NonFiniteFloatPolicy::PassThrough;
    options.with_snippet = false;
    options
}

impl<'de> Deserialize<'de> for Node {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(NodeVisitor)
    }
}

struct NodeVisitor;

impl NodeVisitor {
    fn number<E>(value: impl fmt::Display) -> Result<Node, E> {
        Ok(Node::Number(value.to_string().into()))
    }
}

impl<'de> Visitor<'de> for NodeVisitor {
    type Value = Node;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a value")
    }

    fn visit_unit<E>(self) -> Result<Node, E> {
        Ok(Node::Null)
    }

    fn visit_none<E>(self) -> Result<Node, E> {
        Ok(Node::Null)
    }

    fn visit_bool<E>(self, value: bool) -> Result<Node, E> {
        Ok(Node::Bool(value))
    }

    fn visit_i64<E>(self, value: i64) -> Result<Node, E> {
        Self::number(value)
    }

    fn visit_u64<E>(self, value: u64) -> Result<Node, E> {
        Self::number(value)
    }

    fn visit_i128<E>(self, value: i128) -> Result<Node, E> {
        Self::number(value)
    }

    fn visit_u128<E>(self, value: u128) -> Result<Node, E> {
        Self::number(value)
    }

    fn visit_f64<E>(self, value: f64) -> Result<Node, E> {
        Self::number(if value.is_nan() { f64::NAN } else { value })
    }

    fn visit_str<E>(self, value: &str) -> Result<Node, E> {
        Ok(Node::Text(value.into()))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Node, A::Error> {
        let mut nodes = Vec::new();
        while let Some(node) = seq.next_element()? {
            nodes.push(node);
        }
        Ok(Node::List(nodes))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut entries: A) -> Result<Node, A::Error> {
        let mut list = Vec::new();
        while let Some((key, node)) = entries.next_entry::<String, Node>()? {
            list.push((key.into(), node));
        }
        map(list).map_err(|_| A::Error::custom("a key stands twice in one map"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn documents_become_values() {
        let node = read_yaml(b"a: [1, 2.50, yes, ~]\nb: {c: 'x', 3: true}\n").unwrap();
        assert_eq!(node.to_value(), json!({"a": [1, 2.5, "yes", null], "b": {"c": "x", "3": true}}));
        assert_eq!(read_yaml(b"").unwrap(), Node::Null);
        assert_eq!(read_yaml(b".inf").unwrap(), Node::Number("inf".into()));
        assert_eq!(read_yaml(b".nan").unwrap(), Node::Number("NaN".into()));
    }

    #[test]
    fn bombs_and_what_is_no_yaml_are_refused() {
        let mut bomb = "a0: &a0 [x, x, x, x, x, x, x, x, x]\n".to_owned();
        for level in 1..9 {
            let alias = format!("*a{}, ", level - 1).repeat(9);
            bomb += &format!("a{level}: &a{level} [{alias}]\n");
        }
        let many = format!("[{}0]", "0,".repeat(1 << 18));
        let deep = format!("{}x", "- ".repeat(1 << 16));
        for text in
            [bomb, deep, "[".repeat(1 << 16), many, "a: 1\na: 2".into(), "a: 1\n---\nb: 2".into(), "a: b: c".into()]
        {
            let found = read_yaml(text.as_bytes()).unwrap_err();
            assert!(found.message.starts_with("is not YAML: "), "{}: {}", &text[..10.min(text.len())], found.message);
            assert!(found.message.len() < 400);
        }
        assert!(read_yaml(b"\xff").is_err());
    }
}
