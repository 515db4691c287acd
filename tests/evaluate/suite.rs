//! The adapter `suite`: a pytest suite of the author judges, outside of the sandbox, on every runtime that is here.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use serde_json::Value;

use crate::support::{Place, binary};

/// How many tests the suite has.
const TESTS: usize = 25;

/// A runtime that runs Python.
struct Way {
    runtime: &'static str,
    spec: &'static str,
    /// Says whether it can be had here, or why not.
    is_here: fn() -> Result<(), &'static str>,
}

/// A row is all that a further runtime needs.
const WAYS: [Way; 3] = [
    Way {
        runtime: "local",
        spec: "type: local\nname: py\ncommands: {entry_file: '{entry_file}.py', command: python3}\n",
        is_here: || Ok(()),
    },
    Way {
        runtime: "wasi",
        spec: "type: wasi\nname: py\ncommands: {entry_file: '{entry_file}.py', command: python}\n",
        is_here: || match cfg!(feature = "wasi") && guests("data/programs/python").is_dir() {
            true => Ok(()),
            false => Err("`tests/run` installs the Python of WASI"),
        },
    },
    Way {
        runtime: "docker",
        // The image of `tests/data/docker/images.sh`.
        spec: "type: docker\nname: py\ncommands: {entry_file: '{entry_file}.py', command: python3}\ndocker: {image: 'bailiwick-test/python:latest', pull: never}\n",
        is_here: || match cfg!(feature = "docker") && Path::new("/var/run/docker.sock").exists() {
            true => Ok(()),
            false => Err("no engine answers at its usual socket"),
        },
    },
];

fn guests(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("target/guests").join(name)
}

/// Says whether pytest is here; where it is not, prints why, which CI never allows.
#[expect(clippy::print_stdout, reason = "a skip is printed with its reason")]
fn has_pytest() -> bool {
    let is_here = guests("pytest/bin/pytest").is_file();
    assert!(is_here || std::env::var_os("CI").is_none(), "in CI pytest must be there: run `tests/run`");
    if !is_here {
        println!("skipped: `tests/run` gets pytest");
    }
    is_here
}

fn data() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data/suites/tally")
}

fn eval(place: &Place, spec: &str, args: &[&str]) -> Output {
    place.write("spec.yaml", spec);
    let mut command = Command::new(binary());
    command.args(["eval", "--spec", "spec.yaml", "--allow-unsandboxed", "-q", "--json"]).args(args);
    let path = format!("{}:{}", guests("pytest/bin").display(), std::env::var("PATH").unwrap());
    command.current_dir(place.home.path()).env("PATH", path).env("HOME", place.home.path());
    command.env("BAILIWICK_DATA_DIR", guests("data")).env("BAILIWICK_CACHE_DIR", guests("cache"));
    command.env("BAILIWICK_BASE_DIR", place.path("base")).env("TMPDIR", place.path("temp"));
    let output = command.output().unwrap();
    for dir in ["base", "temp"] {
        assert_eq!(std::fs::read_dir(place.path(dir)).unwrap().count(), 0, "something is left in {dir}");
    }
    output
}

/// Judges a submission of the suite. Gives each test's verdict, and the whole report.
fn judge(place: &Place, way: &Way, submission: &str) -> (BTreeMap<String, String>, Value) {
    let (cases, submission) = (data(), data().join("submissions").join(submission));
    let args = [cases.to_str().unwrap(), "--submission", submission.to_str().unwrap(), "--entry", "tally"];
    let output = eval(place, way.spec, &args);
    let said = String::from_utf8_lossy(&output.stdout);
    let report: Value = serde_json::from_str(&said).unwrap_or_else(|_| panic!("{}: {said}", way.runtime));
    let cases = report["cases"].as_array().unwrap_or_else(|| panic!("{}: {said}", way.runtime)).iter();
    let verdict =
        |case: &Value| (case["id"].as_str().unwrap().to_owned(), case["verdict"].as_str().unwrap().to_owned());
    (cases.map(verdict).collect(), report)
}

#[expect(clippy::print_stdout, reason = "a skip is printed with its reason")]
fn each_way(check: impl Fn(&Place, &Way)) {
    if !has_pytest() {
        return;
    }
    for way in &WAYS {
        match (way.is_here)() {
            Ok(()) => check(&Place::new("cases: [{id: a}]", ""), way),
            // In CI every runtime of the build must be there.
            Err(why) => {
                assert!(std::env::var_os("CI").is_none(), "{}: {why}", way.runtime);
                println!("skipped on {}: {why}", way.runtime);
            }
        }
    }
}

