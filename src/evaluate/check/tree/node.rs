//! A value of JSON or YAML.

use std::fmt::Write as _;

use serde_json::{Map, Number, Value};

/// The deepest nesting that is read.
pub(super) const MAX_DEPTH: usize = 128;
/// The most values that are read of one text of JSON.
pub(in crate::evaluate::check) const MAX_NODES: usize = 1_000_000;

/// A value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::evaluate::check) enum Node {
    Null,
    Bool(bool),
    /// As it is written, or as the shortest decimal; `inf`, `-inf` and `nan` in YAML.
    Number(Box<str>),
    Text(Box<str>),
    List(Vec<Node>),
    /// In the order of the keys, each once.
    Map(Vec<(Box<str>, Node)>),
}

/// A text that is no value: why, and at which byte where that is known.
#[derive(Debug, PartialEq, Eq)]
pub(in crate::evaluate::check) struct Unreadable {
    pub(in crate::evaluate::check) message: String,
    pub(in crate::evaluate::check) at: Option<usize>,
}

/// Puts the entries of a map in order; gives a key that stands twice, if there is one.
pub(in crate::evaluate::check) fn map(mut entries: Vec<(Box<str>, Node)>) -> Result<Node, Box<str>> {
    entries.sort_by(|a, b| a.0.cmp(&b.0));
    match entries.windows(2).find(|two| two[0].0 == two[1].0) {
        Some(two) => Err(two[0].0.clone()),
        None => Ok(Node::Map(entries)),
    }
}

impl From<&Value> for Node {
    fn from(value: &Value) -> Self {
        match value {
            Value::Null => Self::Null,
            Value::Bool(value) => Self::Bool(*value),
            Value::Number(number) => Self::Number(number.to_string().into()),
            Value::String(text) => Self::Text(text.as_str().into()),
            Value::Array(values) => Self::List(values.iter().map(Self::from).collect()),
            Value::Object(values) => {
                let mut entries: Vec<_> =
                    values.iter().map(|(key, value)| (key.as_str().into(), Self::from(value))).collect();
                entries.sort_by(|a: &(Box<str>, Self), b| a.0.cmp(&b.0));
                Self::Map(entries)
            }
        }
    }
}

impl Node {
    /// Gives it as a value of the JSON library, where numbers have the machine's size.
    pub(in crate::evaluate::check) fn to_value(&self) -> Value {
        match self {
            Self::Null => Value::Null,
            Self::Bool(value) => (*value).into(),
            Self::Number(text) => number(text),
            Self::Text(text) => text.as_ref().into(),
            Self::List(nodes) => nodes.iter().map(Self::to_value).collect(),
            Self::Map(entries) => {
                let entries = entries.iter().map(|(key, node)| (key.as_ref().to_owned(), node.to_value()));
                Value::Object(entries.collect::<Map<_, _>>())
            }
        }
    }

    /// Gives the length of the longest list in it.
    pub(in crate::evaluate::check) fn longest_list(&self) -> usize {
        let inside = |nodes: &mut dyn Iterator<Item = &Self>| nodes.map(Self::longest_list).max().unwrap_or_default();
        match self {
            Self::Null | Self::Bool(_) | Self::Number(_) | Self::Text(_) => 0,
            Self::List(nodes) => nodes.len().max(inside(&mut nodes.iter())),
            Self::Map(entries) => inside(&mut entries.iter().map(|(_, node)| node)),
        }
    }

    /// Says what sort of value it is.
    pub(super) fn sort(&self) -> &'static str {
        match self {
            Self::Null => "null",
            Self::Bool(_) => "true or false",
            Self::Number(_) => "a number",
            Self::Text(_) => "a text",
            Self::List(_) => "a list",
            Self::Map(_) => "a map",
        }
    }

    /// Writes its begin as JSON, as much as an excerpt may show.
    pub(super) fn shown(&self) -> String {
        let mut out = String::new();
        self.show(&mut out);
        super::super::excerpt::begin_of_text(&out)
    }

    fn show(&self, out: &mut String) {
        const ENOUGH: usize = 200;
        let cut = |text: &str| text.chars().take(ENOUGH).collect::<String>();
        match self {
            _ if out.len() > ENOUGH => {}
            Self::Null => out.push_str("null"),
            Self::Bool(value) => out.push_str(if *value { "true" } else { "false" }),
            Self::Number(text) => out.push_str(&cut(text)),
            Self::Text(text) => out.push_str(&Value::from(cut(text)).to_string()),
            Self::List(nodes) => {
                out.push('[');
                for (index, node) in nodes.iter().take(ENOUGH).enumerate() {
                    out.push_str(if index > 0 { "," } else { "" });
                    node.show(out);
                }
                out.push(']');
            }
            Self::Map(entries) => {
                out.push('{');
                for (index, (key, node)) in entries.iter().take(ENOUGH).enumerate() {
                    let comma = if index > 0 { "," } else { "" };
                    // Writing to a text does not fail.
                    let _ = write!(out, "{comma}{}:", Value::from(cut(key)));
                    node.show(out);
                }
                out.push('}');
            }
        }
    }
}

fn number(text: &str) -> Value {
    let whole = text.parse::<u64>().map(Number::from).or_else(|_| text.parse::<i64>().map(Number::from));
    let number = whole.ok().or_else(|| text.parse().ok().and_then(Number::from_f64));
    // What no number of the machine comes near to is the largest of them: a schema can only bound it.
    let largest = if text.starts_with('-') { f64::MIN } else { f64::MAX };
    number.or_else(|| Number::from_f64(largest)).map_or(Value::Null, Value::Number)
}
