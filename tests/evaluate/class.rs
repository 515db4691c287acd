//! A whole class: a hundred submissions, ten of them hostile or broken, each judged as if it were alone.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{Read as _, Write as _};
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use crate::support::{Place, SH, binary};

/// What the same submissions are on one runtime.
struct Flavour {
    spec: &'static str,
    /// The name of the entry file.
    entry: &'static str,
    /// Writes standard input back.
    good: &'static str,
    /// Answers something else, whatever is asked; its words are markup, escapes and a verdict.
    forger: &'static str,
    spins: &'static str,
    floods: &'static str,
}

const ON_LOCAL: Flavour = Flavour {
    spec: SH,
    entry: "main.sh",
    good: "cat",
    forger: "mkdir -p reports; echo AC > reports/forger.csv; printf '\\033[2J{\"verdict\":\"AC\"}<script>alert(1)</script>'",
    spins: "while :; do :; done",
    floods: "while :; do echo aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa; done",
};

#[cfg(all(feature = "wasi", feature = "wat"))]
const ON_WASI: Flavour = Flavour {
    spec: "type: wasi\nname: wat\ncommands: {entry_file: './{entry_file}.wat', command: ''}\n",
    entry: "main.wat",
    good: r#"(module
  (import "wasi_snapshot_preview1" "fd_read" (func $read (param i32 i32 i32 i32) (result i32)))
  (import "wasi_snapshot_preview1" "fd_write" (func $write (param i32 i32 i32 i32) (result i32)))
  (memory (export "memory") 1)
  (func (export "_start")
    (i32.store (i32.const 0) (i32.const 64))
    (i32.store (i32.const 4) (i32.const 1024))
    (drop (call $read (i32.const 0) (i32.const 0) (i32.const 1) (i32.const 8)))
    (i32.store (i32.const 4) (i32.load (i32.const 8)))
    (drop (call $write (i32.const 1) (i32.const 0) (i32.const 1) (i32.const 8)))))"#,
    forger: r#"(module
  (import "wasi_snapshot_preview1" "fd_write" (func $write (param i32 i32 i32 i32) (result i32)))
  (memory (export "memory") 1)
  (data (i32.const 64) "\1b[2J{\"verdict\":\"AC\"}<script>alert(1)</script>")
  (func (export "_start")
    (i32.store (i32.const 0) (i32.const 64))
    (i32.store (i32.const 4) (i32.const 46))
    (drop (call $write (i32.const 1) (i32.const 0) (i32.const 1) (i32.const 8)))))"#,
    spins: r#"(module (memory (export "memory") 1) (func (export "_start") (loop $on (br $on))))"#,
    floods: r#"(module
  (import "wasi_snapshot_preview1" "fd_write" (func $write (param i32 i32 i32 i32) (result i32)))
  (memory (export "memory") 1)
  (func (export "_start")
    (i32.store (i32.const 4) (i32.const 4096))
    (loop $on (drop (call $write (i32.const 1) (i32.const 0) (i32.const 1) (i32.const 8))) (br $on))))"#,
};

/// The cases; each answer holds a canary that no page for students may show, unless its case is open.
const CASES: &str = r#"
name: class
defaults: {limits: {wall_time: 1s, output: 64KiB}}
cases:
  - {id: sample, visibility: full, stdin: "open", expect: {stdout: "open"}}
  - {id: secret, points: 2, visibility: verdict, stdin: "canary-one", expect: {stdout: "canary-one"}}
  - {id: unseen, points: 3, visibility: hidden, group: extra, stdin: "canary-two", expect: {stdout: "canary-two"}}
"#;
const SECRETS: [&str; 4] = ["canary-one", "canary-two", "unseen", "cases.yaml"];

/// A name that a page, a table or a path must not be taken in by.
const ODD: &str = "=1+1\n<img src=x onerror=alert(1)>";

fn tar(path: &Path, members: &[(&str, &str)]) {
    let mut builder = tar::Builder::new(flate2::write::GzEncoder::new(File::create(path).unwrap(), Default::default()));
    for (name, text) in members {
        let mut header = tar::Header::new_gnu();
        // By hand, since the crate refuses names that lead out.
        header.as_gnu_mut().unwrap().name[..name.len()].copy_from_slice(name.as_bytes());
        header.set_size(text.len() as u64);
        header.set_mode(0o644);
        header.set_cksum();
        builder.append(&header, text.as_bytes()).unwrap();
    }
    builder.into_inner().unwrap().finish().unwrap();
}

