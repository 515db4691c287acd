//! The shapes of values by type: what is read as what, and what cannot be written.

use serde_json::{Value, json};

use super::{FileType, read, refused, write};

fn text(file_type: FileType, value: &Value) -> String {
    String::from_utf8(write(file_type, value)).unwrap()
}

fn malformed(file_type: FileType, bytes: impl AsRef<[u8]>) -> String {
    read(file_type, bytes).unwrap_err().to_string()
}

#[test]
fn json_is_written_for_people_and_read_strictly() {
    assert_eq!(text(FileType::Json, &json!({"b": "é", "a": [1]})), "{\n  \"a\": [\n    1\n  ],\n  \"b\": \"é\"\n}");
    assert_eq!(text(FileType::Json, &json!("a text")), "\"a text\"");
    assert_eq!(read(FileType::Json, r#"{"a": 1, "a": 2}"#).unwrap(), json!({"a": 2}));
    for wrong in ["", "{", "1 2", "NaN", "[Infinity]", "{'a': 1}", "1e999", "\u{feff}1", "\"\\ud800\""] {
        assert!(malformed(FileType::Json, wrong).starts_with("this is not json: "), "{wrong}");
    }
    assert!(malformed(FileType::Json, [b'"', 0xff, b'"']).contains("line 1"));
}

#[test]
fn lines_of_json_pass_over_blank_ones_and_name_the_broken_one() {
    assert_eq!(read(FileType::Jsonl, "1\r\n\n  \n{\"a\":2}").unwrap(), json!([1, {"a": 2}]));
    assert_eq!(read(FileType::Jsonl, "").unwrap(), json!([]));
    assert_eq!(text(FileType::Jsonl, &json!([{"a": [1]}, "x"])), "{\"a\":[1]}\n\"x\"\n");
    assert_eq!(text(FileType::Jsonl, &json!("x")), "\"x\"\n");
    assert!(malformed(FileType::Jsonl, "1\n\n{\n").contains("line 3: "));
}

#[test]
fn rows_are_maps_by_the_first_line() {
    assert_eq!(
        read(FileType::Csv, "a,b\r\n1,\"x,\n\"\"y\"\n\n3\n").unwrap(),
        json!([{"a": "1", "b": "x,\n\"y"}, {"a": "3", "b": null}])
    );
    assert_eq!(read(FileType::Tsv, "a\tb\n1,2\t3\n").unwrap(), json!([{"a": "1,2", "b": "3"}]));
    for (empty, rows) in [("", json!([])), ("a,b\n", json!([])), ("\u{feff}a\n1\n", json!([{"a": "1"}]))] {
        assert_eq!(read(FileType::Csv, empty).unwrap(), rows, "{empty:?}");
    }
    assert!(malformed(FileType::Csv, "a,b\n1,2\n1,2,3\n").contains("line 3 has 3 cells, and the first 2"));
    assert!(malformed(FileType::Csv, "a,a\n1,2\n").contains("two columns are called `a`"));
    assert!(malformed(FileType::Csv, b"a\n\xff\n").contains("line 2 is not UTF-8"));
}

#[test]
fn rows_are_written_with_the_columns_of_the_first() {
    assert_eq!(
        text(FileType::Csv, &json!([{"a": 1, "b": null}, {"b": true}, {"a": "x,y", "b": [1, "z"]}])),
        "a,b\r\n1,\r\n,true\r\n\"x,y\",\"[1,\"\"z\"\"]\"\r\n"
    );
    assert_eq!(text(FileType::Csv, &json!([["b", "a"], [1, 2, 3]])), "b,a\r\n1,2,3\r\n");
    assert_eq!(
        text(FileType::Tsv, &json!({"columns": ["b", "a"], "rows": [{"a": 1}, [2, 3]]})),
        "b\ta\r\n\t1\r\n2\t3\r\n"
    );
    assert_eq!(text(FileType::Csv, &json!([])), "");
    for (wrong, why) in [
        (json!([{"a": 1}, {"b": 2}]), "row 2 has the column `b`"),
        (json!(["abc"]), "row 1 is a text"),
        (json!([["a"], {"a": 1}]), "row 2 is a map"),
        (json!([{}]), "row 1 has no columns"),
        (json!({"a": 1}), "a map needs `columns`"),
        (json!({"columns": [1], "rows": []}), "a map needs `columns`"),
        (json!("a,b"), "not a text"),
        (json!(null), "not null"),
    ] {
        let told = refused(FileType::Csv, &wrong);
        assert!(told.contains(why), "{wrong}: {told}");
    }
}

#[test]
fn yaml_is_one_document_of_yaml_1_2() {
    assert_eq!(
        read(FileType::Yaml, "a: yes\nb: 2001-01-01\nc: 0o17\nd: &x [1]\ne: *x\nf: !!binary AP8=\n").unwrap(),
        json!({"a": "yes", "b": "2001-01-01", "c": 15, "d": [1], "e": [1], "f": "AP8="})
    );
    assert_eq!(read(FileType::Yaml, "").unwrap(), Value::Null);
    assert_eq!(read(FileType::Yaml, "1: x\ntrue: y\n").unwrap(), json!({"1": "x", "true": "y"}));
    for wrong in ["a: 1\na: 2\n", "--- 1\n--- 2\n", "a: [", "a: .nan", "- .inf", "a: b: c", "*nobody"] {
        assert!(malformed(FileType::Yaml, wrong).starts_with("this is not yaml: "), "{wrong}");
    }
    // Older readers take these for other things than texts.
    let value = json!({"b": ["yes", "1:30", "0b1", "~", "1_0"], "a": "é"});
    assert_eq!(
        text(FileType::Yaml, &value).lines().map(str::trim).collect::<Vec<_>>(),
        ["a: é", "b:", "- \"yes\"", "- \"1:30\"", "- \"0b1\"", "- \"~\"", "- \"1_0\""],
    );
}

#[test]
fn toml_is_a_table() {
    assert_eq!(
        read(FileType::Toml, "a = 1979-05-27T07:32:00Z\n[t]\nx = 0x10\n").unwrap(),
        json!({"a": "1979-05-27T07:32:00Z", "t": {"x": 16}})
    );
    assert_eq!(read(FileType::Toml, "").unwrap(), json!({}));
    for wrong in ["a = nan", "a = 1\na = 2\n", "a", "a = 99999999999999999999"] {
        assert!(malformed(FileType::Toml, wrong).starts_with("this is not toml: "), "{wrong}");
    }
    for (wrong, why) in [
        (json!([1]), "not a map"),
        (json!({"a": null}), "no null"),
        (json!({"a": {"$__toml_private_datetime": "1979-05-27"}}), "keeps the key"),
        (json!({"a": 18_446_744_073_709_551_615_u64}), "as large as"),
    ] {
        let told = refused(FileType::Toml, &wrong);
        assert!(told.contains(why) || told.contains("is a map, and this is"), "{wrong}: {told}");
    }
}

#[test]
fn text_and_bytes_are_never_coerced() {
    assert_eq!(text(FileType::Text, &json!("a")), "a");
    for wrong in [json!(null), json!(1), json!([]), json!({"base64": "?"})] {
        assert!(refused(FileType::Text, &wrong).contains("cannot be written as text"), "{wrong}");
    }
    assert_eq!(write(FileType::Binary, &json!("AP8=")), [0, 0xff]);
    assert_eq!(write(FileType::Binary, &json!({"base64": "A P\n8="})), [0, 0xff]);
    assert_eq!(refused(FileType::Binary, &json!("not base64!")), "the text is not base64");
}

#[test]
fn a_database_is_tables_of_rows() {
    let database = json!({
        "plain": [{"a": 1, "b": "x"}, {"b": "y", "c": true}],
        "empty": {"columns": ["x", "y", "x"]},
        "given": {"columns": ["b", "a"], "rows": [{"a": [1], "b": 2.5, "dropped": 1}]},
    });
    assert_eq!(
        read(FileType::Sqlite, write(FileType::Sqlite, &database)).unwrap(),
        json!({"tables": {
            "empty": [],
            "given": [{"a": "[1]", "b": 2.5}],
            "plain": [{"a": 1, "b": "x", "c": null}, {"a": null, "b": "y", "c": 1}],
        }})
    );
    let wrapped = json!({"tables": database});
    assert_eq!(write(FileType::Sqlite, &wrapped), write(FileType::Sqlite, &database));
    assert_eq!(
        read(FileType::Sqlite, write(FileType::Sqlite, &json!([{"a": "x"}]))).unwrap(),
        json!({"tables": {"table": [{"a": "x"}]}})
    );
    // A column has the type of its first value, and the others follow it.
    let mixed = json!([{"n": 1, "t": "a", "r": 1.5}, {"n": "2", "t": 2, "r": 2}, {"n": 2.0, "t": null, "r": "x"}]);
    assert_eq!(
        read(FileType::Sqlite, write(FileType::Sqlite, &mixed)).unwrap()["tables"]["table"],
        json!([{"n": 1, "t": "a", "r": 1.5}, {"n": 2, "t": "2", "r": 2.0}, {"n": 2, "t": null, "r": "x"}])
    );
    assert_eq!(read(FileType::Sqlite, write(FileType::Sqlite, &json!({}))).unwrap(), json!({"tables": {}}));
    assert_eq!(read(FileType::Sqlite, "").unwrap(), json!({"tables": {}}));
}

#[test]
fn six_things_can_be_wrong_with_a_table() {
    for (wrong, why) in [
        (json!({"": [{"a": 1}]}), "the table `` cannot have this name"),
        (json!({"SQLite_x": [{"a": 1}]}), "cannot have this name"),
        (json!({"t": 1}), "the table `t` is a number"),
        (json!({"t": {"rows": 1}}), "has rows that are a number"),
        (json!({"t": {"columns": ["a"], "row": []}}), "has the key `row` beside"),
        (json!({"t": [[1]]}), "has a list as row 1"),
        (json!({"t": [{"a": 1}, {}]}), "has no cells in row 2"),
        (json!({"t": {"columns": "a", "rows": []}}), "columns that are not a list of names"),
        (json!({"t": {"columns": [], "rows": []}}), "columns that are not a list of names"),
        (json!({"t": {"columns": [""], "rows": []}}), "a column without a name"),
        (json!({"t": []}), "has no columns"),
        (json!("x"), "not a text"),
        (json!([{"a": 18_446_744_073_709_551_615_u64}]), "too large"),
        (json!([{"a": 1, "A": 2}]), "duplicate column name"),
    ] {
        let told = refused(FileType::Sqlite, &wrong);
        assert!(told.contains(why), "{wrong}: {told}");
    }
}
