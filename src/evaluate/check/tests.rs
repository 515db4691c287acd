//! Checkers as files write them: what is refused and where, what comes of it, and outputs made to hurt.

use std::sync::Arc;

use cap_std::ambient_authority;
use cap_std::fs::Dir;
use proptest::prelude::*;
use serde_json::{Value, json};

use super::{Check, CheckConfig, CheckName, Comparison, ExpectationConfig, Mismatch, Protocol};
use crate::evaluate::Expectation;

struct Files {
    _held: tempfile::TempDir,
    base: Arc<Dir>,
}

impl Files {
    fn new(files: &[(&str, &str)]) -> Self {
        let held = tempfile::tempdir().unwrap();
        let base = Dir::open_ambient_dir(held.path(), ambient_authority()).unwrap();
        for (path, text) in files {
            if let Some((dir, _)) = path.rsplit_once('/') {
                base.create_dir_all(dir).unwrap();
            }
            base.write(path, text).unwrap();
        }
        Self { _held: held, base: Arc::new(base) }
    }

    fn read(&self, value: Value) -> Result<Expectation, Vec<(String, String)>> {
        let config: CheckConfig = serde_json::from_value(value).unwrap();
        let told = |problems: Vec<crate::spec::Problem>| problems.into_iter().map(|p| (p.path, p.message)).collect();
        config.expectation("at", &self.base).map_err(told)
    }

    fn find(&self, value: Value, actual: Option<&[u8]>) -> Result<(), Mismatch> {
        let expectation = self.read(value).unwrap();
        let expected = expectation.expected.map(|data| data.read().unwrap()).unwrap_or_default();
        comparison(&expectation.check).compare(&expected, actual)
    }
}

fn comparison(check: &Check) -> &Comparison {
    let Check::Compare(comparison) = check else { panic!("{check:?}") };
    comparison
}

#[test]
fn every_mistake_is_told_with_its_place() {
    let files = Files::new(&[("bad.json", "[1"), ("newlines", "\n\n"), ("schema.json", "{\"type\": 1}")]);
    for (value, at, says) in [
        (json!({}), "at", "does not say what is expected"),
        (json!({"text": "a", "file": "b"}), "at.file", "stands beside `text`"),
        (json!({"check": "json", "equal": 1, "subset": 1}), "at.subset", "stands beside `equal`"),
        (json!({"file": "missing"}), "at.file", "the file `missing` of the cases cannot be read: No such file"),
        (json!({"file": "../etc/passwd"}), "at.file", "cannot be read"),
        (json!({"file": "/etc/passwd"}), "at.file", "cannot be read"),
        (json!({"base64": "!"}), "at.base64", "is not base64"),
        (json!({"text": "", "relative": 1}), "at.relative", "is no option of the checker `trimmed`"),
        (json!({"check": "exists", "text": ""}), "at.text", "is no option of the checker `exists`"),
        (json!({"check": "json_schema", "schema": {}, "ignore_case": true}), "at.ignore_case", "is no option"),
        (json!({"check": "float", "text": "1", "absolute": -1e-9}), "at.absolute", "must be a finite number"),
        (json!({"check": "float", "text": "1", "tolerance": 1, "relative": 1}), "at.tolerance", "says the same"),
        (json!({"check": "exact", "text": "", "last": 0}), "at.last", "must be more than zero"),
        (json!({"check": "regex", "text": "("}), "at.text", "is not a regular expression: unclosed group"),
        (json!({"check": "regex"}), "at", "does not say what is expected"),
        (json!({"check": "json", "file": "bad.json"}), "at.file", "is not JSON: a comma or `]` is missing, at line 1"),
        (json!({"check": "json", "equal": 1, "ignore": ["a..b"]}), "at.ignore[0]", "is not a path"),
        (
            json!({"check": "json", "equal": 1, "ignore": ["a[0]"], "ignore_order": true}),
            "at.ignore[0]",
            "names an item",
        ),
        (json!({"check": "csv", "text": "a", "ignore": ["a"]}), "at.ignore[0]", "without a header"),
        (json!({"check": "csv", "text": "a,b\n1", "header": true}), "at.text", "has 1 cells under 2 names"),
        (json!({"check": "csv", "text": "a", "delimiter": "ab"}), "at.delimiter", "must be one ASCII character"),
        (json!({"check": "contains", "file": "newlines"}), "at.file", "is empty"),
        (json!({"check": "json_schema", "schema": {"type": 1}}), "at.schema", "is not a JSON schema"),
        (json!({"check": "json_schema", "file": "schema.json"}), "at.file", "is not a JSON schema"),
        (json!({"check": "yaml", "text": "a: b: c"}), "at.text", "is not YAML"),
        (json!({"check": "program"}), "at.command", "is missing"),
        (json!({"check": "program", "command": "a | b"}), "at.command", "|"),
        (json!({"check": "program", "command": []}), "at.command", "names no program"),
        (json!({"check": "program", "command": "a", "files": ["x"]}), "at.files[0]", "cannot be read"),
        (json!({"check": "json", "subset": vec![0; 300], "ignore_order": true}), "at.subset", "more than 256 items"),
    ] {
        let problems = files.read(value.clone()).unwrap_err();
        assert_eq!(problems.len(), 1, "{value}: {problems:?}");
        assert_eq!(problems[0].0, at, "{value}");
        assert!(problems[0].1.contains(says), "{value}: {}", problems[0].1);
    }
    let both = files.read(json!({"check": "float", "header": true, "relative": -1})).unwrap_err();
    assert_eq!(both.len(), 3, "{both:?}");
}