fn test(name: &str) -> String {
    format!("test_tally::{name}")
}

#[test]
fn tests_with_files_and_directories_pass_on_every_runtime() {
    each_way(|place, way| {
        let (verdicts, report) = judge(place, way, "accepted/tally.py");
        assert_eq!(verdicts.len(), TESTS, "{}: {verdicts:?}", way.runtime);
        assert!(verdicts.values().all(|verdict| verdict == "AC"), "{}: {report:#}", way.runtime);
        assert_eq!((&report["passed"], &report["score"]), (&true.into(), &(TESTS as f64).into()));
        let groups: Vec<&str> =
            report["groups"].as_array().unwrap().iter().map(|group| group["name"].as_str().unwrap()).collect();
        assert_eq!(groups, ["core", "error"]);
    });
}

#[test]
fn what_a_submission_brings_of_pytest_has_no_effect() {
    each_way(|place, way| {
        let (verdicts, report) = judge(place, way, "wrong_answer/forger");
        assert_eq!(verdicts.len(), TESTS, "{}: {verdicts:?}", way.runtime);
        assert!(!verdicts.keys().any(|id| id.contains("forged")), "{verdicts:?}");
        // What asks for nothing but success is all that it gets.
        assert_eq!(report["passed"], false);
        for failed in [
            "test_sums_a_file",
            "test_writes_over_a_file",
            "test_sees_nothing_of_the_tests",
            "test_words_are_not_split",
        ] {
            assert_eq!(verdicts[&test(failed)], "WA", "{}: {failed}", way.runtime);
        }
        let printed = report.to_string();
        let leaks = way.runtime != "local" && (printed.contains("found the tests") || printed.contains("root:x:"));
        assert!(!leaks, "{}: {printed}", way.runtime);
        assert_eq!(std::fs::read_dir(data()).unwrap().count(), 3, "the suite is as it was");
    });
}

#[test]
fn limits_are_told_apart_from_assertions() {
    each_way(|place, way| {
        let copy = place.path("suite");
        Command::new("cp").arg("-r").arg(data()).arg(&copy).status().unwrap();
        let cases = std::fs::read_to_string(copy.join("cases.yaml")).unwrap();
        let limits = "{wall_time: 3s, output: 1MiB, memory: 256MiB}";
        std::fs::write(copy.join("cases.yaml"), cases.replace("{wall_time: 20s, output: 1MiB}", limits)).unwrap();
        let submission = copy.join("submissions/limits/tally.py");
        let output = eval(place, way.spec, &["suite", "--submission", submission.to_str().unwrap()]);
        let report: Value = serde_json::from_slice(&output.stdout).unwrap();
        let of = |name: &str| {
            let cases = report["cases"].as_array().unwrap();
            cases.iter().find(|case| case["id"] == test(name)).unwrap()
        };
        for (name, verdict, limit) in [
            ("test_remembers_between_calls", "TLE", "wall_time"),
            ("test_removes_a_file", "MLE", "memory"),
            ("test_lists_its_directory_and_nothing_else", "OLE", "output"),
            ("test_words_are_not_split", "RTE", ""),
            ("test_writes_over_a_file", "WA", ""),
            ("test_sums_a_file", "AC", ""),
        ] {
            let case = of(name);
            assert_eq!(case["verdict"], verdict, "{} {name}: {case:#}", way.runtime);
            let facts = case["facts"].to_string();
            assert!(facts.contains(limit), "{} {name}: {facts}", way.runtime);
        }
    });
}

/// A suite whose test program is a shell script.
fn script(place: &Place, script: &str) -> (Option<i32>, Value) {
    place.write("cases/cases.yaml", "version: 1\nadapter: suite\nsuite: {command: [sh, program.sh]}\n");
    place.write("cases/program.sh", script);
    place.write("submission/main.sh", "cat; echo \"$@\"; test \"$1\" != link || ln -s /etc/passwd link");
    let output = eval(place, crate::support::SH, &["cases", "--submission", "submission"]);
    let said = String::from_utf8_lossy(&output.stdout);
    let report = serde_json::from_str(&said).unwrap_or_else(|_| panic!("{said}"));
    (output.status.code(), report)
}

