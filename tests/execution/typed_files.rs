//! Typed files through a session: put in as values, read back as values, whatever a guest has done to them.

#![expect(clippy::unwrap_used, reason = "helpers of tests fail as tests do")]

mod support;

use std::collections::BTreeMap;
use std::sync::Arc;

use bailiwick::{
    AssetResolver, ContentsBounds, ErrorKind, FileBounds, FileSignature, FileValue, FormatError, InputContent,
    InputFile, InputFileConfig, Session, StaticAssets, TypedOutcome, WorkspacePath,
};
use serde_json::{Value, json};
use support::yard::Yard;

fn config(value: Value) -> InputFileConfig {
    serde_json::from_value(value).unwrap()
}

fn input(path: &str, value: Value) -> InputFile {
    config(value).resolve(path, None).unwrap()
}

fn bytes(path: &str, content: &[u8]) -> InputFile {
    InputFile::new(WorkspacePath::new(path).unwrap(), InputContent::Bytes(content.to_vec()))
}

async fn typed(session: &Session, path: &str) -> TypedOutcome {
    let (contents, files) = (ContentsBounds::default(), FileBounds::default());
    session.get_typed_contents(&[path], contents, files).await.unwrap().get(path).unwrap().clone()
}

async fn value(session: &Session, path: &str) -> FileValue {
    let outcome = typed(session, path).await;
    let TypedOutcome::Parsed { signature, value } = outcome else { panic!("{path}: {outcome:?}") };
    assert_eq!(signature, FileSignature::detect(path));
    value
}

#[tokio::test]
async fn every_form_of_an_input_is_read_back_as_what_it_is() {
    let yard = Yard::new();
    let session = yard.session("").await;
    let table = json!([{"a": "1", "b": "x"}]);
    let database = json!({"tables": {"t": [{"a": 1, "b": {"base64": "AP8="}}]}});
    let forms = [
        ("a.txt", json!({"text": "é\r\n"}), FileValue::Text("é\r\n".into())),
        ("dir/a.txt.gz", json!({"text": "é\r\n"}), FileValue::Text("é\r\n".into())),
        ("a.bin", json!({"base64": "AP8="}), FileValue::Bytes(vec![0, 0xff])),
        ("a.json", json!({"json": null}), FileValue::Value(json!(null))),
        ("a.jsonl.xz", json!({"jsonl": [1, {"a": 2}]}), FileValue::Value(json!([1, {"a": 2}]))),
        ("a.csv", json!({"csv": table}), FileValue::Value(table.clone())),
        ("a.tsv.zst", json!({"tsv": table}), FileValue::Value(table.clone())),
        ("a.yaml.bz2", json!({"yaml": {"a": "yes"}}), FileValue::Value(json!({"a": "yes"}))),
        ("a.toml", json!({"toml": {"a": {"b": 1}}}), FileValue::Value(json!({"a": {"b": 1}}))),
        ("a.db", json!({"sqlite": database}), FileValue::Value(database.clone())),
        ("other.json", json!({"csv": [["[1]"]]}), FileValue::Value(json!([1]))),
    ];
    let files = forms.iter().map(|(path, form, _)| input(path, form.clone())).collect();
    session.materialize_input_files(files).await.unwrap();
    for (path, _, expected) in forms {
        assert_eq!(value(&session, path).await, expected, "{path}");
    }
    session.close().await.unwrap();
    yard.assert_clean();
}

#[tokio::test]
async fn what_a_guest_leaves_behind_is_an_outcome() {
    let yard = Yard::new();
    let session = yard.session("").await;
    let content = input("x", json!({"sqlite": {"t": [{"a": 1}]}})).content;
    let InputContent::Typed { signature, value: tables } = content else { panic!("{content:?}") };
    let database = signature.write(&tables).unwrap();
    session
        .materialize_input_files(vec![
            bytes("broken.json", b"{"),
            bytes("text.json.gz", b"{}"),
            bytes("open.db", &database),
            bytes("open.db-wal", b"something"),
            bytes("closed.db", &database),
            bytes("closed.db-journal", b""),
            bytes("raw.txt", &[0xff]),
        ])
        .await
        .unwrap();
    for path in ["broken.json", "text.json.gz", "open.db"] {
        let outcome = typed(&session, path).await;
        assert!(matches!(outcome, TypedOutcome::Malformed { .. }), "{path}: {outcome:?}");
    }
    assert_eq!(value(&session, "closed.db").await, FileValue::Value(json!({"tables": {"t": [{"a": 1}]}})));
    assert_eq!(value(&session, "raw.txt").await, FileValue::Bytes(vec![0xff]));
    assert_eq!(typed(&session, "gone.json").await, TypedOutcome::Missing);
    assert_eq!(typed(&session, "../x.json").await, TypedOutcome::Outside);
    session.close().await.unwrap();
    yard.assert_clean();
}

