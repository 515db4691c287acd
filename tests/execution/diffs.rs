//! Diffs of trees: the patch as `git apply` and `patch -p1` read it, the JSON form, and the tree that comes of them.

#![expect(clippy::disallowed_methods, reason = "trees are made, and the judges started, by path")]
#![expect(clippy::unwrap_used, reason = "the helpers of a test fail like the test")]

#[path = "support/trees.rs"]
mod trees;

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use bailiwick::{
    ApplyError, Bounds, Capture, DiffBody, DiffBounds, DiffJsonError, FileChange, Manifest, Omission, SnapshotDiff,
    Tree, scan,
};
use cap_std::ambient_authority;
use cap_std::fs::Dir;
use proptest::prelude::*;
use trees::{Kinds, Node, Nodes, build, nodes, read};

const TEXT: Kinds = Kinds { links: false, binary: false, modes: false };
const TEXT_AND_LINKS: Kinds = Kinds { links: true, binary: false, modes: false };

fn open(path: &Path) -> Dir {
    Dir::open_ambient_dir(path, ambient_authority()).unwrap()
}

fn manifest(dir: &Dir) -> Manifest {
    scan(dir, &Capture::All, None, Bounds::default()).unwrap().manifest
}

fn between(old: &Path, new: &Path, bounds: DiffBounds) -> SnapshotDiff {
    let (old, new) = (open(old), open(new));
    let (before, after) = (manifest(&old), manifest(&new));
    let old = Tree { manifest: &before, content: &old };
    SnapshotDiff::between(old, Tree { manifest: &after, content: &new }, bounds).unwrap()
}

struct Pair {
    temp: tempfile::TempDir,
}

impl Pair {
    fn new(old: &Nodes, new: &Nodes) -> Self {
        let temp = tempfile::tempdir().unwrap();
        build(&temp.path().join("old"), old);
        build(&temp.path().join("new"), new);
        Self { temp }
    }

    fn old(&self) -> PathBuf {
        self.temp.path().join("old")
    }

    fn new_side(&self) -> PathBuf {
        self.temp.path().join("new")
    }

    fn diff(&self) -> SnapshotDiff {
        between(&self.old(), &self.new_side(), DiffBounds::default())
    }

    /// Lets a judge apply the patch to the old tree.
    fn judge(&self, program: &str, arguments: &[&str]) -> Result<(), String> {
        let patch = self.temp.path().join("patch");
        fs::write(&patch, self.diff().patch()).unwrap();
        let mut judge = Command::new(program);
        judge.args(arguments).arg(&patch).current_dir(self.old()).env("GIT_CEILING_DIRECTORIES", self.temp.path());
        let output = judge.output().unwrap();
        if output.status.success() {
            return Ok(());
        }
        let said = [output.stdout, output.stderr].concat();
        Err(format!("{}\n{}", String::from_utf8_lossy(&said), String::from_utf8_lossy(&fs::read(patch).unwrap())))
    }
}

/// What a patch can say: no directories, and of permissions the executable bit.
fn seen_by_git(tree: &Path) -> Nodes {
    let keep = |(path, node)| match node {
        Node::Directory(_) => None,
        Node::File(content, mode) => Some((path, Node::File(content, if mode & 0o100 == 0 { 0o644 } else { 0o755 }))),
        link @ Node::Link(_) => Some((path, link)),
    };
    read(tree).into_iter().filter_map(keep).collect()
}

const GIT: [&str; 4] = ["apply", "--allow-empty", "--whitespace=nowarn", "-p1"];

fn cases(count: u32) -> ProptestConfig {
    ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(count) }
}

proptest! {
    #![proptest_config(cases(150))]

    #[test]
    fn git_turns_one_tree_into_the_other(old in nodes(TEXT_AND_LINKS), new in nodes(TEXT_AND_LINKS)) {
        // git looks for new files through the links that are to go.
        let leads_in = |node: &Node| matches!(node, Node::Link(target) if target != "/nowhere");
        let is_above = |up: &Path| old.get(up).is_some_and(leads_in);
        let new: Nodes = new.into_iter().filter(|(path, _)| !path.ancestors().skip(1).any(is_above)).collect();
        let pair = Pair::new(&old, &new);
        pair.judge("git", &GIT).unwrap();
        prop_assert_eq!(seen_by_git(&pair.old()), seen_by_git(&pair.new_side()));
    }

    #[test]
    fn patch_turns_one_tree_of_texts_into_the_other(old in nodes(TEXT), new in nodes(TEXT)) {
        // `patch` makes the directory before it removes the file that has its name.
        let is_below = |path: &Path, nodes: &Nodes| nodes.keys().any(|up| path != up && path.starts_with(up));
        let clashes = |path: &Path| is_below(path, &old) || old.keys().any(|below| below != path && below.starts_with(path));
        let new: Nodes = new.into_iter().filter(|(path, _)| !clashes(path)).collect();
        let pair = Pair::new(&old, &new);
        if !pair.diff().patch().is_empty() {
            pair.judge("patch", &["-p1", "--batch", "--fuzz=0", "--no-backup-if-mismatch", "-i"]).unwrap();
        }
        prop_assert_eq!(seen_by_git(&pair.old()), seen_by_git(&pair.new_side()));
    }

    #[test]
    fn the_json_form_rebuilds_any_tree_exactly(old in nodes(trees::ANY), new in nodes(trees::ANY)) {
        let pair = Pair::new(&old, &new);
        let diff = pair.diff();
        let text = diff.to_json().to_string();
        let read_again = SnapshotDiff::from_json(text.as_bytes()).unwrap();
        prop_assert_eq!(&read_again, &diff);
        let (before, after) = (open(&pair.old()), open(&pair.new_side()));
        prop_assert_eq!(read_again.apply(&manifest(&before)).unwrap().id(), manifest(&after).id());
        read_again.apply_to(&before, &after).unwrap();
        prop_assert_eq!(read(&pair.old()), read(&pair.new_side()));
        // What is there now is not what it begins with.
        if !diff.is_empty() {
            let again = diff.apply_to(&before, &after);
            prop_assert!(matches!(again, Err(ApplyError::Mismatch { .. })), "{:?}", again);
            prop_assert_eq!(read(&pair.old()), read(&pair.new_side()));
        }
    }
}