#[test]
fn texts_and_files_become_checkers() {
    let files = Files::new(&[("out.txt", "2.00\n"), ("pattern", "^[0-9.]+$\n"), ("v/main.py", ""), ("v/a/b", "")]);
    let ok = |value: Value, actual: &str| files.find(value, Some(actual.as_bytes())).is_ok();
    assert!(ok(json!({"file": "out.txt"}), "2.00"));
    assert!(ok(json!({"check": "float", "file": "out.txt"}), "2.0000001"));
    assert!(!ok(json!({"check": "float", "file": "out.txt", "absolute": 1e-9}), "2.0000001"));
    assert!(ok(json!({"check": "regex", "file": "pattern"}), "42\n"));
    assert!(files.find(json!({"check": "exact", "base64": "/wo="}), Some(b"\xff\n")).is_ok());
    assert!(ok(json!({"check": "tokens", "text": "a b", "last": 1, "ignore_case": true}), "log\nA  B\n\n"));
    assert!(!ok(json!({"check": "tokens", "text": "a b"}), "log\na b\n"));
    assert!(ok(json!({"check": "json", "equal": null}), "null"));
    assert!(!ok(json!({"check": "json", "equal": null}), "0"));
    assert!(ok(
        json!({"check": "json", "subset": {"a": 1}, "ignore": ["t"], "tolerance": 0.5}),
        r#"{"a": 1.4, "t": 3}"#
    ));
    assert!(ok(json!({"check": "yaml", "text": "a: [1, 2]"}), "a:\n- 1\n- 2.0\n"));
    assert!(ok(json!({"check": "csv", "text": "a;b", "delimiter": ";"}), "\"a\";b\n"));
    let program =
        files.read(json!({"check": "program", "command": "python3 v/main.py", "files": ["v"], "protocol": "icpc"}));
    let Check::Program(program) = program.unwrap().check else { panic!() };
    assert_eq!(program.command, ["python3", "v/main.py"]);
    assert_eq!(program.files.keys().collect::<Vec<_>>(), ["v/a/b", "v/main.py"]);
    assert_eq!(program.protocol, Protocol::Icpc);
}

#[test]
fn files_may_be_there_or_not() {
    let files = Files::new(&[]);
    assert!(files.find(json!({"check": "exists"}), Some(b"")).is_ok());
    assert_eq!(files.find(json!({"check": "exists"}), None).unwrap_err().message, "is not there");
    assert!(files.find(json!({"check": "absent"}), None).is_ok());
    assert_eq!(files.find(json!({"check": "absent"}), Some(b"")).unwrap_err().message, "is there, and should not be");
    // Whatever is expected, a file that is not there is not it.
    assert_eq!(files.find(json!({"text": ""}), None).unwrap_err().message, "is not there");
}

#[test]
fn defaults_stand_under_what_names_no_checker() {
    let read = |value: Value| serde_json::from_value::<CheckConfig>(value).unwrap();
    let defaults = read(json!({"check": "float", "relative": 0.5, "ignore_case": true}));
    let merged = read(json!({"text": "1", "relative": 0.1})).over(&defaults);
    assert_eq!(merged, read(json!({"check": "float", "text": "1", "relative": 0.1, "ignore_case": true})));
    let own = read(json!({"check": "exact", "text": "1"}));
    assert_eq!(own.clone().over(&defaults), own);
}

#[test]
fn an_expectation_is_a_text_or_a_map() {
    let read = |value: Value| serde_json::from_value::<ExpectationConfig>(value).unwrap();
    assert!(read(json!("any")).is_any());
    assert!(!read(json!({"text": "any"})).is_any());
    assert_eq!(read(json!("x")).into_config().text.as_deref(), Some("x"));
    assert!(serde_json::from_value::<ExpectationConfig>(json!({"chek": "exact"})).is_err());
}

#[test]
fn every_checker_has_a_name_and_a_shape() {
    for name in CheckName::ALL {
        assert_eq!(serde_json::to_value(name).unwrap(), name.name());
        assert_eq!(serde_json::from_value::<CheckName>(name.name().into()).unwrap(), name);
    }
    // Every key of the shape is known to the table of options.
    let schema = schemars::schema_for!(CheckConfig).to_value();
    let keys: Vec<&String> = schema["properties"].as_object().unwrap().keys().collect();
    for key in keys {
        assert!(CheckName::ALL.iter().any(|name| name.takes(key)), "{key}");
        let full = json!({
            "text": "", "file": "", "base64": "", "equal": 1, "subset": 1, "schema": 1, "ignore_case": true, "last": 1,
            "relative": 1, "absolute": 1, "tolerance": 1, "ignore_order": true, "ignore": [], "delimiter": "",
            "header": true, "command": "", "files": [], "compile": "", "protocol": "exit", "limits": {}, "spec": "",
        });
        let config: CheckConfig = serde_json::from_value(full).unwrap();
        assert!(key == "check" || config.written().contains(&key.as_str()), "{key} is not in the table");
    }
}

