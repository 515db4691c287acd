//! `snapshot` and `gc`: the whole way of a snapshot through the command.

use std::fs;
use std::process::{Command, Stdio};

use crate::support::Bench;

/// Lays out a tree to be taken.
fn tree(bench: &Bench) -> String {
    let tree = bench.path("tree");
    fs::create_dir_all(tree.join("sub/empty")).unwrap();
    fs::write(tree.join("a.txt"), "one\ntwo\n").unwrap();
    fs::write(tree.join("sub/b.bin"), [0, 1, 2]).unwrap();
    std::os::unix::fs::symlink("../a.txt", tree.join("sub/link")).unwrap();
    tree.into_os_string().into_string().unwrap()
}

fn text(bench: &Bench, name: &str) -> String {
    bench.path(name).into_os_string().into_string().unwrap()
}

#[test]
fn a_snapshot_is_created_listed_shown_restored_and_removed() {
    let bench = Bench::new();
    let tree = tree(&bench);
    let id = bench.run(&["snapshot", "create", &tree]).expect(0).text().trim().to_owned();
    assert_eq!(id.len(), 64);
    let created = bench.run(&["snapshot", "create", &tree, "--json"]).expect(0).object();
    assert_eq!((created["id"].as_str(), created["entries"].as_u64()), (Some(id.as_str()), Some(5)));
    let listed = bench.run(&["snapshot", "list", "--json"]).expect(0).object();
    assert_eq!(listed["snapshots"].as_array().unwrap().len(), 1, "the same content is one snapshot");
    assert_eq!(listed["snapshots"][0]["source"].as_str(), Some(tree.as_str()));
    assert!(bench.run(&["snapshot", "list"]).expect(0).text().starts_with(&id));
    let shown = bench.run(&["snapshot", "show", &id[..12]]).expect(0);
    assert!(shown.text().contains("sub/link -> ../a.txt"), "{}", shown.text());
    let out = text(&bench, "out");
    bench.run(&["snapshot", "restore", &id[..12], &out]).expect(0);
    assert_eq!(fs::read_to_string(bench.path("out/a.txt")).unwrap(), "one\ntwo\n");
    assert!(bench.path("out/sub/empty").is_dir());
    // What is there is not replaced by mistake.
    fs::write(bench.path("out/stale"), "x").unwrap();
    let refused = bench.run(&["snapshot", "restore", &id, &out]).expect(125);
    assert!(refused.stderr.contains("is not empty") && refused.stderr.contains("hint:"), "{}", refused.stderr);
    bench.run(&["snapshot", "restore", &id, &out, "--replace", "--json"]).expect(0);
    assert!(!bench.path("out/stale").exists());
    let removed = bench.run(&["snapshot", "remove", &id[..12], "--json"]).expect(0).object();
    assert_eq!(removed["removed"][0].as_str(), Some(id.as_str()));
    let swept = bench.run(&["gc", "--dry-run", "--json"]).expect(0).object();
    assert_eq!((swept["snapshots"]["removed"].as_u64(), swept["snapshots"]["kept"].as_u64()), (Some(1), Some(0)));
    bench.run(&["gc"]).expect(0);
    let gone = bench.run(&["snapshot", "show", &id]).expect(125);
    assert!(gone.stderr.contains("snapshot list"), "{}", gone.stderr);
    assert_eq!(bench.run(&["snapshot", "list"]).expect(0).text(), "no snapshot is kept\n");
}

#[test]
fn directories_ids_and_archives_are_compared_with_each_other() {
    let bench = Bench::new();
    let tree = tree(&bench);
    let id = bench.run(&["snapshot", "create", &tree]).expect(0).text().trim().to_owned();
    fs::write(bench.path("tree/a.txt"), "one\nthree\x1b[31m\n").unwrap();
    let diff = bench.run(&["snapshot", "diff", &id, &tree]).expect(0);
    assert!(diff.text().contains("-two\n+three\\u{1b}[31m\n"), "{}", diff.text());
    let patch = bench.run(&["snapshot", "diff", &id, &tree, "--patch"]).expect(0);
    assert!(patch.text().contains("+three\x1b[31m\n"), "a patch has the bytes themselves");
    let stat = bench.run(&["snapshot", "diff", &id, &tree, "--stat"]).expect(0);
    assert!(
        stat.text().contains("a.txt") && stat.text().contains("1 insertions(+), 1 deletions(-)"),
        "{}",
        stat.text()
    );
    let object = bench.run(&["snapshot", "diff", &id, &tree, "--json"]).expect(0).object();
    assert_eq!(object["from_checksum"].as_str(), Some(id.as_str()));
    assert_eq!(object["file_diffs"]["a.txt"]["lines_added"].as_u64(), Some(1));
    assert_eq!(bench.run(&["snapshot", "diff", &tree, &tree]).expect(0).text(), "");
    let wrong = bench.run(&["snapshot", "diff", &id, "nowhere/at/all"]).expect(2);
    assert!(wrong.stderr.contains("nowhere/at/all") && wrong.stderr.contains("hint:"), "{}", wrong.stderr);
}

