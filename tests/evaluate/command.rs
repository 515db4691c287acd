//! The command `eval`: what it prints, writes and gives as exit code.

use std::process::{Command, Output, Stdio};

use crate::support::{Place, SH, binary};

const CASES: &str =
    "cases:\n  - {id: a, args: [a], expect: {stdout: a}}\n  - {id: b, args: [b], expect: {stdout: b}}\n";

fn command(place: &Place, args: &[&str]) -> Command {
    place.write("spec.yaml", SH);
    let mut command = Command::new(binary());
    command.args(["eval", "cases", "--spec", "spec.yaml", "--submission", "submission", "--allow-unsandboxed"]);
    command.args(args).current_dir(place.home.path());
    command
        .env("HOME", place.home.path())
        .env("BAILIWICK_BASE_DIR", place.path("base"))
        .env("TMPDIR", place.path("temp"));
    command
}

fn run(place: &Place, args: &[&str]) -> Output {
    let output = command(place, args).output().unwrap();
    assert_eq!(std::fs::read_dir(place.path("base")).unwrap().count(), 0, "a workspace is left");
    output
}

fn text(bytes: &[u8]) -> &str {
    std::str::from_utf8(bytes).unwrap()
}

#[test]
fn a_line_a_case_and_a_last_word() {
    let place = Place::new(CASES, "echo $1");
    let output = run(&place, &["--jobs", "1"]);
    let said = text(&output.stdout);
    assert_eq!(said, "AC  a\nAC  b\npassed: 2 of 2 points, 2 AC (policy all-cases)\n", "{}", text(&output.stderr));
    assert_eq!(output.status.code(), Some(0));
    let place = Place::new(CASES, "echo a; printf '\\033[2J'");
    let output = run(&place, &["--jobs", "1"]);
    assert_eq!(output.status.code(), Some(1));
    assert!(text(&output.stdout).starts_with("WA  a: stdout ") && !text(&output.stdout).contains('\u{1b}'));
}

#[test]
fn exit_codes_tell_wrong_requests_from_failures_of_the_host() {
    let place = Place::new("cases: [{id: a, typo: 1}]", "");
    let output = run(&place, &[]);
    assert_eq!(output.status.code(), Some(2));
    assert!(text(&output.stderr).contains("cases.yaml:2:"), "{}", text(&output.stderr));
    let place = Place::new(
        "cases: [{id: a, expect: {stdout: {check: program, text: x, command: sh c.sh, files: [c.sh]}}}]",
        "",
    );
    place.write("cases/c.sh", "exit 9");
    assert_eq!(run(&place, &[]).status.code(), Some(125));
    let output = command(&place, &["--report", "json=no/such/dir/x.json"]).output().unwrap();
    assert_eq!(output.status.code(), Some(2));
}

#[test]
fn unsandboxed_runtimes_ask_for_consent() {
    let place = Place::new(CASES, "echo $1");
    place.write("spec.yaml", SH);
    let output = Command::new(binary())
        .args(["eval", "cases", "--spec", "spec.yaml", "--submission", "submission"])
        .current_dir(place.home.path())
        .output()
        .unwrap();
    assert_eq!(output.status.code(), Some(2));
    assert!(text(&output.stderr).contains("--allow-unsandboxed"), "{}", text(&output.stderr));
}

#[test]
fn reports_are_written_beside_each_other() {
    let place = Place::new(CASES, "echo $1");
    let output = run(
        &place,
        &["--report", "json=r.json,junit=r.xml", "--report", "markdown@student=r.md", "--json", "--journal", "j.jsonl"],
    );
    let printed: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!((&printed["passed"], &printed["score"]), (&true.into(), &2.0.into()));
    let written: serde_json::Value = serde_json::from_slice(&std::fs::read(place.path("r.json")).unwrap()).unwrap();
    assert_eq!(written["cases"], printed["cases"]);
    assert!(std::fs::read_to_string(place.path("r.xml")).unwrap().contains("tests=\"2\""));
    assert!(std::fs::read_to_string(place.path("r.md")).unwrap().contains("**Passed**"));
    let lines = std::fs::read_to_string(place.path("j.jsonl")).unwrap();
    assert_eq!(lines.lines().count(), 3);
    assert_eq!(run(&place, &["--journal", "j.jsonl"]).status.code(), Some(2), "a journal is not begun twice");
    assert_eq!(run(&place, &["--resume", "j.jsonl"]).status.code(), Some(0));
}

#[test]
fn printed_objects_are_what_their_schemas_say() {
    let place = Place::new(CASES, "echo $1; exit 3");
    for (name, args) in [("report", &["--json"][..]), ("eval-check", &["--json", "--check"])] {
        let output = run(&place, args);
        let object: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
        let schema = Command::new(binary()).args(["schema", name]).output().unwrap();
        let schema: serde_json::Value = serde_json::from_slice(&schema.stdout).unwrap();
        let validator = jsonschema::validator_for(&schema).unwrap();
        let errors: Vec<String> = validator.iter_errors(&object).map(|error| error.to_string()).collect();
        assert!(errors.is_empty(), "{name}: {errors:?}\n{object:#}");
    }
    let cases = Command::new(binary()).args(["schema", "cases"]).output().unwrap();
    let cases: serde_json::Value = serde_json::from_slice(&cases.stdout).unwrap();
    assert!(cases["properties"]["cases"].is_object() && cases["properties"]["http"].is_object());
}

