//! Manifests, diffs and typed files: what is read as a structure.

use std::fs;

use bailiwick::{SnapshotDiff, SnapshotId, SnapshotStore};

use super::driver::run;

/// A manifest whose name is right is refused, or is the one manifest of that name.
#[test]
fn manifests() {
    let temp = tempfile::tempdir().unwrap();
    let store = SnapshotStore::open_ambient(temp.path()).unwrap();
    let words: [&[u8]; 5] = [b"bailiwick manifest 1\n", b"..", b"/", &[0; 8], &[0xff; 8]];
    run("manifests", &words, |input, _| {
        let name = blake3::hash(input).to_hex().to_string();
        let path = temp.path().join("manifests").join(&name);
        fs::write(&path, input).unwrap();
        let id: SnapshotId = name.parse().unwrap();
        if let Ok(snapshot) = store.open(id) {
            assert_eq!(snapshot.manifest().id(), id);
            for (path, _) in snapshot.manifest().iter() {
                assert!(path.components().all(|part| part != ".." && part != "."));
            }
        }
        fs::remove_file(&path).unwrap();
    });
}

/// A diff is refused, or written as it was read.
#[test]
fn diffs() {
    let words: [&[u8]; 8] = [
        b"\"created\"",
        b"\"file_diffs\"",
        b"null",
        b"-1",
        b"@@ -1,2 +1,3 @@\\n",
        b"\"hex:2e2e\"",
        b"\"sides\"",
        b"1e999",
    ];
    run("diffs", &words, |input, _| {
        if let Ok(diff) = SnapshotDiff::from_json(input) {
            let written = diff.to_json().to_string();
            let again = SnapshotDiff::from_json(written.as_bytes()).unwrap();
            assert_eq!(again.to_json().to_string(), written);
            drop((diff.patch(), diff.stat()));
        }
    });
}

/// Typed files of every type are read or refused, whatever their bytes are.
#[test]
fn typed_files() {
    use bailiwick::{FileBounds, FileSignature};
    let names =
        ["a.json", "a.jsonl", "a.csv", "a.tsv", "a.yaml", "a.toml", "a.sqlite", "a.txt", "a.json.gz", "a.csv.zst"];
    let words: [&[u8]; 6] =
        [b"SQLite format 3\0", b"\x1f\x8b\x08", b"\x28\xb5\x2f\xfd", b"[[a]]\n", b"\"\r\n", b"1e400"];
    run("typed_files", &words, |input, chance| {
        let signature = FileSignature::detect(names[chance.below(names.len())]);
        drop(signature.read(input, &FileBounds::default()));
    });
}
