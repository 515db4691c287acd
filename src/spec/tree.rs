//! Text to values: YAML and JSON, with the place of every key and value, and bounds against hostile files.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use serde::de::{Deserialize, Deserializer, Error as _, MapAccess, SeqAccess, Visitor};
use serde_json::{Map, Number, Value};
use serde_saphyr::{DuplicateKeyPolicy, Location, NonFiniteFloatPolicy, Options, Spanned};

use super::{Position, Problem, path};

/// How much of a text is read.
#[derive(Clone, Copy, Debug)]
pub(crate) struct TextBounds {
    /// The longest text, in bytes.
    pub(crate) text: usize,
    /// The most values, aliases counted as often as they stand.
    pub(crate) nodes: usize,
}

impl TextBounds {
    /// For files that people write by hand.
    pub(crate) const SMALL: Self = Self { text: 4 << 20, nodes: 200_000 };
    /// For files that programs write: a hundred thousand cases.
    pub(crate) const LARGE: Self = Self { text: 64 << 20, nodes: 8_000_000 };
}

/// The deepest nesting that is read. Without optimisation a level takes some 30 KiB of stack, and threads have 2 MiB.
const MAX_DEPTH: usize = 32;

/// Where the parts of a text stand, by path.
#[derive(Clone, Debug, Default)]
pub struct Positions {
    places: BTreeMap<String, Place>,
}

#[derive(Clone, Copy, Debug)]
struct Place {
    key: Option<Position>,
    value: Position,
}

impl Positions {
    /// Gives the place of the value at a path, or of the nearest thing around it.
    pub fn of(&self, path: &str) -> Option<Position> {
        self.around(path).map(|place| place.value)
    }

    /// Gives the place of the key that a path ends with, or of the nearest thing around it.
    pub fn of_key(&self, path: &str) -> Option<Position> {
        self.around(path).map(|place| place.key.unwrap_or(place.value))
    }

    /// Says whether something of the text stands at a path.
    pub fn holds(&self, path: &str) -> bool {
        self.places.contains_key(path)
    }

    fn around(&self, mut path: &str) -> Option<Place> {
        loop {
            if let Some(place) = self.places.get(path) {
                return Some(*place);
            }
            if path.is_empty() {
                return None;
            }
            path = &path[..path.rfind(['.', '[']).unwrap_or_default()];
        }
    }
}

/// A text that was read.
#[derive(Debug)]
pub(super) struct Tree {
    pub(super) value: Value,
    pub(super) positions: Positions,
    /// Keys that stand twice; the first of each is in `value`.
    pub(super) duplicates: Vec<Problem>,
}

/// Reads a text, or says the one thing that makes it unreadable.
pub(super) fn read(text: &str) -> Result<Tree, Problem> {
    read_within(text, TextBounds::SMALL)
}

/// Reads a text of other bounds.
pub(super) fn read_within(text: &str, bounds: TextBounds) -> Result<Tree, Problem> {
    if text.len() > bounds.text {
        return Err(Problem::new("", format!("the text is longer than {} bytes", bounds.text)));
    }
    match serde_saphyr::from_str_with_options::<Spanned<Kind>>(text, options(bounds.nodes)) {
        Ok(root) => {
            let mut tree = Tree { value: Value::Null, positions: Positions::default(), duplicates: Vec::new() };
            tree.value = tree.take(root, "", None);
            Ok(tree)
        }
        Err(error) if is_json(text) => read_json(text, &error),
        Err(error) => Err(problem(&error)),
    }
}

/// Reads JSON that is no YAML, such as escaped surrogate pairs; its own errors say more to who writes it.
fn read_json(text: &str, error: &serde_saphyr::Error) -> Result<Tree, Problem> {
    match serde_json::from_str::<Value>(text) {
        Ok(_) if matches!(error.without_snippet(), serde_saphyr::Error::Budget { .. }) => Err(problem(error)),
        Ok(value) => Ok(Tree { value, positions: Positions::default(), duplicates: Vec::new() }),
        Err(error) => {
            let text = error.to_string();
            let message = text.split(" at line ").next().unwrap_or(&text);
            let mut problem = Problem::new("", format!("this is not JSON: {message}"));
            problem.position = (error.line() > 0).then(|| Position { line: error.line(), column: error.column() });
            Err(problem)
        }
    }
}

fn is_json(text: &str) -> bool {
    text.trim_start().strip_prefix('{').is_some_and(|rest| rest.trim_start().starts_with(['"', '}']))
}

