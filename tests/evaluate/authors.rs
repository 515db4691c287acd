//! What authors of suites have: templates that pass, solutions that are verified, answers that are recorded, runs that
//! are repeated.

use std::process::{Command, Output};

use crate::support::{Place, SH, binary};

fn bailiwick(place: &Place, args: &[&str]) -> Output {
    place.write("spec.yaml", SH);
    let mut command = Command::new(binary());
    command.args(args).current_dir(place.home.path());
    command.env("HOME", place.home.path()).env("BAILIWICK_BASE_DIR", place.path("base"));
    let output = command.env("TMPDIR", place.path("temp")).output().unwrap();
    for dir in ["base", "temp"] {
        assert_eq!(std::fs::read_dir(place.path(dir)).unwrap().count(), 0, "something is left in {dir}");
    }
    output
}

fn eval(place: &Place, args: &[&str]) -> (Option<i32>, String) {
    let common = ["eval", "cases", "--spec", "spec.yaml", "--allow-unsandboxed"];
    let output = bailiwick(place, &[&common, args].concat());
    let said = String::from_utf8(output.stdout).unwrap() + &String::from_utf8(output.stderr).unwrap();
    (output.status.code(), said)
}

/// Verifies what a template wrote, on the Python of this host.
fn verify_template(kind: &str, suites: &[&str]) {
    let place = Place::new("cases: [{id: a}]", "");
    assert_eq!(bailiwick(&place, &["init", kind, "new"]).status.code(), Some(0));
    assert_eq!(bailiwick(&place, &["init", kind, "new"]).status.code(), Some(2), "it is not empty");
    for suite in suites {
        let suite = format!("new/{suite}");
        let args = ["eval", &suite, "--spec", "local-python", "--allow-unsandboxed", "--verify"];
        let output = bailiwick(&place, &args);
        let said = String::from_utf8_lossy(&output.stdout);
        assert_eq!(output.status.code(), Some(0), "{said}{}", String::from_utf8_lossy(&output.stderr));
        assert!(said.contains("kept   accepted/") && said.contains("verified: "), "{said}");
    }
    let spec = bailiwick(&place, &["spec", "check", "new/spec.yaml"]);
    assert!(cfg!(not(feature = "wasi")) || spec.status.success(), "{}", String::from_utf8_lossy(&spec.stdout));
}

#[test]
fn the_template_of_a_course_passes() {
    verify_template("grading", &["."]);
}

#[test]
fn the_template_of_a_benchmark_passes() {
    verify_template("benchmark", &["checkpoint_1", "checkpoint_2"]);
}

#[test]
fn a_promise_that_is_not_kept_is_told() {
    let cases =
        "defaults: {limits: {wall_time: 2s}}\ncases: [{id: a, expect: {stdout: x}}, {id: b, expect: {stdout: x}}]";
    let place = Place::new(cases, "");
    assert_eq!(eval(&place, &["--verify"]).0, Some(2), "there is no solution");
    place.write("cases/submissions/accepted/good.sh", "echo x");
    place.write("cases/submissions/wrong_answer/bad.sh", "echo y");
    place.write("cases/submissions/wrong_answer/other.py", "print()");
    place.write("cases/submissions/run_time_error/dir/main.sh", "exit 3");
    let (code, said) = eval(&place, &["--verify"]);
    assert_eq!(code, Some(0), "{said}");
    assert!(said.contains("left out wrong_answer/other.py") && said.ends_with("verified: 3 solutions, 0 broken\n"));
    for (solution, script, told) in [
        ("accepted/slow.sh", "sleep 1.2; echo x", "wall_time, which leaves less than half"),
        ("accepted/wrong.sh", "echo y", "a is WA: stdout is not what was expected"),
        ("wrong_answer/right.sh", "echo x", "it passes"),
        ("time_limit_exceeded/crash.sh", "exit 1", "no case is TLE"),
    ] {
        let path = format!("cases/submissions/{solution}");
        place.write(&path, script);
        let (code, said) = eval(&place, &["--verify"]);
        assert_eq!(code, Some(1), "{said}");
        assert!(said.contains(told) && said.ends_with("not verified: 4 solutions, 1 broken\n"), "{said}");
        std::fs::remove_file(place.path(&path)).unwrap();
    }
}

