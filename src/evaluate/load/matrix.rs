//! One case for each combination of values.

use serde_json::{Map, Value};

use crate::spec::Problem;

/// The most cases that one case may become.
const MOST: usize = 100_000;

/// Expands a case as it stands in its file: one for each combination, `${name}` replaced in every text and key, and
/// the values behind its id: `big[n=10]`. The last name changes fastest. Each is made when it is asked for.
///
/// # Errors
/// A matrix that is too large or empty.
pub(super) fn expand(mut case: Value) -> Result<impl Iterator<Item = Value>, Problem> {
    let matrix = case.as_object_mut().and_then(|case| case.remove("matrix"));
    let axes: Option<Vec<Axis>> = match matrix {
        Some(Value::Object(matrix)) => Some(matrix.into_iter().map(axis).collect()),
        Some(_) | None => None,
    };
    let mut lengths = axes.iter().flatten().map(|(_, values)| values.len());
    let count = lengths.try_fold(1_usize, usize::checked_mul);
    let count = match count {
        Some(count @ 1..=MOST) => count,
        Some(0) => return Err(Problem::new("matrix", "has a list without values, so there would be no case")),
        Some(_) | None => return Err(Problem::new("matrix", format!("makes more than {MOST} cases"))),
    };
    Ok((0..count).map(move |number| match &axes {
        Some(axes) => one(&case, &combination(axes, number)),
        None => case.clone(),
    }))
}

/// A name of a matrix, and its values.
type Axis = (String, Vec<String>);

fn axis((name, values): (String, Value)) -> Axis {
    (name, values.as_array().into_iter().flatten().map(text_of).collect())
}

/// Gives the values of one combination, counted like a number whose digits are the names.
fn combination(axes: &[Axis], mut number: usize) -> Vec<(&str, String)> {
    let digit = |(_, values): &Axis| {
        let digit = number % values.len();
        number /= values.len();
        digit
    };
    let mut digits: Vec<usize> = axes.iter().rev().map(digit).collect();
    digits.reverse();
    axes.iter().zip(digits).map(|((name, values), digit)| (name.as_str(), values[digit].clone())).collect()
}

fn one(case: &Value, values: &[(&str, String)]) -> Value {
    let mut made = replace(case, values);
    let named: Vec<String> = values.iter().map(|(name, value)| format!("{name}={value}")).collect();
    if let Some(Value::String(id)) = made.get_mut("id") {
        *id = format!("{id}[{}]", named.join(","));
    }
    made
}

fn text_of(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}

fn replace(value: &Value, values: &[(&str, String)]) -> Value {
    match value {
        Value::String(text) => replace_text(text, values).into(),
        Value::Array(items) => items.iter().map(|item| replace(item, values)).collect(),
        Value::Object(map) => {
            let entries = map.iter().map(|(key, value)| (replace_text(key, values), replace(value, values)));
            Value::Object(entries.collect::<Map<_, _>>())
        }
        Value::Null | Value::Bool(_) | Value::Number(_) => value.clone(),
    }
}

/// Replaces `${name}` for the names of the matrix; `$${name}` stands for `${name}`, and all else stays as it is.
fn replace_text(text: &str, values: &[(&str, String)]) -> String {
    let mut made = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find("${") {
        let (before, after) = (&rest[..at], &rest[at + 2..]);
        let named = after.find('}').and_then(|end| {
            let (_, value) = values.iter().find(|(name, _)| *name == &after[..end])?;
            Some((end, value))
        });
        match (named, before.strip_suffix('$')) {
            (Some((end, _)), Some(kept)) => {
                made += kept;
                made += "${";
                made += &after[..=end];
                rest = &after[end + 1..];
            }
            (Some((end, value)), None) => {
                made += before;
                made += value;
                rest = &after[end + 1..];
            }
            (None, _) => {
                made += before;
                made += "${";
                rest = after;
            }
        }
    }
    made + rest
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn every_combination_is_a_case() {
        let case = json!({"id": "c", "matrix": {"n": [1, 2], "word": ["a", true]}, "args": ["${n}", "x${word}x"]});
        let cases: Vec<Value> = expand(case).unwrap().collect();
        let ids: Vec<_> = cases.iter().map(|case| case["id"].as_str().unwrap()).collect();
        assert_eq!(ids, ["c[n=1,word=a]", "c[n=1,word=true]", "c[n=2,word=a]", "c[n=2,word=true]"]);
        assert_eq!(cases[1], json!({"id": "c[n=1,word=true]", "args": ["1", "xtruex"]}));
    }

    #[test]
    fn only_names_of_the_matrix_are_replaced() {
        let values = [("n", "7".to_owned())];
        for (text, made) in [
            ("in/${n}.txt", "in/7.txt"),
            ("${n}${n}", "77"),
            ("$${n} ${m} ${ n } $n ${n", "${n} ${m} ${ n } $n ${n"),
            ("é${n}é", "é7é"),
        ] {
            assert_eq!(replace_text(text, &values), made, "{text}");
        }
        assert_eq!(expand(json!({"id": "c"})).unwrap().count(), 1);
    }

    #[test]
    fn what_makes_no_case_or_too_many_is_refused() {
        let axis: Vec<u32> = (0..400).collect();
        assert!(expand(json!({"id": "c", "matrix": {"a": axis, "b": axis}})).is_err());
        assert!(expand(json!({"id": "c", "matrix": {"a": [], "b": [1]}})).is_err());
    }
}