fn options(max_nodes: usize) -> Options {
    let mut budget = serde_saphyr::Budget::default();
    budget.max_depth = MAX_DEPTH;
    budget.flow_nesting_limit = MAX_DEPTH;
    budget.max_nodes = max_nodes;
    budget.max_events = budget.max_events.max(max_nodes.saturating_mul(2));
    budget.max_documents = 1;
    let mut options = Options::default();
    options.budget = Some(budget);
    options.alias_limits.max_total_replayed_events = max_nodes;
    options.duplicate_keys = DuplicateKeyPolicy::PassThrough;
    options.strict_booleans = true;
    options.reject_unsupported_tags = true;
    options.non_finite_float_policy = NonFiniteFloatPolicy::AsString;
    options.with_snippet = false;
    options
}

fn problem(error: &serde_saphyr::Error) -> Problem {
    let error = error.without_snippet();
    let text = error.render_with_options(serde_saphyr::RenderOptions::default());
    // The place is a field of its own; the text repeats it.
    let message = text.split(" at line ").next().unwrap_or(&text).trim().to_owned();
    let mut problem = Problem::new("", format!("this is not YAML: {message}"));
    problem.position = error.location().and_then(position);
    problem
}

fn position(location: Location) -> Option<Position> {
    let line = usize::try_from(location.line()).ok().filter(|line| *line > 0)?;
    Some(Position { line, column: usize::try_from(location.column()).ok()? })
}

impl Tree {
    /// Turns a node into a value, keeping its place.
    fn take(&mut self, node: Spanned<Kind>, path: &str, key: Option<Position>) -> Value {
        let value = position(node.referenced).unwrap_or(Position { line: 1, column: 1 });
        // A map or list in block style begins where its first child does; its own key says more.
        let block = matches!(node.value, Kind::Map(_) | Kind::List(_));
        let value = if block { key.unwrap_or(value) } else { value };
        self.positions.places.insert(path.to_owned(), Place { key, value });
        match node.value {
            Kind::Null => Value::Null,
            Kind::Bool(value) => value.into(),
            Kind::Number(number) => number.into(),
            Kind::Text(text) => text.into(),
            Kind::List(nodes) => {
                let take = |(index, node)| self.take(node, &path::join_index(path, index), None);
                nodes.into_iter().enumerate().map(take).collect()
            }
            Kind::Map(entries) => self.take_map(entries, path),
        }
    }

    fn take_map(&mut self, entries: Vec<(Spanned<String>, Spanned<Kind>)>, path: &str) -> Value {
        let mut seen = BTreeSet::new();
        let mut map = Map::new();
        for (key, node) in entries {
            let at = position(key.referenced);
            let inner = path::join_key(path, &key.value);
            if seen.insert(key.value.clone()) {
                let value = self.take(node, &inner, at);
                map.insert(key.value, value);
            } else {
                let first = self.positions.of_key(&inner).map_or(0, |position| position.line);
                let mut problem = Problem::new(inner, format!("the key stands twice, first on line {first}"))
                    .with_hint("keep one of the two");
                problem.position = at;
                self.duplicates.push(problem);
            }
        }
        map.into()
    }
}

/// The kinds of nodes; a map keeps its keys in order and as often as they stand.
enum Kind {
    Null,
    Bool(bool),
    Number(Number),
    Text(String),
    List(Vec<Spanned<Kind>>),
    Map(Vec<(Spanned<String>, Spanned<Kind>)>),
}

impl<'de> Deserialize<'de> for Kind {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(KindVisitor)
    }
}

struct KindVisitor;

