//! Every pair of a type and a compression gives back what it was given, up to its normal form.

use proptest::prelude::*;
use serde_json::{Map, Value, json};

use super::{FileBounds, FileSignature, FileType, FileValue, read, write};
use crate::workspace::files::FileCompression;

/// A content for each type that is its own normal form.
fn sample(file_type: FileType) -> FileValue {
    FileValue::Value(match file_type {
        FileType::Text => return FileValue::Text("héllo\r\n\0line\u{2028}".to_owned()),
        FileType::Binary => return FileValue::Bytes((0..=255).collect()),
        FileType::Json | FileType::Yaml => json!({"a": [1, -2.5, null, true, "x\ty"], "é": {"": []}}),
        FileType::Jsonl => json!([{"a": 1}, [], null, "x\ny"]),
        FileType::Csv | FileType::Tsv => json!([{"a": "1", "b,\t\"": "x\r\ny"}, {"a": "", "b,\t\"": " z "}]),
        FileType::Toml => json!({"a": 1, "t": {"x y": [1.5, "é"], "list": [{"k": true}]}, "e": {}}),
        FileType::Sqlite => json!({"tables": {
            "one": [{"i": 1, "r": 1.5, "t": "é", "n": null, "b": {"base64": "AP8="}}],
            "two \"quoted\"": [{"x; DROP TABLE one": -1}],
        }}),
        #[cfg(feature = "parquet")]
        FileType::Parquet => json!([
            {"i": 1, "u": u64::MAX, "r": 1.5, "t": "é", "y": true, "b": {"base64": "AP8="}, "": "x", "a.b": -1},
            {"i": i64::MIN, "u": null, "r": null, "t": null, "y": null, "b": null, "": "x", "a.b": null},
        ]),
    })
}

#[test]
fn every_pair_gives_back_what_it_was_given() {
    for &file_type in FileType::ALL {
        let mut plain_size = 0;
        for compression in FileCompression::ALL {
            let signature = FileSignature::new(file_type, compression);
            let value = sample(file_type);
            let bytes = signature.write(&value).unwrap();
            assert_eq!(signature.read(&bytes, &FileBounds::default()).unwrap(), value, "{signature}");
            assert_eq!(signature.write(&value).unwrap(), bytes, "{signature}: the same content, the same bytes");
            let magic: &[u8] = match compression {
                FileCompression::None => {
                    plain_size = bytes.len();
                    b""
                }
                FileCompression::Gzip => &[0x1f, 0x8b],
                FileCompression::Bzip2 => b"BZh",
                FileCompression::Xz => &[0xfd, b'7', b'z', b'X', b'Z', 0],
                FileCompression::Zstd => &[0x28, 0xb5, 0x2f, 0xfd],
            };
            assert!(bytes.starts_with(magic), "{signature}");
        }
        assert!(plain_size > 0);
    }
}

#[test]
fn text_and_bytes_are_written_as_they_stand_whatever_the_type() {
    for &file_type in FileType::ALL {
        for compression in FileCompression::ALL {
            let signature = FileSignature::new(file_type, compression);
            for value in [FileValue::Text("not {} valid".to_owned()), FileValue::Bytes(vec![0xff, 0, b'\r'])] {
                let bytes = signature.write(&value).unwrap();
                let text = FileSignature::new(FileType::Text, compression);
                assert_eq!(text.read(&bytes, &FileBounds::default()).unwrap(), value, "{signature}");
            }
        }
    }
}

/// Texts that some reader takes for something else, or that need an escape.
const ODD: &[&str] = &[
    "",
    " ",
    "-",
    "- a",
    "a: b",
    "a #b",
    "#",
    "null",
    "~",
    "Null",
    "true",
    "yes",
    "No",
    "on",
    "y",
    "1",
    "-1",
    "01",
    "0o7",
    "0x1F",
    "1_000",
    "1e3",
    ".5",
    ".inf",
    "-.INF",
    ".nan",
    "NaN",
    "1:30",
    "2001-01-01",
    "2001-01-01T00:00:00Z",
    "<<",
    "=",
    "&a",
    "*a",
    "!!int 1",
    "|",
    ">",
    "%",
    "@",
    "`",
    "'",
    "\"",
    "''",
    "\\",
    "{",
    "[",
    "]",
    "? a",
    ":",
    "---",
    "...",
    "\t",
    "a\n",
    "\na",
    "a\n\nb\n\n",
    " a",
    "a ",
    "a\r\nb",
    "\r",
    "\u{7f}",
    "\u{85}",
    "\u{a0}",
    "\u{feff}",
    "\u{2028}",
    "\u{fffd}",
    "\u{10ffff}",
    "\0",
    "\u{1}",
    "é",
    "a,b",
    "a\tb",
    "{{static:x}}",
];

fn any_text() -> impl Strategy<Value = String> {
    prop_oneof![
        3 => proptest::sample::select(ODD).prop_map(str::to_owned),
        1 => any::<String>(),
        1 => "[ -~\n]{0,200}",
    ]
}