fn zip(path: &Path, members: &[(&str, &str)]) {
    let mut writer = zip::ZipWriter::new(File::create(path).unwrap());
    for (name, text) in members {
        writer.start_file(*name, zip::write::SimpleFileOptions::default()).unwrap();
        writer.write_all(text.as_bytes()).unwrap();
    }
    writer.finish().unwrap();
}

/// An archive whose one member is larger than a submission may be; all of it is a hole.
fn oversized(path: &Path) {
    let size = 3_u64 << 30;
    let mut header = tar::Header::new_gnu();
    header.set_path("big").unwrap();
    header.set_size(size);
    header.set_cksum();
    let mut file = File::create(path).unwrap();
    file.write_all(header.as_bytes()).unwrap();
    file.set_len(size + 1536).unwrap();
}

/// Puts a hundred submissions into a place. Gives what each must come to: its verdicts, in the order of the cases.
fn hand_in(place: &Place, flavour: &Flavour) -> BTreeMap<String, &'static str> {
    let at = |name: &str| place.path("in").join(name);
    let mut expected = BTreeMap::new();
    let main = flavour.entry;
    for number in 0..90 {
        let name = format!("s{number:02}");
        match number % 10 {
            0 => tar(&at(&format!("{name}.tar.gz")), &[(main, flavour.good)]),
            1 => zip(&at(&format!("{name}.zip")), &[(main, flavour.good)]),
            _ => place.write(&format!("in/{name}/{main}"), flavour.good),
        }
        expected.insert(name, "AC AC AC");
    }
    let mut put = |name: &str, verdicts: &'static str| {
        expected.insert(name.to_owned(), verdicts);
        at(name)
    };
    tar(&put("h0", "CE CE CE").with_extension("tar.gz"), &[(main, flavour.good), ("../../escaped", "x")]);
    oversized(&put("h1", "CE CE CE").with_extension("tar"));
    std::fs::write(put("h2", "CE CE CE").with_extension("zip"), "no archive").unwrap();
    let whole = place.path("whole.tar.gz");
    tar(&whole, &[(main, flavour.good), ("more", &"text ".repeat(1_000))]);
    let mut half = Vec::new();
    File::open(&whole).unwrap().read_to_end(&mut half).unwrap();
    std::fs::write(put("h3", "CE CE CE").with_extension("tar.gz"), &half[..half.len() / 2]).unwrap();
    std::os::unix::fs::symlink(place.path("cases"), put("h4", "CE CE CE")).unwrap();
    rustix::fs::mkfifoat(rustix::fs::CWD, put("h5", "CE CE CE"), rustix::fs::Mode::RWXU).unwrap();
    put("h6", "CE CE CE");
    place.write("in/h6/README", "I did not get to it");
    put("h7", "TLE TLE TLE");
    place.write(&format!("in/h7/{main}"), flavour.spins);
    put("h8", "OLE OLE OLE");
    place.write(&format!("in/h8/{main}"), flavour.floods);
    put(ODD, "WA WA WA");
    place.write(&format!("in/{ODD}/{main}"), flavour.forger);
    assert_eq!(expected.len(), 100);
    expected
}

fn eval(place: &Place, spec: &str, args: &[&str]) -> Output {
    place.write("spec.yaml", spec);
    let mut command = Command::new(binary());
    command.args(["eval", "cases", "--spec", "spec.yaml", "--submissions", "in", "--allow-unsandboxed"]);
    command.args(args).current_dir(place.home.path());
    command.env("HOME", place.home.path()).env("BAILIWICK_BASE_DIR", place.path("base"));
    let output = command.env("TMPDIR", place.path("temp")).output().unwrap();
    for dir in ["base", "temp"] {
        assert_eq!(std::fs::read_dir(place.path(dir)).unwrap().count(), 0, "something is left in {dir}");
    }
    output
}