#[cfg(feature = "files")]
#[test]
fn an_archive_stands_for_the_snapshot_that_it_was_made_of() {
    let bench = Bench::new();
    let tree = tree(&bench);
    for ending in ["tar", "tar.gz", "tar.zst"] {
        let archive = text(&bench, &format!("out.{ending}"));
        let created = bench.run(&["snapshot", "create", &tree, "-o", &archive, "--json"]).expect(0).object();
        let shown = bench.run(&["snapshot", "show", &archive, "--json"]).expect(0).object();
        assert_eq!(shown["id"], created["id"], "{ending}");
        assert_eq!(bench.run(&["snapshot", "diff", &archive, &tree]).expect(0).text(), "");
        let out = text(&bench, &format!("from-{ending}"));
        bench.run(&["snapshot", "restore", &archive, &out]).expect(0);
        assert_eq!(bench.run(&["snapshot", "diff", &out, &tree]).expect(0).text(), "");
    }
    let wrong = bench.run(&["snapshot", "create", &tree, "-o", "out.rar"]).expect(2);
    assert!(wrong.stderr.contains(".tar.zst"), "{}", wrong.stderr);
    let broken = bench.file("broken.tar", "this is no archive, however it is called");
    assert!(bench.run(&["snapshot", "show", &broken]).expect(2).stderr.contains("error:"));
}

#[test]
fn globs_leave_out_and_keep() {
    let bench = Bench::new();
    let tree = tree(&bench);
    let paths = |args: &[&str]| {
        let args = [&["snapshot", "create", &tree], args].concat();
        let id = bench.run(&args).expect(0).text().trim().to_owned();
        let shown = bench.run(&["snapshot", "show", &id, "--json"]).expect(0).object();
        let entries = shown["entries"].as_array().unwrap().iter();
        entries.map(|entry| entry["path"].as_str().unwrap().to_owned()).collect::<Vec<_>>()
    };
    assert_eq!(paths(&["--ignore", "sub/*"]), ["a.txt"]);
    assert_eq!(paths(&["--only", "*.bin"]), ["sub", "sub/b.bin"]);
}

#[test]
fn a_tree_beyond_the_bounds_is_refused_by_the_option_that_moves_them() {
    let bench = Bench::new();
    let (tree, archive) = (tree(&bench), text(&bench, "tree.tar"));
    let id = bench.run(&["snapshot", "create", &tree, "-o", &archive]).expect(0).text().trim().to_owned();
    let out = text(&bench, "out");
    for bound in ["--max-entries=4", "--max-bytes=10B"] {
        let taking: [&[&str]; 4] =
            [&["create", "--reread", &tree], &["show", &tree], &["restore", &tree, &out], &["diff", &id, &tree]];
        for words in taking {
            let refused = bench.run(&[&["snapshot"], words, &[bound]].concat()).expect(125);
            let option = bound.split('=').next().unwrap();
            assert!(refused.stderr.contains("has more than") && refused.stderr.contains(option), "{}", refused.stderr);
        }
        assert!(!std::path::Path::new(&out).exists());
        bench.run(&["snapshot", "show", &archive, bound]).expect(2);
        // What is kept is there, however large it is.
        bench.run(&["snapshot", "show", &id, bound]).expect(0);
    }
    assert_eq!(bench.run(&["snapshot", "create", &tree, "--max-entries", "5"]).expect(0).text().trim(), id);
    bench.run(&["snapshot", "create", &tree, "--max-entries", "0"]).expect(2);
    bench.run(&["snapshot", "create", &tree, "--max-bytes", "0"]).expect(2);
}

#[test]
fn a_file_that_this_user_may_not_read_is_named_with_a_hint() {
    use std::os::unix::fs::PermissionsExt;
    use std::os::unix::process::CommandExt;
    let bench = Bench::new();
    let tree = tree(&bench);
    let secret = bench.path("tree/secret");
    fs::write(&secret, "x").unwrap();
    fs::set_permissions(&secret, fs::Permissions::from_mode(0o000)).unwrap();
    if !rustix::process::geteuid().is_root() {
        // The owner may lend itself the right.
        bench.run(&["snapshot", "create", &tree]).expect(0);
        return;
    }
    let mut plain = Command::new("/usr/bin/env");
    // The program may lie where nobody else can look.
    let (copy, data) = (bench.path("bailiwick"), bench.path("of-another"));
    fs::copy(env!("CARGO_BIN_EXE_bailiwick"), &copy).unwrap();
    fs::create_dir(&data).unwrap();
    std::os::unix::fs::chown(&data, Some(4242), Some(4242)).unwrap();
    fs::set_permissions(bench.path(""), fs::Permissions::from_mode(0o755)).unwrap();
    plain.arg("-i").arg(format!("HOME={}", data.display())).arg(copy).args(["snapshot", "create", &tree]);
    let said = plain.uid(4242).gid(4242).current_dir("/").output().unwrap();
    let stderr = String::from_utf8_lossy(&said.stderr);
    assert_eq!(said.status.code(), Some(125), "{stderr}");
    assert!(stderr.contains("could not open `secret`") && stderr.contains("make it readable"), "{stderr}");
    assert_eq!(fs::metadata(&secret).unwrap().permissions().mode() & 0o777, 0);
}