impl<'de> Visitor<'de> for KindVisitor {
    type Value = Kind;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a value")
    }

    fn visit_unit<E>(self) -> Result<Kind, E> {
        Ok(Kind::Null)
    }

    fn visit_none<E>(self) -> Result<Kind, E> {
        Ok(Kind::Null)
    }

    fn visit_bool<E>(self, value: bool) -> Result<Kind, E> {
        Ok(Kind::Bool(value))
    }

    fn visit_i64<E>(self, value: i64) -> Result<Kind, E> {
        Ok(Kind::Number(value.into()))
    }

    fn visit_u64<E>(self, value: u64) -> Result<Kind, E> {
        Ok(Kind::Number(value.into()))
    }

    fn visit_i128<E: serde::de::Error>(self, value: i128) -> Result<Kind, E> {
        Number::from_i128(value).map(Kind::Number).ok_or_else(|| E::custom("the number is too large"))
    }

    fn visit_u128<E: serde::de::Error>(self, value: u128) -> Result<Kind, E> {
        Number::from_u128(value).map(Kind::Number).ok_or_else(|| E::custom("the number is too large"))
    }

    fn visit_f64<E: serde::de::Error>(self, value: f64) -> Result<Kind, E> {
        Number::from_f64(value).map(Kind::Number).ok_or_else(|| E::custom("the number is not finite"))
    }

    fn visit_str<E>(self, value: &str) -> Result<Kind, E> {
        Ok(Kind::Text(value.to_owned()))
    }

    fn visit_string<E>(self, value: String) -> Result<Kind, E> {
        Ok(Kind::Text(value))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Kind, A::Error> {
        let mut nodes = Vec::new();
        while let Some(node) = seq.next_element()? {
            nodes.push(node);
        }
        Ok(Kind::List(nodes))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Kind, A::Error> {
        let mut entries = Vec::new();
        while let Some(entry) = map.next_entry()? {
            entries.push(entry);
            if entries.len() > TextBounds::LARGE.nodes {
                return Err(A::Error::custom("the map is too large"));
            }
        }
        Ok(Kind::Map(entries))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn at(line: usize, column: usize) -> Option<Position> {
        Some(Position { line, column })
    }

    #[test]
    fn every_part_has_its_place() {
        let tree = read("a: 1\nb:\n  c: [x, {d: y}]\n  é: z\n").unwrap();
        assert_eq!(tree.value, json!({"a": 1, "b": {"c": ["x", {"d": "y"}], "é": "z"}}));
        assert_eq!(tree.positions.of("a"), at(1, 4));
        assert_eq!(tree.positions.of("b"), at(2, 1));
        assert_eq!(tree.positions.of_key("b.c"), at(3, 3));
        assert_eq!(tree.positions.of("b.c[1].d"), at(3, 14));
        assert_eq!(tree.positions.of("b.é"), at(4, 6));
        assert_eq!(tree.positions.of("b.missing.deep"), at(2, 1));
    }

    #[test]
    fn keys_that_stand_twice_are_all_told() {
        let tree = read("a: 1\na: 2\nb: {c: 1, c: 2}\n").unwrap();
        assert_eq!(tree.value, json!({"a": 1, "b": {"c": 1}}));
        let told: Vec<_> = tree.duplicates.iter().map(|problem| (problem.path.as_str(), problem.position)).collect();
        assert_eq!(told, [("a", at(2, 1)), ("b.c", at(3, 11))]);
    }

    #[test]
    fn words_of_yaml_1_1_stay_words() {
        let tree = read("a: yes\nb: .inf\nc: ~\nd: 0x10\ne: 'true'\n").unwrap();
        assert_eq!(tree.value, json!({"a": "yes", "b": ".inf", "c": null, "d": 16, "e": "true"}));
    }

    #[test]
    fn json_is_read_and_its_errors_are_its_own() {
        assert_eq!(read("{\"a\":\t[1,\n\t2]}").unwrap().value, json!({"a": [1, 2]}));
        assert_eq!(read(r#"{"a": "\ud83d\ude00"}"#).unwrap().value, json!({"a": "😀"}));
        let problem = read("{\"a\": 1,\n \"b\" 2}").unwrap_err();
        assert_eq!((problem.message.as_str(), problem.position), ("this is not JSON: expected `:`", at(2, 6)));
    }

    #[test]
    fn what_is_no_yaml_says_where() {
        let problem = read("a: [1\nb: 2\n").unwrap_err();
        assert!(problem.position.is_some_and(|position| position.line >= 2), "{problem:?}");
        assert!(problem.message.starts_with("this is not YAML: "), "{problem}");
    }

    /// As deep as it may be, and deeper, on the stack that a thread has.
    #[test]
    fn nesting_is_refused_before_the_stack_is_used_up() {
        for (depth, is_read) in [(MAX_DEPTH / 2 - 1, true), (MAX_DEPTH / 2 + 1, false), (MAX_DEPTH, false)] {
            let text = format!("{}x{}", "{p: [".repeat(depth), "]}".repeat(depth));
            let read = std::thread::Builder::new().stack_size(2 << 20).spawn(move || read(&text).is_ok());
            assert_eq!(read.unwrap().join().unwrap(), is_read, "{depth}");
        }
    }

    #[test]
    fn bombs_are_refused() {
        let mut bomb = "a0: &a0 [x, x, x, x, x, x, x, x, x]\n".to_owned();
        for level in 1..9 {
            let alias = format!("*a{}, ", level - 1).repeat(9);
            bomb += &format!("a{level}: &a{level} [{alias}]\n");
        }
        let deep = "[".repeat(5_000) + &"]".repeat(5_000);
        let json = format!("{{\"a\": {deep}}}");
        for text in
            [bomb, deep, json, "x".repeat(TextBounds::SMALL.text + 1), "a: 1\n---\nb: 2\n".into(), "a: !x 1".into()]
        {
            assert!(read(&text).is_err(), "{}", &text[..20.min(text.len())]);
        }
    }
}