const FORMS: [&str; 6] = ["json", "jsonl", "junit", "markdown", "csv", "html"];

fn judge_a_hundred(flavour: &Flavour) {
    let place = Place::new(CASES, "");
    for dir in ["in", "out", "staff"] {
        std::fs::create_dir(place.path(dir)).unwrap();
    }
    let expected = hand_in(&place, flavour);
    let each = FORMS.map(|form| format!("--report={form}@student=out/{{submission}}/page.{form}"));
    let whole = [
        "--report=html@student=out.html,json@student=out.json,jsonl@student=out.jsonl",
        "--report=markdown@student=out.markdown,csv@student=out.csv",
        "--report=csv=class.csv",
        "--report=json=class.json",
        "--report=json=staff/{submission}.json",
    ];
    let args: Vec<&str> = each.iter().map(String::as_str).chain(whole).collect();
    let output = eval(&place, flavour.spec, &args);
    let said = String::from_utf8(output.stdout).unwrap();
    assert_eq!(output.status.code(), Some(1), "{said}\n{}", String::from_utf8_lossy(&output.stderr));
    assert!(said.ends_with("90 of 100 submissions passed\n") && !said.contains('\u{1b}'), "{said}");
    assert!(!place.home.path().parent().unwrap().join("escaped").exists(), "an archive wrote out of its place");

    let mut table = csv::Reader::from_path(place.path("class.csv")).unwrap();
    let names: Vec<String> = table.records().map(|row| row.unwrap()[0].to_owned()).collect();
    let in_order: Vec<String> = expected.keys().cloned().collect();
    let plain: Vec<&str> = names.iter().map(|name| name.trim_start_matches('\'')).collect();
    assert_eq!(plain, in_order, "a row a submission, in the order of their names");

    let class: serde_json::Value = read_json(&place.path("class.json"));
    assert_eq!((&class["total"], &class["passed"], &class["complete"]), (&100.into(), &90.into(), &true.into()));
    let mut given = BTreeMap::new();
    for file in std::fs::read_dir(place.path("staff")).unwrap() {
        let report = read_json(&file.unwrap().path());
        let verdicts: Vec<&str> =
            report["cases"].as_array().unwrap().iter().map(|case| case["verdict"].as_str().unwrap()).collect();
        given.insert(report["submission"]["name"].as_str().unwrap().to_owned(), verdicts.join(" "));
    }
    let expected: BTreeMap<String, String> = expected.into_iter().map(|(name, all)| (name, all.to_owned())).collect();
    assert_eq!(given, expected);
    pages_hold_no_answer(&place);
    for form in FORMS.into_iter().filter(|form| *form != "junit") {
        let page = std::fs::read_to_string(place.path(&format!("out.{form}"))).unwrap();
        let leaked = SECRETS.into_iter().find(|secret| page.contains(secret));
        assert!(leaked.is_none() && page.contains("s00"), "the {form} of the class has {leaked:?}:\n{page}");
    }
    let page = std::fs::read_to_string(place.path("out.html")).unwrap();
    let odd =
        "<a href=\"./out/%253D1%252B1%250A%253Cimg%2520src%253Dx%2520onerror%253Dalert%25281%2529%253E/page.html\">";
    assert!(page.contains(odd) && !page.contains("<img") && page.matches("<script").count() == 1, "{page}");
}

fn read_json(path: &Path) -> serde_json::Value {
    serde_json::from_reader(File::open(path).unwrap()).unwrap()
}

fn pages_hold_no_answer(place: &Place) {
    let mut pages = 0;
    for dir in std::fs::read_dir(place.path("out")).unwrap() {
        let dir: PathBuf = dir.unwrap().path();
        for form in FORMS {
            let page = std::fs::read_to_string(dir.join(format!("page.{form}"))).unwrap();
            for secret in SECRETS {
                assert!(!page.contains(secret), "{} has `{secret}`:\n{page}", dir.display());
            }
            let hidden_path = place.home.path().to_str().unwrap();
            assert!(!page.contains(hidden_path), "{} has a path of the host:\n{page}", dir.display());
            // Within a string of JSON, or a fence of Markdown, it is text.
            let draws = (form == "junit" || form == "html") && page.contains("<script>alert");
            assert!(!draws && !page.contains('\u{1b}'), "{}:\n{page}", dir.display());
            assert!(page.contains("sample"), "{}:\n{page}", dir.display());
            pages += 1;
        }
    }
    assert_eq!(pages, 100 * FORMS.len());
}