#[test]
fn the_solutions_of_packages_of_every_format_keep_what_they_promise() {
    let packages = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data/packages");
    for (name, count) in [("factors", 5), ("mean", 6), ("share", 6), ("above", 6)] {
        let place = Place::new("cases: [{id: a}]", "");
        place.write("py.yaml", "type: local\nname: py\ncommands: {entry_file: '{entry_file}.py', command: python3}\n");
        let package = packages.join(name);
        let args = ["eval", package.to_str().unwrap(), "--verify", "--spec", "py.yaml", "--allow-unsandboxed"];
        let output = bailiwick(&place, &args);
        let said = String::from_utf8_lossy(&output.stdout);
        assert_eq!(output.status.code(), Some(0), "{name}: {said}");
        assert!(said.ends_with(&format!("verified: {count} solutions, 0 broken\n")), "{name}: {said}");
    }
}

#[test]
fn a_rule_of_a_package_that_is_not_kept_is_told() {
    let place = Place::new("cases: [{id: a}]", "");
    let rules = "mixed/*: {permitted: [AC, WA], secret/hard: {required: [WA]}}\n\
        wrong_answer: {permitted: [AC, RTE]}\naccepted/slow.sh: {use_for_time_limit: upper}\n";
    for (path, text) in [
        ("p/problem.yaml", "problem_format_version: 2025-09\nname: P\nuuid: x\nlimits: {time_limit: 2}\n"),
        ("p/data/secret/easy/1.in", "1\n"),
        ("p/data/secret/easy/1.ans", "1\n"),
        ("p/data/secret/hard/1.in", "2\n"),
        ("p/data/secret/hard/1.ans", "2\n"),
        ("p/submissions/submissions.yaml", rules),
        ("p/submissions/accepted/cat.sh", "cat"),
        ("p/submissions/accepted/slow.sh", "cat"),
        ("p/submissions/mixed/one.sh", "echo 1"),
        ("p/submissions/mixed/two.sh", "echo 2"),
        ("p/submissions/wrong_answer/one.sh", "echo 1"),
        ("p/submissions/brute_force/cat.sh", "cat"),
        ("p/submissions/other/cat.sh", "cat"),
    ] {
        place.write(path, text);
    }
    let output = bailiwick(&place, &["eval", "p", "--verify", "--spec", "spec.yaml", "--allow-unsandboxed"]);
    let said = String::from_utf8_lossy(&output.stdout);
    assert_eq!(output.status.code(), Some(1), "{said}");
    for line in [
        "kept   accepted/cat.sh (2 AC)",
        "broken accepted/slow.sh (2 AC)\n       no case is TLE",
        "kept   mixed/one.sh (1 AC, 1 WA)",
        "broken mixed/two.sh (1 AC, 1 WA)\n       no case of `secret/hard` is WA",
        "broken wrong_answer/one.sh (1 AC, 1 WA)\n       secret/hard/1 is WA, and may be AC or RTE",
        "broken brute_force/cat.sh (2 AC)\n       no case is RTE or TLE",
        "left out other/cat.sh: nothing says what it gets",
    ] {
        assert!(said.contains(line), "{line}: {said}");
    }
    assert!(said.ends_with("not verified: 6 solutions, 4 broken\n"), "{said}");
}