#[test]
fn without_a_report_of_tests_nothing_was_judged() {
    let one = "<testsuite><testcase name=\"a\"/></testsuite>";
    for (program, why) in [
        ("true".to_owned(), "no report"),
        (format!("echo '{one}' > $BAILIWICK_REPORT; exit 5"), "exit code 5"),
        (format!("echo '{one}' > $BAILIWICK_REPORT; kill -9 $$"), "signal"),
        ("echo '<testsuite/>' > $BAILIWICK_REPORT".to_owned(), "reports no test"),
        ("echo nonsense > $BAILIWICK_REPORT; exit 1".to_owned(), "no test"),
        ("echo '<a><b></a>' > $BAILIWICK_REPORT".to_owned(), "no JUnit XML"),
    ] {
        let place = Place::new("cases: [{id: a}]", "");
        let (code, report) = script(&place, &program);
        assert_eq!((code, &report["passed"], &report["score"]), (Some(125), &false.into(), &Value::Null), "{program}");
        assert_eq!(report["cases"][0]["verdict"], "IE", "{program}");
        assert!(report["refused"].as_str().unwrap().contains(why), "{program}: {}", report["refused"]);
    }
}

#[test]
fn a_call_gets_its_directory_and_nothing_else_of_the_host() {
    let place = Place::new("cases: [{id: a}]", "");
    let program = r#"
own=$(mktemp -d); cd "$own"
test "$(echo hi | "$BAILIWICK_ENTRYPOINT" --json "$own/x" -q)" = "hi
--json x -q" || exit 9
"$BAILIWICK_ENTRYPOINT" link </dev/null; test ! -e link || exit 8
BAILIWICK_TEST=outside "$BAILIWICK_ENTRYPOINT" /etc/passwd </dev/null; test $? = 126 || exit 7
echo '<testsuite><testcase name="inside"/><testcase name="outside"><failure message="x"/></testcase></testsuite>' > $BAILIWICK_REPORT
"#;
    let (code, report) = script(&place, program);
    assert_eq!(code, Some(125), "{report:#}");
    let verdicts: Vec<&str> =
        report["cases"].as_array().unwrap().iter().map(|case| case["verdict"].as_str().unwrap()).collect();
    // What the author asks that cannot be is nothing that the submission did.
    assert_eq!(verdicts, ["AC", "IE"], "{report:#}");
}

#[test]
fn a_student_sees_nothing_of_what_the_tests_say() {
    const FORMS: [&str; 6] = ["json", "jsonl", "junit", "markdown", "csv", "html"];
    // What a test says quotes what it expects, and so does what the program prints.
    let program = |code: u8| {
        let report = r#"<testsuite><testcase name="one"><failure message="canary-message">canary-body</failure></testcase>
<testcase name="two"><skipped message="canary-skip"/></testcase>BROKEN</testsuite>"#;
        let broken = r#"<testcase name="three"><error message="canary-error"/></testcase>"#;
        let report = report.replace("BROKEN", if code == 0 { broken } else { "" });
        format!(
            "cd \"$(mktemp -d)\"; said=$(BAILIWICK_TEST=one \"$BAILIWICK_ENTRYPOINT\" a </dev/null)\n\
             echo canary-stdout; echo canary-stderr >&2; cat > \"$BAILIWICK_REPORT\" <<'END'\n{report}\nEND\nexit {code}\n"
        )
    };
    for (code, exit_code) in [(0, 125), (1, 1), (5, 125)] {
        let place = Place::new("cases: [{id: a}]", "");
        place.write("cases/cases.yaml", "version: 1\nadapter: suite\nsuite: {command: [sh, program.sh]}\n");
        place.write("cases/program.sh", &program(code));
        place.write("submission/main.sh", "echo mine");
        let reports =
            FORMS.map(|form| [format!("--report={form}@student=page.{form}"), format!("--report={form}=all.{form}")]);
        let args = ["cases", "--submission", "submission"].into_iter();
        let args: Vec<&str> = args.chain(reports.iter().flatten().map(String::as_str)).collect();
        let output = eval(&place, crate::support::SH, &args);
        assert_eq!(output.status.code(), Some(exit_code), "{}", String::from_utf8_lossy(&output.stderr));
        for form in FORMS {
            let read = |name: &str| std::fs::read_to_string(place.path(&format!("{name}.{form}"))).unwrap();
            let page = read("page");
            assert!(!page.contains("canary"), "{form}, exit code {code}:\n{page}");
            // The search works: the staff sees why.
            assert!(form == "csv" || form == "junit" || read("all").contains("canary"), "{form}, exit code {code}");
        }
    }
}
