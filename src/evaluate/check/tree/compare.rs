//! How two values are compared, and where they first differ.

use std::collections::HashMap;

use super::super::excerpt;
use super::super::text::Case;
use super::super::tokens::same_decimal;
use super::super::{Mismatch, Tolerances, float};
use super::matching::{Fuel, MAX_MATCHED, MAX_SEARCHED, assign, sorted};
use super::node::Node;
use super::shape::{Numbers, Shape, shape};

/// How many comparisons there may be: far more than values, for the pairing of items.
const FUEL: u64 = 10_000_000;
const TOO_ALIKE: &str = "has too many items that are alike to tell which belongs to which";

/// Whether a value must be the expected one, or hold it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(in crate::evaluate::check) enum Holds {
    /// It is the same.
    #[default]
    Same,
    /// Maps may have more keys; lists whose order does not count may have more items.
    More,
}

/// Whether the order of lists counts.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(in crate::evaluate::check) enum Order {
    /// It does.
    #[default]
    Counts,
    /// It does not, at any depth.
    Ignored,
}

/// How values are compared.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(in crate::evaluate::check) struct Rules {
    pub(in crate::evaluate::check) case: Case,
    /// How far numbers may be off; none: equal in value.
    pub(in crate::evaluate::check) tolerances: Option<Tolerances>,
    pub(in crate::evaluate::check) holds: Holds,
    pub(in crate::evaluate::check) order: Order,
}

/// Where two values first differ, from the inside out.
#[derive(Debug, Default, PartialEq)]
pub(in crate::evaluate::check) struct Found {
    message: String,
    steps: Vec<String>,
    expected: Option<String>,
    actual: Option<String>,
}

impl Found {
    fn new(message: impl Into<String>, expected: Option<String>, actual: Option<String>) -> Box<Self> {
        Box::new(Self { message: message.into(), steps: Vec::new(), expected, actual })
    }

    /// Gives the row, from 0, and the name or the number, from 1, of the cell, of a difference in a table.
    pub(in crate::evaluate::check) fn row_and_cell(&self) -> (Option<usize>, Option<String>) {
        let index = |step: &String| step.strip_prefix('[')?.strip_suffix(']')?.parse::<usize>().ok();
        let mut steps = self.steps.iter().rev();
        let row = steps.next().and_then(index);
        let cell = steps.next().map(|step| match index(step) {
            Some(cell) => (cell + 1).to_string(),
            None => step.trim_start_matches(['.', '[']).trim_end_matches(']').to_owned(),
        });
        (row, cell)
    }

    fn inside(mut self: Box<Self>, step: impl FnOnce() -> String) -> Box<Self> {
        self.steps.push(step());
        self
    }
}

impl From<Box<Found>> for Mismatch {
    fn from(found: Box<Found>) -> Self {
        let path: String = found.steps.iter().rev().map(String::as_str).collect();
        let path = match path.char_indices().nth(300) {
            Some((cut, _)) => format!("${}…", &path[..cut]),
            None => format!("${path}"),
        };
        Self { expected: found.expected, actual: found.actual, ..Self::new(found.message).at(path) }
    }
}

fn key_step(key: &str) -> String {
    let plain =
        !key.is_empty() && key.len() < 80 && key.chars().all(|sign| sign.is_alphanumeric() || "_-".contains(sign));
    if plain { format!(".{key}") } else { format!("[\"{}\"]", excerpt::begin(key.as_bytes())) }
}

impl Rules {
    /// Compares a value with the expected one.
    pub(in crate::evaluate::check) fn compare(&self, expected: &Node, actual: &Node) -> Result<(), Box<Found>> {
        Comparer { rules: *self, fuel: Fuel(FUEL) }.compare(expected, actual)
    }

    fn same_number(&self, expected: &str, actual: &str) -> bool {
        let (want, come) = (expected.as_bytes(), actual.as_bytes());
        want.eq_ignore_ascii_case(come)
            || same_decimal(want, come)
            || self.tolerances.is_some_and(|tolerances| float::same(tolerances, want, come))
    }
}

struct Comparer {
    rules: Rules,
    fuel: Fuel,
}

impl Comparer {
    fn compare(&mut self, expected: &Node, actual: &Node) -> Result<(), Box<Found>> {
        if !self.fuel.burn(1) {
            return Err(Found::new(TOO_ALIKE, None, None));
        }
        let shown = |message: &str| Err(Found::new(message, Some(expected.shown()), Some(actual.shown())));
        match (expected, actual) {
            (Node::Null, Node::Null) => Ok(()),
            (Node::Bool(want), Node::Bool(come)) if want == come => Ok(()),
            (Node::Number(want), Node::Number(come)) if self.rules.same_number(want, come) => Ok(()),
            (Node::Text(want), Node::Text(come)) if self.rules.case.same(want.as_bytes(), come.as_bytes()) => Ok(()),
            (Node::Map(want), Node::Map(come)) => self.maps(want, come),
            (Node::List(want), Node::List(come)) => match self.rules.order {
                Order::Counts => self.lists(want, come),
                Order::Ignored => self.sets(want, come),
            },
            (Node::Number(_), Node::Number(_)) if self.rules.tolerances.is_some() => shown("is a number too far off"),
            _ if expected.sort() == actual.sort() => shown(Mismatch::DIFFERS),
            _ => shown(&format!("is {}, another sort of value", actual.sort())),
        }
    }