fn tree(entries: &[(&str, Node)]) -> Nodes {
    entries.iter().map(|(path, node)| ((*path).into(), node.clone())).collect()
}

fn file(text: &str) -> Node {
    Node::File(text.into(), 0o644)
}

#[test]
fn every_kind_of_change_has_its_name_and_its_json() {
    let old = tree(&[
        ("deleted", file("1\n2\n")),
        ("mode", Node::File("x".into(), 0o644)),
        ("modified", file("a\nb\n")),
        ("moved", file("long enough")),
        ("picture", Node::File(vec![0, 1], 0o644)),
        ("type", file("t\n")),
    ]);
    let new = tree(&[
        ("created", file("")),
        ("mode", Node::File("x".into(), 0o755)),
        ("modified", file("a\nc\nd\n")),
        ("there", file("long enough")),
        ("picture", Node::File(vec![0, 1, 2], 0o644)),
        ("type", Node::Link("there".into())),
    ]);
    let pair = Pair::new(&old, &new);
    let diff = pair.diff();
    let names: Vec<_> = diff.files.iter().map(|file| (file.path.to_string(), file.change.name())).collect();
    let wanted = [
        ("created", "created"),
        ("deleted", "deleted"),
        ("mode", "mode_changed"),
        ("modified", "modified"),
        ("picture", "modified"),
        ("there", "renamed"),
        ("type", "type_changed"),
    ];
    assert_eq!(names, wanted.map(|(path, name)| (path.to_owned(), name)));
    let json = diff.to_json();
    assert_eq!(json["version"], 1);
    assert_eq!(json["from_checksum"], diff.from.to_string());
    let modified = &json["file_diffs"]["modified"];
    assert_eq!(modified["diff_text"], "--- a/modified\n+++ b/modified\n@@ -1,2 +1,3 @@\n a\n-b\n+c\n+d\n");
    assert_eq!((&modified["lines_added"], &modified["lines_removed"]), (&2.into(), &1.into()));
    assert_eq!((&modified["old_size"], &modified["new_size"]), (&4.into(), &6.into()));
    let picture = &json["file_diffs"]["picture"];
    assert_eq!((&picture["is_binary"], &picture["diff_text"]), (&true.into(), &"".into()));
    assert_eq!(picture["new"]["blake3"], blake3::hash(&[0, 1, 2]).to_hex().as_str());
    assert_eq!(json["file_diffs"]["there"]["renamed_from"], "moved");
    let stat = diff.stat();
    let lines: Vec<&str> = stat.lines().collect();
    assert_eq!(lines[0], " created        | 0");
    assert_eq!(lines[2], " mode           | mode 0644 -> 0755");
    assert_eq!(lines[3], " modified       | 3 ++-");
    assert_eq!(lines[4], " picture        | Bin 2 -> 3 bytes");
    assert_eq!(lines[5], " moved => there | renamed");
    assert_eq!(lines[7], " 7 paths changed, 3 insertions(+), 4 deletions(-)");
}

/// The fields that a reader of the reference system's `diff.json` looks for.
#[test]
fn the_fields_of_the_reference_are_there() {
    let pair = Pair::new(&tree(&[("a", file("1\n"))]), &tree(&[("a", file("2\n")), ("b", Node::Link("a".into()))]));
    let mut diff = pair.diff();
    diff.to_time = Some(std::time::UNIX_EPOCH + std::time::Duration::from_micros(1_500_000));
    let json = diff.to_json();
    for field in ["from_checksum", "to_checksum", "from_timestamp", "to_timestamp", "file_diffs"] {
        assert!(json.get(field).is_some(), "{field}");
    }
    assert_eq!(json["to_timestamp"], "1970-01-01T00:00:01.500000Z", "UTC, whatever the machine's zone");
    for field in
        ["path", "change_type", "is_binary", "diff_text", "lines_added", "lines_removed", "old_size", "new_size"]
    {
        for path in ["a", "b"] {
            assert!(json["file_diffs"][path].get(field).is_some(), "{path}: {field}");
        }
    }
}