#[test]
fn what_is_printed_is_what_the_schemas_say() {
    let bench = Bench::new();
    let tree = tree(&bench);
    let created = bench.run(&["snapshot", "create", &tree, "--json"]).expect(0).object();
    let id = created["id"].as_str().unwrap().to_owned();
    fs::write(bench.path("tree/new"), "x").unwrap();
    let out = text(&bench, "out");
    let commands: [(&str, &[&str]); 7] = [
        ("snapshot-create", &["create", &tree]),
        ("snapshot-show", &["show", &id]),
        ("snapshot-restore", &["restore", &id, &out]),
        ("snapshot-diff", &["diff", &id, &tree]),
        ("snapshot-list", &["list"]),
        ("snapshot-remove", &["remove", &id]),
        ("gc", &[]),
    ];
    for (name, args) in commands {
        let words = if name == "gc" { vec!["gc", "--json"] } else { [&["snapshot"], args, &["--json"]].concat() };
        let object = bench.run(&words).expect(0).object();
        let schema = serde_json::from_str(bench.run(&["schema", name]).expect(0).text()).unwrap();
        let problems: Vec<String> =
            jsonschema::validator_for(&schema).unwrap().iter_errors(&object).map(|error| error.to_string()).collect();
        assert_eq!(problems, Vec::<String>::new(), "{name}: {object}");
    }
}

/// The command as a process of its own, on the directories of a bench.
fn process(bench: &Bench, args: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_bailiwick"));
    command.args(args).env("BAILIWICK_DATA_DIR", bench.path("data")).env("BAILIWICK_STATE_DIR", bench.path("state"));
    command.env("BAILIWICK_BASE_DIR", bench.path("base")).stdout(Stdio::piped()).stderr(Stdio::piped());
    command
}

#[test]
fn processes_share_a_store_beside_gc() {
    let bench = Bench::new();
    let trees: Vec<String> = (0..4)
        .map(|number| {
            let tree = bench.path(&format!("tree-{number}"));
            fs::create_dir(&tree).unwrap();
            for file in 0..200 {
                fs::write(tree.join(file.to_string()), format!("{} of {}", file, number * (file % 2))).unwrap();
            }
            fs::write(tree.join("large"), vec![7; 2 << 20]).unwrap();
            tree.into_os_string().into_string().unwrap()
        })
        .collect();
    let mut running: Vec<_> =
        trees.iter().map(|tree| process(&bench, &["snapshot", "create", tree]).spawn().unwrap()).collect();
    running.push(process(&bench, &["gc"]).spawn().unwrap());
    let outputs: Vec<_> = running.into_iter().map(|child| child.wait_with_output().unwrap()).collect();
    for output in &outputs {
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    }
    assert!(process(&bench, &["gc"]).status().unwrap().success());
    for (tree, output) in trees.iter().zip(&outputs) {
        let id = String::from_utf8_lossy(&output.stdout).trim().to_owned();
        assert_eq!(bench.run(&["snapshot", "diff", &id, tree]).expect(0).text(), "");
        bench.run(&["snapshot", "restore", &id, &format!("{tree}-back")]).expect(0);
    }
}

#[test]
fn a_signal_stops_the_work_and_nothing_is_left() {
    let bench = Bench::new();
    let tree = bench.path("tree");
    fs::create_dir(&tree).unwrap();
    // Long enough that a signal comes while it is read: holes take no room, and are hashed all the same.
    for number in 0..20 {
        fs::File::create(tree.join(number.to_string())).unwrap().set_len(3 << 30).unwrap();
    }
    let tree = tree.into_os_string().into_string().unwrap();
    let child = process(&bench, &["snapshot", "create", &tree]).spawn().unwrap();
    let blobs = bench.path("data/snapshots/blobs");
    while !fs::read_dir(&blobs).is_ok_and(|mut names| names.next().is_some()) {
        std::thread::yield_now();
    }
    let id = rustix::process::Pid::from_raw(i32::try_from(child.id()).unwrap()).unwrap();
    rustix::process::kill_process(id, rustix::process::Signal::INT).unwrap();
    let output = child.wait_with_output().unwrap();
    assert_eq!(output.status.code(), Some(130), "{}", String::from_utf8_lossy(&output.stderr));
    assert_eq!(bench.run(&["snapshot", "list"]).expect(0).text(), "no snapshot is kept\n");
    let drafts = fs::read_dir(blobs).unwrap().flatten();
    assert_eq!(drafts.filter(|entry| entry.file_name().to_string_lossy().starts_with('.')).count(), 0);
}