#[test]
fn what_a_solution_prints_is_recorded_where_answers_are_files() {
    let cases = r#"
cases:
  - {id: old, stdin: one, expect: {stdout: {file: a/old.ans}}}
  - {id: same, stdin: two, expect: {stdout: {file: same.ans}}}
  - {id: inline, stdin: three, expect: {stdout: other}}
  - {id: fails, args: [fail], expect: {stdout: {file: fails.ans}}}
"#;
    let place = Place::new(cases, "test \"$1\" = fail && exit 7; cat");
    for (file, text) in [("a/old.ans", "stale"), ("same.ans", "two"), ("fails.ans", "kept")] {
        place.write(&format!("cases/{file}"), text);
    }
    let (code, said) = eval(&place, &["--submission", "submission", "--record", "-q"]);
    assert_eq!(code, Some(1), "{said}");
    assert!(said.contains("wrote a/old.ans\n"), "{said}");
    assert!(said.contains("not recorded: inline: stdout: the answer stands in the case file"), "{said}");
    assert!(said.contains("not recorded: fails: stdout: exit code 7, not 0"), "{said}");
    assert!(said.ends_with("1 written, 1 the same, 2 not recorded\n"), "{said}");
    let read = |name: &str| std::fs::read_to_string(place.path("cases").join(name)).unwrap();
    assert_eq!((read("a/old.ans"), read("fails.ans")), ("one".to_owned(), "kept".to_owned()));
    assert_eq!(std::fs::read_dir(place.path("cases/a")).unwrap().count(), 1, "no draft is left");
}

#[test]
fn answers_are_recorded_whole_however_long_they_are() {
    let cases = "cases:\n  - {id: text, args: [a], expect: {stdout: {file: text.ans}}}\n  \
        - {id: bytes, args: [b], expect: {stdout: {file: bytes.ans}, stderr: {file: bytes.err}}}\n  \
        - {id: again, args: [a], expect: {stdout: {file: again.ans}}}\n";
    // Longer than what a report keeps of a stream, and no text.
    let script = "case $1 in a) seq 1 40000;; b) head -c 300000 /dev/zero; seq 1 50000 >&2;; esac";
    let place = Place::new(cases, script);
    for file in ["text.ans", "bytes.ans", "bytes.err", "again.ans"] {
        place.write(&format!("cases/{file}"), "");
    }
    let (code, said) = eval(&place, &["--submission", "submission", "--record", "-q"]);
    assert_eq!(code, Some(0), "{said}");
    let lines = |last: u32| (1..=last).map(|number| format!("{number}\n")).collect::<String>().into_bytes();
    let read = |name: &str| std::fs::read(place.path("cases").join(name)).unwrap();
    assert!(read("text.ans") == lines(40_000) && read("again.ans") == lines(40_000));
    assert!(read("bytes.ans") == vec![0; 300_000] && read("bytes.err") == lines(50_000));
    let (code, said) = eval(&place, &["--submission", "submission", "-q"]);
    assert_eq!(code, Some(0), "{said}");
}

#[test]
fn verdicts_that_flip_are_told() {
    let place =
        Place::new("cases: [{id: steady, expect: {stdout: x}}, {id: odd, args: [odd], expect: {stdout: x}}]", "");
    // A file outside of the workspace, as only the local runtime lets one.
    let file = place.path("count").into_os_string().into_string().unwrap();
    let script = format!("test \"$1\" = odd && test -e '{file}' && exit; test \"$1\" = odd && touch '{file}'; echo x");
    place.write("submission/main.sh", &script);
    let (code, said) = eval(&place, &["--submission", "submission", "--repeat", "3", "-q"]);
    assert_eq!(code, Some(1), "{said}");
    assert!(said.starts_with("flips: odd: 1 AC, 2 WA\n"), "{said}");
    assert!(said.ends_with("1 of 3 runs passed, 1 cases flip\n") && said.contains(" in the middle"), "{said}");
    place.write("submission/main.sh", "echo x");
    let (code, said) = eval(&place, &["--submission", "submission", "--repeat", "2", "--json"]);
    let object: serde_json::Value = serde_json::from_str(said.lines().next().unwrap()).unwrap();
    assert_eq!((code, &object["passed"], &object["runs"]), (Some(0), &2.into(), &2.into()));
    assert_eq!(object["times"][0]["measured"], 2);
}
