//! Databases that a guest made to be opened by somebody else.

use rusqlite::Connection;
use serde_json::json;

use super::{FileBounds, FileType, FormatError, read, read_within, signature};

/// Makes the bytes of a database by SQL that the reader would never run.
fn database(sql: &str) -> Vec<u8> {
    let mut connection = Connection::open_in_memory().unwrap();
    connection.execute_batch(sql).unwrap();
    connection.serialize("main").unwrap().to_vec()
}

#[test]
fn triggers_views_virtual_tables_and_own_tables_stay_closed() {
    let bytes = database(
        "CREATE TABLE t (id INTEGER PRIMARY KEY AUTOINCREMENT, a TEXT);
         INSERT INTO t (a) VALUES ('x');
         CREATE TRIGGER boom AFTER INSERT ON t BEGIN SELECT load_extension('/tmp/evil.so'); END;
         CREATE VIEW v AS SELECT readfile('/etc/passwd') AS a;
         CREATE VIRTUAL TABLE f USING fts5(body);
         INSERT INTO f VALUES ('hello');
         CREATE VIRTUAL TABLE r USING rtree(id, x0, x1);
         ANALYZE;",
    );
    let read = read(FileType::Sqlite, bytes).unwrap();
    let tables = read["tables"].as_object().unwrap();
    assert_eq!(tables["t"], json!([{"id": 1, "a": "x"}]));
    for left_out in ["v", "f", "r", "sqlite_sequence", "sqlite_stat1"] {
        assert!(!tables.contains_key(left_out), "{left_out}");
    }
}

#[test]
fn a_view_in_the_place_of_a_table_is_not_run() {
    // The schema is a table that can be written to; a reader that trusts it runs what it says.
    let sql = "CREATE TABLE t (a); INSERT INTO t VALUES (1); PRAGMA writable_schema=ON;
               UPDATE sqlite_schema SET sql = 'CREATE VIEW t AS SELECT randomblob(1000000000) AS a' WHERE name = 't';";
    let outcome = read(FileType::Sqlite, database(sql));
    assert!(matches!(outcome, Err(FormatError::Malformed { .. })), "{outcome:?}");
}

#[test]
fn columns_that_are_computed_when_they_are_read_are_not() {
    let bytes = database(
        "CREATE TABLE t (a, b AS (length(hex(zeroblob(30000000)))) VIRTUAL, c AS (a * 2) STORED);
         INSERT INTO t (a) VALUES (21);
         CREATE TABLE d (a); INSERT INTO d VALUES (1); ALTER TABLE d ADD COLUMN b DEFAULT 'later';",
    );
    let read = read(FileType::Sqlite, bytes).unwrap();
    assert_eq!(read["tables"]["t"], json!([{"a": 21, "c": 42}]));
    assert_eq!(read["tables"]["d"], json!([{"a": 1, "b": "later"}]));
}

#[test]
fn work_is_bounded_by_steps() {
    let bytes = database(
        "CREATE TABLE t (a);
         WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 50000) INSERT INTO t SELECT i FROM n;",
    );
    let bounds = FileBounds { steps: 20_000, ..FileBounds::default() };
    let error = read_within(signature(FileType::Sqlite), &bytes, &bounds).unwrap_err();
    assert_eq!(error, FormatError::Bound { what: "steps of work", limit: 20_000 });
    assert!(read(FileType::Sqlite, bytes).is_ok());
}

#[test]
fn one_chain_of_pages_for_many_cells_is_counted_every_time() {
    let mut bytes = database("PRAGMA page_size=512; CREATE TABLE t (a); INSERT INTO t VALUES (zeroblob(200000));");
    let bounds = FileBounds { bytes: bytes.len() as u64, ..FileBounds::default() };
    assert!(read_within(signature(FileType::Sqlite), &bytes, &bounds).is_ok());
    // A copy of the row that shares all of its pages.
    let table = 512;
    let cell = u16::from_be_bytes([bytes[table + 8], bytes[table + 9]]);
    bytes[table + 4] = 2;
    let copies = cell.to_be_bytes();
    bytes[table + 10..table + 12].copy_from_slice(&copies);
    let outcome = read_within(signature(FileType::Sqlite), &bytes, &bounds);
    assert!(matches!(outcome, Err(FormatError::Bound { .. } | FormatError::Malformed { .. })), "{outcome:?}");
}

#[test]
fn a_log_in_the_header_is_no_obstacle() {
    let mut bytes = database("CREATE TABLE t (a); INSERT INTO t VALUES (1);");
    bytes[18..20].copy_from_slice(&[2, 2]);
    assert_eq!(read(FileType::Sqlite, bytes).unwrap(), json!({"tables": {"t": [{"a": 1}]}}));
}

#[test]
fn odd_cells_have_a_form() {
    let bytes = database(
        "CREATE TABLE t (a, b); INSERT INTO t VALUES (CAST(x'ff41' AS TEXT), x'00ff');
         CREATE TABLE \"odd \"\"name\" (\"a\"\"b\"); INSERT INTO \"odd \"\"name\" VALUES ('é');
         CREATE TABLE w (k TEXT PRIMARY KEY, v) WITHOUT ROWID; INSERT INTO w VALUES ('k', 1);",
    );
    assert_eq!(
        read(FileType::Sqlite, bytes).unwrap(),
        json!({"tables": {
            "t": [{"a": {"base64": "/0E="}, "b": {"base64": "AP8="}}],
            "odd \"name": [{"a\"b": "é"}],
            "w": [{"k": "k", "v": 1}],
        }})
    );
    let error = read(FileType::Sqlite, database("CREATE TABLE t (a); INSERT INTO t VALUES (9e999);")).unwrap_err();
    assert!(error.to_string().contains("not finite"), "{error}");
}

/// Every byte of a small database is changed, and every length tried: an answer or an error, never a panic or a hang.
#[test]
fn no_damage_is_fatal() {
    let whole = database("CREATE TABLE t (a, b); CREATE INDEX i ON t (a); INSERT INTO t VALUES (1, 'x'), (2, 'y');");
    let bounds = FileBounds { steps: 100_000, values: 10_000, bytes: 1 << 20, ..FileBounds::default() };
    let look = |bytes: &[u8]| drop(read_within(signature(FileType::Sqlite), bytes, &bounds));
    for at in 0..whole.len().min(8_192) {
        // Most of a page is free; what is used stands at its ends.
        if (200..3_800).contains(&(at % 4_096)) {
            continue;
        }
        for change in [0x00, 0xff, 0x80] {
            let mut damaged = whole.clone();
            damaged[at] ^= change | u8::from(change == 0);
            look(&damaged);
        }
    }
    for cut in (0..whole.len()).step_by(97) {
        look(&whole[..cut]);
    }
}