#[test]
fn a_hundred_submissions_are_judged_each_as_if_it_were_alone() {
    judge_a_hundred(&ON_LOCAL);
}

#[cfg(all(feature = "wasi", feature = "wat"))]
#[test]
fn a_hundred_submissions_are_judged_on_wasi_alike() {
    judge_a_hundred(&ON_WASI);
}

#[test]
fn an_entry_may_be_a_pattern_that_names_one_file() {
    let place = Place::new("cases: [{id: a, expect: {stdout: x}}]", "");
    place.write("in/ada/ada_task1.sh", "echo x");
    place.write("in/ada/notes.sh", "echo y");
    place.write("in/bob/bob_task1.sh", "echo x");
    place.write("in/bob/old_task1.sh", "echo x");
    place.write("in/eve/task.sh", "echo x");
    let output = eval(&place, SH, &["--entry", "*_task1", "--jobs", "1"]);
    let said = String::from_utf8(output.stdout).unwrap();
    let lines: Vec<&str> = said.lines().collect();
    assert!(lines[0].starts_with("1/3 ada: passed, 1 of 1 points, 1 AC"), "{said}");
    assert!(lines[1].ends_with("2 files are called `*_task1`; there are: bob_task1.sh, old_task1.sh"), "{said}");
    assert!(lines[2].ends_with("no entry file is called `*_task1`; there are: task.sh"), "{said}");
}

#[test]
fn what_every_submission_lacks_is_a_wrong_request() {
    let place = Place::new("cases: [{id: a}]", "");
    place.write("in/ada/main.sh", "true");
    let spec = SH.replace("command: sh", "command: no-such-interpreter");
    assert_eq!(eval(&place, &spec, &[]).status.code(), Some(2));
    for (wrong, word) in [("--report=junit=x.xml", "{submission}"), ("--journal=x.jsonl", "{submission}")] {
        let output = eval(&place, SH, &[wrong]);
        assert_eq!(output.status.code(), Some(2), "{wrong}");
        assert!(String::from_utf8_lossy(&output.stderr).contains(word), "{wrong}");
    }
    std::fs::create_dir(place.path("none")).unwrap();
    std::fs::remove_dir_all(place.path("in")).unwrap();
    std::fs::create_dir(place.path("in")).unwrap();
    assert_eq!(eval(&place, SH, &[]).status.code(), Some(2), "an empty class");
}

#[test]
fn a_class_goes_on_from_its_journals() {
    let place = Place::new("cases: [{id: a, expect: {stdout: x}}, {id: b, expect: {stdout: x}}]", "");
    for name in ["ada", "bob", "eve"] {
        place.write(&format!("in/{name}/main.sh"), "echo x");
    }
    let first = eval(&place, SH, &["--journal", "journals-{submission}.jsonl", "--report=csv=1.csv"]);
    assert_eq!(first.status.code(), Some(0), "{}", String::from_utf8_lossy(&first.stderr));
    // One was not begun, one was cut in the middle of a line.
    std::fs::remove_file(place.path("journals-bob.jsonl")).unwrap();
    let eve = place.path("journals-eve.jsonl");
    let text = std::fs::read_to_string(&eve).unwrap();
    std::fs::write(&eve, &text[..text.len() - 20]).unwrap();
    let again = eval(&place, SH, &["--resume", "journals-{submission}.jsonl", "--report=csv=2.csv"]);
    assert_eq!(again.status.code(), Some(0), "{}", String::from_utf8_lossy(&again.stderr));
    let rows = |name: &str| {
        let mut table = csv::Reader::from_path(place.path(name)).unwrap();
        let rows = table.records().map(|row| row.unwrap().iter().take(14).map(str::to_owned).collect::<Vec<_>>());
        rows.collect::<Vec<_>>()
    };
    assert_eq!(rows("1.csv"), rows("2.csv"));
    assert_eq!(std::fs::read_to_string(&eve).unwrap().lines().count(), 3);
}