#[tokio::test]
async fn all_files_of_a_call_share_its_bounds() {
    let yard = Yard::new();
    let session = yard.session("").await;
    let zeros = json!({"text": "0".repeat(1 << 20)});
    let files = ["a.txt.gz", "b.txt.gz", "c.txt.gz"].map(|path| input(path, zeros.clone()));
    session.materialize_input_files(files.into()).await.unwrap();
    let bounds = FileBounds { bytes: 5 << 19, ..FileBounds::default() };
    let contents = session.get_typed_contents(&["*.gz"], ContentsBounds::default(), bounds).await.unwrap();
    let parsed = contents.files.iter().filter(|(_, outcome)| matches!(outcome, TypedOutcome::Parsed { .. })).count();
    let bound = FormatError::Bound { what: "bytes when it is unpacked", limit: 5 << 19 };
    assert_eq!(parsed, 2);
    assert!(matches!(contents.get("c.txt.gz"), Some(TypedOutcome::Malformed { problem, .. }) if *problem == bound));
    let small = ContentsBounds { file_bytes: 10, ..ContentsBounds::default() };
    let contents = session.get_file_contents_within(&["a.txt.gz"], small).await.unwrap();
    assert!(matches!(contents.files[0].1, bailiwick::FileOutcome::TooLarge { .. }));
    session.close().await.unwrap();
    yard.assert_clean();
}

#[tokio::test]
async fn a_value_without_a_form_writes_nothing_at_all() {
    let yard = Yard::new();
    let session = yard.session("").await;
    let files = vec![input("a.txt", json!({"text": "a"})), input("b.toml", json!({"toml": {"a": null}}))];
    let error = session.materialize_input_files(files).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::InputFileWrite);
    assert!(error.to_string().contains("`b.toml`") && error.hint().is_some(), "{error}");
    assert_eq!(typed(&session, "a.txt").await, TypedOutcome::Missing);
    session.close().await.unwrap();
    yard.assert_clean();
}

#[tokio::test]
async fn placeholders_and_secrets_stay_apart() {
    let yard = Yard::new();
    let assets: StaticAssets =
        serde_json::from_value(json!({"key": {"secret": {"env": "KEY"}, "save_path": "keys/api"}})).unwrap();
    let base = cap_std::fs::Dir::open_ambient_dir(yard.outside(""), cap_std::ambient_authority()).unwrap();
    let env = BTreeMap::from([("KEY".to_owned(), "hunter2".to_owned())]);
    let resolver = AssetResolver::new(Arc::new(base)).grant_secrets(Arc::new(env));
    let resolved = resolver.resolve_all(&assets, None).unwrap();
    let session = yard.builder("").mode(bailiwick::spec::Mode::Agent).grant_assets(resolved).open().await.unwrap();
    let files = vec![
        input("a.json", json!({"json": {"key": "{{static:key}}"}})),
        input("b.csv", json!({"csv": [["{{static:key}}"]]})),
        input("c.txt", json!({"text": "{{{{static:key}}"})),
    ];
    let files = session.resolve_input_files(files).unwrap();
    session.materialize_input_files(files).await.unwrap();
    let FileValue::Value(found) = value(&session, "a.json").await else { panic!("no value") };
    assert!(found["key"].as_str().is_some_and(|path| path.ends_with("/keys/api")), "{found}");
    assert_eq!(value(&session, "c.txt").await, FileValue::Text("{{static:key}}".into()));
    // No copy of the secret is in the workspace, so none is in a snapshot of it.
    assert_eq!(typed(&session, "keys/api").await, TypedOutcome::Missing);
    assert!(!format!("{session:?}").contains("hunter2"));
    let unknown = vec![input("x", json!({"text": "{{static:a}} {{static:b}}"}))];
    let error = session.resolve_input_files(unknown).unwrap_err();
    assert!(error.to_string().starts_with("2 placeholders cannot be resolved"), "{error}");
    session.close().await.unwrap();
    yard.assert_clean();
}

#[test]
fn the_form_of_a_case_says_what_is_wrong_with_it() {
    let outside = tempfile::tempdir().unwrap();
    let base = cap_std::fs::Dir::open_ambient_dir(outside.path(), cap_std::ambient_authority()).unwrap();
    base.create_dir("cases").unwrap();
    base.write("secret", "x").unwrap();
    base.write("cases/in.bin", [0xff, 0]).unwrap();
    let cases = base.open_dir("cases").unwrap();
    let file = config(json!({"file": "in.bin", "executable": true})).resolve("a.csv.gz", Some(&cases)).unwrap();
    assert_eq!((file.content, file.mode), (InputContent::Bytes(vec![0xff, 0]), Some(0o755)));
    let packed = config(json!({"file": "in.bin", "compression": "gzip"})).resolve("a", Some(&cases)).unwrap();
    assert!(matches!(packed.content, InputContent::Typed { .. }));
    for (path, form, why) in [
        ("a", json!({}), "says not what is in it"),
        ("a", json!({"text": "a", "json": null}), "has both `text` and `json`"),
        ("../a", json!({"text": "a"}), "has a component `..`"),
        ("a", json!({"base64": "?"}), "not base64"),
        ("a", json!({"file": "../secret"}), "could not read `../secret`"),
        ("a", json!({"file": "nothing"}), "could not read `nothing`"),
        ("a", json!({"file": "."}), "could not read `.`"),
    ] {
        let error = config(form.clone()).resolve(path, Some(&cases)).unwrap_err();
        assert!(error.to_string().contains(why), "{form}: {error}");
    }
    assert!(config(json!({"file": "in.bin"})).resolve("a", None).is_err());
    assert!(serde_json::from_value::<InputFileConfig>(json!({"txt": "a"})).is_err());
    let again = config(json!({"json": null, "compression": "zstd"}));
    assert_eq!(serde_json::to_value(&again).unwrap(), json!({"json": null, "compression": "zstd"}));
}