fn scalar() -> impl Strategy<Value = Value> {
    prop_oneof![
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        (-5i64..5).prop_map(Value::from),
        any::<f64>().prop_filter("finite", |number| number.is_finite()).prop_map(Value::from),
        any_text().prop_map(Value::from),
    ]
}

fn any_value(with_null: bool) -> BoxedStrategy<Value> {
    let leaf = if with_null {
        prop_oneof![scalar(), Just(Value::Null), any::<u64>().prop_map(Value::from)].boxed()
    } else {
        scalar().boxed()
    };
    leaf.prop_recursive(4, 24, 4, |inner| {
        prop_oneof![
            proptest::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
            proptest::collection::btree_map(any_text(), inner, 0..4)
                .prop_map(|map| Value::Object(map.into_iter().collect())),
        ]
    })
    .boxed()
}

/// Rows of cells, all with the same columns.
fn rows(cell: impl Strategy<Value = Value> + Clone + 'static) -> impl Strategy<Value = Vec<Map<String, Value>>> {
    let columns = proptest::collection::btree_set(any_text(), 1..4);
    columns.prop_flat_map(move |columns| {
        let row = proptest::collection::vec(cell.clone(), columns.len())
            .prop_map(move |cells| columns.iter().cloned().zip(cells).collect());
        proptest::collection::vec(row, 1..5)
    })
}

/// What a cell of a table of texts comes back as.
fn as_text(value: &Value) -> Value {
    match value {
        Value::Null => "".into(),
        Value::String(text) => text.clone().into(),
        Value::Bool(_) | Value::Number(_) | Value::Array(_) | Value::Object(_) => value.to_string().into(),
    }
}

proptest! {
    #[test]
    fn json_is_its_own_normal_form(value in any_value(true)) {
        prop_assert_eq!(read(FileType::Json, write(FileType::Json, &value)).unwrap(), value);
    }

    #[test]
    fn jsonl_makes_a_list_of_what_is_none(value in any_value(true)) {
        let normal = if value.is_array() { value.clone() } else { json!([value]) };
        prop_assert_eq!(read(FileType::Jsonl, write(FileType::Jsonl, &value)).unwrap(), normal);
    }

    #[test]
    fn yaml_is_its_own_normal_form(value in any_value(true)) {
        let bytes = write(FileType::Yaml, &value);
        prop_assert_eq!(read(FileType::Yaml, &bytes).unwrap(), value, "{}", String::from_utf8_lossy(&bytes));
    }

    #[test]
    fn toml_is_its_own_normal_form(value in proptest::collection::btree_map(any_text(), any_value(false), 0..4)) {
        let value = Value::Object(value.into_iter().collect());
        let bytes = write(FileType::Toml, &value);
        prop_assert_eq!(read(FileType::Toml, &bytes).unwrap(), value, "{}", String::from_utf8_lossy(&bytes));
    }

    #[test]
    fn cells_of_rows_become_texts(rows in rows(any_value(true))) {
        // A mark of the byte order is none of the first column's name.
        prop_assume!(rows[0].keys().all(|name| !name.starts_with('\u{feff}')));
        let normal: Vec<Value> = rows.iter().map(|row| {
            Value::Object(row.iter().map(|(name, cell)| (name.clone(), as_text(cell))).collect())
        }).collect();
        for file_type in [FileType::Csv, FileType::Tsv] {
            let bytes = write(file_type, &json!(rows));
            prop_assert_eq!(read(file_type, &bytes).unwrap(), json!(normal), "{}", String::from_utf8_lossy(&bytes));
            // The normal form is one.
            prop_assert_eq!(read(file_type, write(file_type, &json!(normal))).unwrap(), json!(normal));
        }
    }

    #[test]
    fn what_a_database_gives_back_it_keeps(rows in rows(any_value(true))) {
        // SQLite folds the case of ASCII letters in names, and takes no NUL in them.
        let folded: std::collections::BTreeSet<_> = rows[0].keys().map(|key| key.to_ascii_lowercase()).collect();
        prop_assume!(folded.len() == rows[0].len() && rows[0].keys().all(|key| !key.contains('\0')));
        let is_small = |value: &Value| value.as_u64().is_none_or(|number| i64::try_from(number).is_ok());
        prop_assume!(rows.iter().flat_map(Map::values).all(is_small));
        let once = read(FileType::Sqlite, write(FileType::Sqlite, &json!({"t": rows}))).unwrap();
        prop_assert_eq!(once["tables"]["t"].as_array().unwrap().len(), rows.len());
        prop_assert_eq!(&read(FileType::Sqlite, write(FileType::Sqlite, &once)).unwrap(), &once);
    }

    #[test]
    fn packed_bytes_are_given_back(bytes in proptest::collection::vec(any::<u8>(), 0..3000)) {
        for compression in FileCompression::ALL {
            let signature = FileSignature::new(FileType::Binary, compression);
            let packed = signature.write(&FileValue::Bytes(bytes.clone())).unwrap();
            prop_assert_eq!(signature.read(&packed, &FileBounds::default()).unwrap(), FileValue::Bytes(bytes.clone()));
        }
    }
}
