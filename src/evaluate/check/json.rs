//! `json` and `yaml`: the same value, or one that holds it.

use super::text::place;
use super::tree::{Mask, Node, Rules, Unreadable, read_json, read_yaml};
use super::{Mismatch, excerpt};

/// The two ways in which values are written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Notation {
    Json,
    Yaml,
}

/// How values are compared, and with what.
#[derive(Clone, Debug)]
pub(super) struct Values {
    pub(super) notation: Notation,
    pub(super) rules: Rules,
    pub(super) masks: Vec<Mask>,
    /// What is expected, where the case file has it as a value.
    pub(super) expected: Option<Node>,
}

impl Notation {
    fn read(self, text: &[u8]) -> Result<Node, Unreadable> {
        match self {
            Self::Json => read_json(text),
            Self::Yaml => read_yaml(text),
        }
    }
}

impl Values {
    /// Says why a text cannot be what is expected.
    pub(super) fn fault_of(&self, expected: &[u8]) -> Option<String> {
        self.notation.read(expected).err().map(|fault| match fault.at {
            Some(at) => format!("{}, at {}", fault.message, place(expected, at)),
            None => fault.message,
        })
    }

    pub(super) fn compare(&self, expected: &[u8], actual: &[u8]) -> Result<(), Mismatch> {
        let mut come = self.notation.read(actual).map_err(|fault| unreadable(&fault, actual))?;
        let mut want = match &self.expected {
            Some(node) => node.clone(),
            // Seen when the cases were loaded; what changed since then is no fault of the submission, and none is hidden.
            None => self
                .notation
                .read(expected)
                .map_err(|_| Mismatch::new("cannot be compared: what is expected changed"))?,
        };
        for mask in &self.masks {
            mask.apply(&mut want);
            mask.apply(&mut come);
        }
        self.rules.compare(&want, &come).map_err(Mismatch::from)
    }
}

/// Says that a submission's text is no value.
pub(super) fn unreadable(fault: &Unreadable, actual: &[u8]) -> Mismatch {
    let found = Mismatch::new(fault.message.clone());
    let found = Mismatch { actual: Some(excerpt::around(actual, fault.at.unwrap_or(0))), ..found };
    match fault.at {
        Some(at) => found.at(place(actual, at)),
        None => found,
    }
}

#[cfg(test)]
mod tests {
    use super::super::Tolerances;
    use super::super::text::Case;
    use super::super::tree::{Holds, Order};
    use super::*;
    use proptest::prelude::*;
    use serde_json::{Value, json};

    fn find(rules: Rules, expected: &Value, actual: &Value) -> Result<(), (String, String)> {
        let values =
            Values { notation: Notation::Json, rules, masks: Vec::new(), expected: Some(Node::from(expected)) };
        values.compare(b"", actual.to_string().as_bytes()).map_err(|found| (found.at, found.message))
    }

    const PLAIN: Rules = Rules { case: Case::Matters, tolerances: None, holds: Holds::Same, order: Order::Counts };
    const ANY_ORDER: Rules = Rules { order: Order::Ignored, ..PLAIN };
    const SUBSET: Rules = Rules { holds: Holds::More, ..PLAIN };
    const NEAR: Rules = Rules { tolerances: Some(Tolerances { relative: 0.0, absolute: 0.01 }), ..PLAIN };