    fn maps(&mut self, want: &[(Box<str>, Node)], come: &[(Box<str>, Node)]) -> Result<(), Box<Found>> {
        let mut rest = come.iter().peekable();
        for (key, expected) in want {
            // Both are in the order of their keys.
            while let Some((more, node)) = rest.next_if(|(other, _)| other < key) {
                self.more_keys(more, node)?;
            }
            match rest.next_if(|(other, _)| other == key) {
                Some((_, actual)) => self.compare(expected, actual).map_err(|found| found.inside(|| key_step(key)))?,
                None => {
                    let shown = format!("{}: {}", excerpt::begin(key.as_bytes()), expected.shown());
                    return Err(Found::new("lacks a key", Some(shown), None));
                }
            }
        }
        rest.try_for_each(|(more, node)| self.more_keys(more, node))
    }

    fn more_keys(&self, key: &str, node: &Node) -> Result<(), Box<Found>> {
        match self.rules.holds {
            Holds::More => Ok(()),
            Holds::Same => {
                let shown = format!("{}: {}", excerpt::begin(key.as_bytes()), node.shown());
                Err(Found::new("has a key that was not expected", None, Some(shown)))
            }
        }
    }

    fn lists(&mut self, want: &[Node], come: &[Node]) -> Result<(), Box<Found>> {
        for (index, (expected, actual)) in want.iter().zip(come).enumerate() {
            self.compare(expected, actual).map_err(|found| found.inside(|| format!("[{index}]")))?;
        }
        lengths(want, come)
    }

    /// Compares lists whose order does not count.
    fn sets(&mut self, want: &[Node], come: &[Node]) -> Result<(), Box<Found>> {
        let is_number = |node: &Node| matches!(node, Node::Number(_));
        match self.rules.holds {
            Holds::Same if self.rules.tolerances.is_none() => return self.same_sets(want, come),
            Holds::Same if want.len() != come.len() => {
                let message = format!("has {} items, not as many as were expected", come.len());
                return Err(Found::new(message, Some(format!("{} items", want.len())), None));
            }
            Holds::More if come.len() > MAX_SEARCHED => {
                return Err(Found::new(format!("has more than {MAX_SEARCHED} items to look through"), None, None));
            }
            Holds::Same | Holds::More => {}
        }
        let (left, right) = (sorted(want, self.rules.case), sorted(come, self.rules.case));
        // Of numbers the sorted order is the best pairing, and of too many items the only one to be had.
        let by_order = want.len() > MAX_MATCHED || want.iter().chain(come).all(is_number);
        if by_order && self.rules.holds == Holds::Same {
            let mut pairs = left.iter().zip(&right);
            return pairs.try_for_each(|(want_at, come_at)| {
                let found = self.compare(&want[*want_at], &come[*come_at]);
                found.map_err(|found| found.inside(|| format!("[{come_at}]")))
            });
        }
        let rules = self.rules;
        let result = assign(left.len(), right.len(), &mut self.fuel, |want_at, come_at, fuel| {
            let mut inner = Self { rules, fuel: Fuel(fuel.0) };
            let fits = inner.compare(&want[left[want_at]], &come[right[come_at]]).is_ok();
            fuel.0 = inner.fuel.0;
            fits
        });
        result.map_err(|missing| match missing {
            Some(item) => Found::new("lacks an item", Some(want[left[item]].shown()), None),
            None => Found::new(TOO_ALIKE, None, None),
        })
    }

    /// Compares lists whose items are the same or not, with nothing between: by counting.
    fn same_sets(&self, want: &[Node], come: &[Node]) -> Result<(), Box<Found>> {
        let shape = |node: &Node| shape(node, self.rules.case, Numbers::Count);
        let mut left: HashMap<Shape, (usize, usize)> = HashMap::new();
        for (index, node) in want.iter().enumerate() {
            left.entry(shape(node)).or_insert((0, index)).0 += 1;
        }
        for (index, node) in come.iter().enumerate() {
            match left.get_mut(&shape(node)) {
                Some((count, _)) if *count > 0 => *count -= 1,
                counted => {
                    let message =
                        if counted.is_some() { "stands too often" } else { "is not among the expected items" };
                    return Err(Found::new(message, None, Some(node.shown())).inside(|| format!("[{index}]")));
                }
            }
        }
        match left.values().filter(|(count, _)| *count > 0).map(|(_, index)| *index).min() {
            Some(index) => Err(Found::new("lacks an item", Some(want[index].shown()), None)),
            None => Ok(()),
        }
    }
}

fn lengths(want: &[Node], come: &[Node]) -> Result<(), Box<Found>> {
    match (want.get(come.len()), come.get(want.len())) {
        (Some(missing), _) => {
            Err(Found::new(format!("ends after {} items, too early", come.len()), Some(missing.shown()), None))
        }
        (None, Some(more)) => Err(Found::new("has more items than were expected", None, Some(more.shown()))),
        (None, None) => Ok(()),
    }
}