#[test]
fn sides_that_are_not_alike_are_told() {
    let place = Place::new("cases: [{id: a, expect: {stdout: any}}]", "echo ${SIDE:-none}");
    place.write("one.yaml", &format!("{SH}environment: {{env: {{SIDE: one}}}}\n"));
    place.write("two.yaml", &format!("{SH}environment: {{env: {{SIDE: two}}}}\n"));
    let differ = |sides: &str| {
        let mut command = Command::new(binary());
        command.args(["eval", "cases", "--submission", "submission", "--allow-unsandboxed", "--differential", sides]);
        command
            .current_dir(place.home.path())
            .env("HOME", place.home.path())
            .env("BAILIWICK_BASE_DIR", place.path("base"));
        command.output().unwrap()
    };
    let output = differ("one.yaml,two.yaml");
    assert_eq!(output.status.code(), Some(1), "{}", text(&output.stderr));
    let said = text(&output.stdout);
    assert!(
        said.starts_with("a: stdout\n")
            && said.contains("\"one\\n\"")
            && said.ends_with("1 divergence among one.yaml, two.yaml\n"),
        "{said}"
    );
    let output = differ("one.yaml,one.yaml");
    assert_eq!((output.status.code(), text(&output.stdout)), (Some(0), "0 divergences among one.yaml, one.yaml\n"));
}

#[test]
fn an_interrupt_leaves_a_report_and_nothing_running() {
    use std::io::{BufRead as _, BufReader};
    let place = Place::new(
        "cases:\n  - {id: a, args: [a], expect: {stdout: a}}\n  - {id: b, args: [hang]}\n",
        &format!("test $1 = hang && exec sleep 30{}; echo $1", std::process::id()),
    );
    let mut command = command(&place, &["--jobs", "1", "--report", "json=r.json"]);
    let mut child = command.stdout(Stdio::piped()).stderr(Stdio::null()).spawn().unwrap();
    let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
    assert_eq!(lines.next().unwrap().unwrap(), "AC  a");
    let pid = rustix::process::Pid::from_raw(i32::try_from(child.id()).unwrap()).unwrap();
    rustix::process::kill_process(pid, rustix::process::Signal::INT).unwrap();
    assert_eq!(child.wait().unwrap().code(), Some(130));
    let report: serde_json::Value = serde_json::from_slice(&std::fs::read(place.path("r.json")).unwrap()).unwrap();
    let verdicts: Vec<&str> =
        report["cases"].as_array().unwrap().iter().map(|case| case["verdict"].as_str().unwrap()).collect();
    assert_eq!((verdicts, &report["score"]), (vec!["AC", "SK"], &serde_json::Value::Null));
    let canary = format!("30{}", std::process::id());
    let alive =
        std::fs::read_dir("/proc").unwrap().filter_map(|entry| std::fs::read(entry.ok()?.path().join("cmdline")).ok());
    assert!(!alive.into_iter().any(|line| String::from_utf8_lossy(&line).split('\0').any(|word| word == canary)));
    assert_eq!(std::fs::read_dir(place.path("base")).unwrap().count(), 0);
}

/// Takes out of a report what differs from run to run.
fn timeless(bytes: &[u8]) -> serde_json::Value {
    let mut report = serde_json::from_slice(bytes).unwrap();
    crate::support::strip(&mut report);
    report
}

#[test]
fn a_run_that_was_killed_goes_on_where_it_was() {
    use std::io::{BufRead as _, BufReader};
    let place = Place::new(
        "cases:\n  - {id: n, matrix: {n: [1, 2, 3, 4, 5, 6, 7, 8]}, args: ['${n}'], expect: {stdout: '${n}'}}\n",
        "",
    );
    // The fifth hangs, the first time.
    let mark = place.path("hung").display().to_string();
    let script = format!("if test $1 = 5 && ! test -e '{mark}'; then touch '{mark}'; exec sleep 60; fi; echo $1");
    place.write("submission/main.sh", &script);
    let mut command = command(&place, &["--jobs", "1", "--journal", "run.jsonl"]);
    let mut child = command.stdout(Stdio::piped()).stderr(Stdio::null()).spawn().unwrap();
    let lines = BufReader::new(child.stdout.take().unwrap()).lines();
    assert_eq!(lines.take(4).map(Result::unwrap).last().unwrap(), "AC  n[n=4]");
    while !place.path("hung").exists() {
        std::thread::yield_now();
    }
    child.kill().unwrap();
    child.wait().unwrap();
    let kept = std::fs::read_to_string(place.path("run.jsonl")).unwrap();
    assert_eq!(kept.lines().count(), 5, "a header, and a line a case");
    // What the kernel had not written yet may be a part of a line.
    std::fs::write(place.path("run.jsonl"), format!("{kept}{{\"index\":4,\"id\":\"n[n")).unwrap();
    // Its workspace is for `gc`, and in nobody's way.
    for left in std::fs::read_dir(place.path("base")).unwrap() {
        std::fs::remove_dir_all(left.unwrap().path()).unwrap();
    }
    let resumed = run(&place, &["--jobs", "2", "--resume", "run.jsonl", "--json"]);
    let whole = run(&place, &["--jobs", "1", "--json"]);
    assert_eq!((resumed.status.code(), whole.status.code()), (Some(0), Some(0)), "{}", text(&resumed.stderr));
    assert_eq!(timeless(&resumed.stdout), timeless(&whole.stdout));
    let judged = std::fs::read_to_string(place.path("run.jsonl")).unwrap();
    assert_eq!(judged.lines().count(), 9, "what was judged is not judged again");
}