    #[test]
    fn the_first_difference_has_a_path() {
        let expected = json!({"a": [{"b": 1}, {"b": 2}], "c": "x"});
        for (actual, at, message) in [
            (json!({"a": [{"b": 1}, {"b": 3}], "c": "x"}), "$.a[1].b", "is not what was expected"),
            (json!({"a": [{"b": 1}], "c": "x"}), "$.a", "ends after 1 items, too early"),
            (json!({"a": [{"b": 1}, {"b": 2}, 3], "c": "x"}), "$.a", "has more items than were expected"),
            (json!({"a": [{"b": 1}, {}], "c": "x"}), "$.a[1]", "lacks a key"),
            (json!({"a": [{"b": 1}, {"b": 2, "z.y": 1}], "c": "x"}), "$.a[1]", "has a key that was not expected"),
            (json!({"a": [{"b": 1}, {"b": 2}], "c": 7}), "$.c", "is a number, another sort of value"),
            (json!([]), "$", "is a list, another sort of value"),
        ] {
            assert_eq!(find(PLAIN, &expected, &actual), Err((at.to_owned(), message.to_owned())), "{actual}");
        }
        assert_eq!(find(PLAIN, &json!({"": {"a b": 1}}), &json!({"": {"a b": 2}})).unwrap_err().0, "$[\"\"][\"a b\"]");
    }

    #[test]
    fn numbers_are_compared_by_value() {
        let values = Values { notation: Notation::Json, rules: PLAIN, masks: Vec::new(), expected: None };
        let accepts = |expected: &str, actual: &str| values.compare(expected.as_bytes(), actual.as_bytes()).is_ok();
        assert!(accepts("1", "1.0") && accepts("100", "1e2") && accepts("0", "-0"));
        assert!(accepts("123456789012345678901234567890", "123456789012345678901234567890"));
        assert!(!accepts("123456789012345678901234567890", "123456789012345678901234567891"));
        assert!(!accepts("0.3", "0.30000000000000004"));
        assert!(!accepts("1", "\"1\"") && !accepts("1", "true") && !accepts("null", "0"));
    }

    #[test]
    fn order_may_not_count() {
        let expected = json!({"l": [[1, 2], [3, 4], "x"]});
        assert_eq!(find(ANY_ORDER, &expected, &json!({"l": ["x", [4, 3], [2.0, 1]]})), Ok(()));
        let found = find(ANY_ORDER, &expected, &json!({"l": ["x", [4, 3], [2, 2]]})).unwrap_err();
        assert_eq!(found, ("$.l[2]".to_owned(), "is not among the expected items".to_owned()));
        assert_eq!(find(ANY_ORDER, &json!([1, 1, 2]), &json!([1, 2, 2])).unwrap_err().1, "stands too often");
        assert_eq!(find(ANY_ORDER, &json!([1, 1, 2]), &json!([1, 2])).unwrap_err().1, "lacks an item");
    }

    #[test]
    fn more_may_be_there() {
        assert_eq!(find(SUBSET, &json!({"a": {"b": 1}}), &json!({"a": {"b": 1, "c": 2}, "d": 3})), Ok(()));
        assert!(find(SUBSET, &json!([1]), &json!([1, 2])).is_err());
        let any = Rules { order: Order::Ignored, ..SUBSET };
        assert_eq!(find(any, &json!([{"a": 1}, {}]), &json!([{"b": 1}, {"a": 1}, 3])), Ok(()));
        // Both need the one item that has the key.
        assert_eq!(
            find(any, &json!([{"a": 1}, {"a": 1}]), &json!([{"a": 1}, {"b": 1}])).unwrap_err().1,
            "lacks an item"
        );
        assert!(find(any, &json!([1, 2, 3]), &json!([1, 2])).is_err());
    }

    #[test]
    fn tolerances_pair_items_rightly() {
        assert_eq!(find(NEAR, &json!([1.0, "a"]), &json!([1.009, "a"])), Ok(()));
        assert_eq!(find(NEAR, &json!(1), &json!(1.02)).unwrap_err().1, "is a number too far off");
        let any =
            Rules { order: Order::Ignored, tolerances: Some(Tolerances { relative: 0.0, absolute: 0.6 }), ..PLAIN };
        // Pairing the equal ones first would leave two that are too far apart.
        assert_eq!(find(any, &json!([1.0, 1.5]), &json!([0.5, 1.0])), Ok(()));
        let expected = json!([{"x": 1.0, "y": 2}, {"x": 1.1, "y": 1}]);
        assert_eq!(find(any, &expected, &json!([{"x": 1.0, "y": 1}, {"x": 1.1, "y": 2}])), Ok(()));
        assert!(find(any, &expected, &json!([{"x": 1.0, "y": 1}, {"x": 1.1, "y": 1}])).is_err());
        assert!(find(any, &json!([1.0, 2.0]), &json!([1.0])).is_err());
    }

