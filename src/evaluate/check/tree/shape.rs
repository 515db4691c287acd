//! One name for all values that are the same, whatever the order of their lists.

use super::super::decimal::Decimal;
use super::super::text::Case;
use super::node::Node;

/// The name of a value: equal for two values exactly when they are the same but for the order of lists.
pub(super) type Shape = [u8; 32];

/// What numbers count for in a shape.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Numbers {
    /// By their value.
    Count,
    /// That there is one.
    AreBlank,
}

pub(super) fn shape(node: &Node, case: Case, numbers: Numbers) -> Shape {
    let mut hasher = blake3::Hasher::new();
    match node {
        Node::Null => {
            hasher.update(b"n");
        }
        Node::Bool(value) => {
            hasher.update(if *value { b"t" } else { b"f" });
        }
        Node::Number(text) => {
            hasher.update(b"0");
            if numbers == Numbers::Count {
                let value = Decimal::read(text.as_bytes()).map(|number| number.canonical());
                hasher.update(value.as_deref().unwrap_or(text).as_bytes());
            }
        }
        Node::Text(text) => {
            hasher.update(b"s");
            hasher.update(&case.fold(text.as_bytes()));
        }
        Node::List(nodes) => {
            let mut shapes: Vec<Shape> = nodes.iter().map(|node| shape(node, case, numbers)).collect();
            shapes.sort_unstable();
            hasher.update(b"l");
            for shape in shapes {
                hasher.update(&shape);
            }
        }
        Node::Map(entries) => {
            hasher.update(b"m");
            for (key, node) in entries {
                hasher.update(&(key.len() as u64).to_le_bytes());
                hasher.update(key.as_bytes());
                hasher.update(&shape(node, case, numbers));
            }
        }
    }
    *hasher.finalize().as_bytes()
}

/// Lists the numbers of a value in their order.
pub(super) fn numbers(node: &Node, out: &mut Vec<f64>) {
    match node {
        Node::Number(text) => out.push(text.parse().unwrap_or(f64::NAN)),
        Node::Null | Node::Bool(_) | Node::Text(_) => {}
        Node::List(nodes) => nodes.iter().for_each(|node| numbers(node, out)),
        Node::Map(entries) => entries.iter().for_each(|(_, node)| numbers(node, out)),
    }
}