#[test]
fn another_version_or_a_wrong_entry_is_refused() {
    let pair = Pair::new(&tree(&[]), &tree(&[("a", file("1\n"))]));
    let mut json = pair.diff().to_json();
    json["version"] = 2.into();
    let error = SnapshotDiff::from_json(json.to_string().as_bytes()).unwrap_err();
    assert!(matches!(error, DiffJsonError::Version { found: 2 }), "{error}");
    json["version"] = 1.into();
    json["file_diffs"]["a"]["path"] = "../a".into();
    let error = SnapshotDiff::from_json(json.to_string().as_bytes()).unwrap_err();
    assert!(matches!(error, DiffJsonError::Entry { field: "path", .. }), "{error}");
}

#[test]
fn h24_what_is_too_much_is_said_and_not_compared() {
    let line = format!("{}\n", "x".repeat(99));
    let old = tree(&[("big", file(&line.repeat(50))), ("small", file("a\n")), ("tail", file("a\n"))]);
    let new = tree(&[("big", file(&line.repeat(60))), ("small", file("b\n")), ("tail", file("b\n"))]);
    let pair = Pair::new(&old, &new);
    let why = |bounds: DiffBounds| -> Vec<Option<Omission>> {
        let diff = between(&pair.old(), &pair.new_side(), bounds);
        assert_eq!(diff.apply(&manifest(&open(&pair.old()))).unwrap().id(), diff.to);
        diff.files.iter().map(|file| file.body.omission()).collect()
    };
    let whole = DiffBounds::default();
    assert_eq!(why(whole), [None, None, None]);
    assert_eq!(why(DiffBounds { file_bytes: 5500, ..whole }), [Some(Omission::TooLarge), None, None]);
    let few = DiffBounds { file_bytes: 5500, text_bytes: 20, ..whole };
    assert_eq!(why(few), [Some(Omission::TooLarge), None, Some(Omission::TooMuch)]);
    assert_eq!(why(DiffBounds { time: Duration::ZERO, ..whole }), [Some(Omission::OutOfTime); 3]);
}

#[test]
fn what_a_patch_cannot_say_is_a_comment() {
    let old = tree(&[("a", Node::File(vec![0], 0o644)), ("b", Node::File("x\n".into(), 0o644)), ("c", file("1\n"))]);
    let new = tree(&[
        ("a\nb", Node::File(vec![0, 1], 0o644)),
        ("b", Node::File("x\n".into(), 0o600)),
        ("c", file("2\n")),
        ("d", Node::Directory(0o755)),
    ]);
    let pair = Pair::new(&old, &new);
    let patch = String::from_utf8(pair.diff().patch()).unwrap();
    let comments: Vec<&str> = patch.lines().filter(|line| line.starts_with('#')).collect();
    let wanted = [
        "# not in this patch: a (deleted: binary content)",
        "# not in this patch: \"a\\nb\" (created: binary content)",
        "# not in this patch: b (mode_changed: permissions beside the executable bit)",
        "# not in this patch: d (created: what is neither file nor link)",
    ];
    assert_eq!(comments, wanted);
    pair.judge("git", &GIT).unwrap();
    assert_eq!(fs::read_to_string(pair.old().join("c")).unwrap(), "2\n");
}

#[test]
fn a_file_that_changed_since_its_manifest_is_no_error() {
    let pair = Pair::new(&tree(&[("a", file("1\n"))]), &tree(&[("a", file("2\n")), ("b", file("3\n"))]));
    let (old, new) = (open(&pair.old()), open(&pair.new_side()));
    let (before, after) = (manifest(&old), manifest(&new));
    fs::write(pair.new_side().join("a"), "9\n").unwrap();
    fs::remove_file(pair.new_side().join("b")).unwrap();
    let old = Tree { manifest: &before, content: &old };
    let diff = SnapshotDiff::between(old, Tree { manifest: &after, content: &new }, DiffBounds::default()).unwrap();
    assert!(diff.files.iter().all(|file| file.body == DiffBody::Omitted(Omission::Changed)), "{diff:?}");
}

#[test]
fn ignored_files_survive_when_a_diff_is_applied() {
    let old = tree(&[("d", Node::Directory(0o755)), ("d/a", file("1\n"))]);
    let pair = Pair::new(&old, &BTreeMap::new());
    let diff = pair.diff();
    assert!(diff.files.iter().all(|file| file.change == FileChange::Deleted));
    fs::write(pair.old().join("d/ignored"), "stays").unwrap();
    diff.apply_to(&open(&pair.old()), &open(&pair.new_side())).unwrap();
    assert_eq!(fs::read_to_string(pair.old().join("d/ignored")).unwrap(), "stays");
    assert!(!pair.old().join("d/a").exists());
}