    #[test]
    fn case_of_texts_may_not_count() {
        let rules = Rules { case: Case::Ignored, ..PLAIN };
        assert_eq!(find(rules, &json!({"a": "YES"}), &json!({"a": "yes"})), Ok(()));
        assert!(find(rules, &json!({"a": 1}), &json!({"A": 1})).is_err());
    }

    #[test]
    fn what_cannot_be_read_says_where() {
        let values = Values { notation: Notation::Json, rules: PLAIN, masks: Vec::new(), expected: Some(Node::Null) };
        let found = values.compare(b"", b"{\"a\":\n nan}").unwrap_err();
        assert_eq!((found.at.as_str(), found.expected), ("line 2, column 2", None));
        assert_eq!(values.compare(b"", b"").unwrap_err().message, "is empty");
        assert_eq!(values.fault_of(b"[1").unwrap(), "is not JSON: a comma or `]` is missing, at line 1, column 3");
    }

    #[test]
    fn many_alike_items_take_bounded_time() {
        let any = Rules { order: Order::Ignored, ..NEAR };
        let row =
            |shift: f64| -> Value { (0..200).map(|n| json!([shift + f64::from(n) * 0.001, [0.0, shift]])).collect() };
        let table = |shift: f64| -> Value { (0..200).map(|_| row(shift)).collect() };
        assert!(find(any, &table(0.0), &table(0.5)).is_err());
        assert_eq!(find(any, &row(0.0), &row(0.0)), Ok(()));
        let long: Value = (0..100_000).map(|n| json!(f64::from(n))).collect();
        let turned: Value = (0..100_000).rev().map(|n| json!(f64::from(n) + 0.001)).collect();
        assert_eq!(find(any, &long, &turned), Ok(()));
    }

    fn any_value() -> impl Strategy<Value = Value> {
        let leaf = prop_oneof![
            Just(json!(null)),
            any::<bool>().prop_map(Value::from),
            (0..4_i64).prop_map(Value::from),
            "[aB]{0,2}".prop_map(Value::from)
        ];
        leaf.prop_recursive(3, 24, 4, |inner| {
            prop_oneof![
                proptest::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
                proptest::collection::btree_map("[ab]", inner, 0..3)
                    .prop_map(|map| Value::Object(map.into_iter().collect())),
            ]
        })
    }

    fn turned(value: &Value) -> Value {
        match value {
            Value::Array(values) => values.iter().rev().map(turned).collect(),
            Value::Object(map) => Value::Object(map.iter().map(|(key, value)| (key.clone(), turned(value))).collect()),
            Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => value.clone(),
        }
    }

    proptest! {
        #[test]
        fn every_value_is_itself_in_any_order(a in any_value(), b in any_value()) {
            for rules in [PLAIN, SUBSET, NEAR, ANY_ORDER] {
                prop_assert_eq!(find(rules, &a, &a), Ok(()));
            }
            let any_near = Rules { order: Order::Ignored, ..NEAR };
            let any_more = Rules { order: Order::Ignored, ..SUBSET };
            for rules in [ANY_ORDER, any_near, any_more] {
                prop_assert_eq!(find(rules, &a, &turned(&a)), Ok(()));
            }
            for rules in [PLAIN, NEAR, ANY_ORDER, any_near] {
                prop_assert_eq!(find(rules, &a, &b).is_ok(), find(rules, &b, &a).is_ok());
            }
            // Of whole numbers nothing is nearer than the same: counting and pairing agree.
            prop_assert_eq!(find(ANY_ORDER, &a, &b).is_ok(), find(any_near, &a, &b).is_ok());
        }
    }
}