/// The page that describes the checkers.
const PAGE: &str = include_str!("../../../docs/execution/checkers.md");

#[test]
fn the_page_has_every_checker_and_every_option_and_its_examples_are_read() {
    for name in CheckName::ALL {
        assert!(PAGE.contains(&format!("\n## `{}`\n", name.name())), "{}", name.name());
    }
    let schema = schemars::schema_for!(CheckConfig).to_value();
    for key in schema["properties"].as_object().unwrap().keys() {
        assert!(PAGE.contains(&format!("`{key}`")) || key == "check", "{key}");
    }
    let files = Files::new(&[("check.py", "")]);
    let blocks: Vec<&str> = PAGE.split("```yaml\n").skip(1).map(|rest| rest.split("```").next().unwrap()).collect();
    assert_eq!(blocks.len(), 2);
    for block in blocks {
        let value: Value = serde_saphyr::from_str(block).unwrap();
        let nested = value.get("files").into_iter().flat_map(|map| map.as_object().unwrap().values());
        for value in ["stdout", "stderr"].into_iter().filter_map(|key| value.get(key)).chain(nested) {
            let written: ExpectationConfig = serde_json::from_value(value.clone()).unwrap();
            assert!(written.is_any() || written.into_config().expectation("", &files.base).is_ok(), "{value}");
        }
    }
}

/// Every checker with something to expect, as files write it.
fn all_checkers() -> Vec<Value> {
    let mut all = vec![
        json!({"check": "json", "equal": {"a": [1, "x"]}}),
        json!({"check": "json", "equal": [1, [2.5]], "tolerance": 0.1, "ignore_order": true}),
        json!({"check": "json", "subset": [{"a": 1}], "ignore_order": true, "ignore": ["b[*].c"]}),
        json!({"check": "json_schema", "schema": {"type": "array", "uniqueItems": true}}),
        json!({"check": "yaml", "equal": {"a": 1}}),
        json!({"check": "csv", "text": "a,b\n1,2\n", "header": true, "tolerance": 0.1, "ignore_order": true}),
        json!({"check": "regex", "text": "^(a+)+$"}),
    ];
    for name in ["exact", "trimmed", "tokens", "numbers", "float", "lines", "contains"] {
        all.push(json!({"check": name, "text": "aaaa 1.5\n2\n", "ignore_case": true}));
        all.push(json!({"check": name, "text": "aaaa 1.5\n2\n", "last": 1_000_000}));
    }
    all
}

#[test]
fn outputs_made_to_hurt_are_refused_in_bounded_time_and_shown_in_little() {
    // A mebibyte shows what is quadratic; the whole of the largest output takes sixteen times as long.
    const SIZE: usize = 1 << 20;
    let files = Files::new(&[]);
    let checkers: Vec<Expectation> = all_checkers().into_iter().map(|value| files.read(value).unwrap()).collect();
    for piece in [
        "[", "{\"a\":", "aaaa ", "9", "\n", "\r\n ", "1e9 ", "- ", "\"", "&a *a ", ",", "\u{130}", "\x1b[2J", "0.",
        "a: ",
    ] {
        let text = piece.repeat(SIZE / piece.len());
        for checker in &checkers {
            let expected = checker.expected.as_ref().map(|data| data.read().unwrap()).unwrap_or_default();
            let Err(found) = comparison(&checker.check).compare(&expected, Some(text.as_bytes())) else {
                // What holds the expected text, or matches, may be long.
                continue;
            };
            let shown = format!("{}{}{:?}{:?}", found.message, found.at, found.actual, found.expected);
            assert!(shown.len() < 2_000, "{piece:?} {shown}");
            assert!(!shown.chars().any(char::is_control), "{piece:?} {shown:?}");
        }
    }
}

proptest! {
    #[test]
    fn no_output_panics(text in "[\\[\\]{}:,\"\\\\a10.eE \r\n\\x00\\PC-]{0,40}", bytes: Vec<u8>) {
        let files = Files::new(&[]);
        for value in all_checkers() {
            let _ = files.find(value.clone(), Some(text.as_bytes()));
            let _ = files.find(value, Some(&bytes));
        }
    }

    #[test]
    fn what_is_expected_is_accepted_and_never_told_apart_from_its_field(text in "[ab1. \n]{1,24}") {
        let files = Files::new(&[]);
        for name in ["exact", "trimmed", "tokens", "numbers", "float", "lines", "csv"] {
            prop_assert!(files.find(json!({"check": name, "text": text}), Some(text.as_bytes())).is_ok(), "{}", name);
            let secret = format!("{text}zq7secret");
            if let Err(found) = files.find(json!({"check": name, "text": secret}), Some(text.as_bytes())) {
                prop_assert!(!format!("{:?}", found.without_expected()).contains("zq7"), "{}", name);
            }
        }
    }
}
