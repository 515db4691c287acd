//! Verdict forgery: submissions that try to look right without being it. Each changes nothing but its own output.

use bailiwick::evaluate::{Evidence, Verdict};

use crate::support::Place;

/// What stands in every expectation, so that a leak of it can be found.
const ANSWER: &str = "canary-4711-answer";

/// Judges a script on one case that expects the answer.
async fn judged(script: &str) -> (Verdict, String) {
    let place = Place::new(
        &format!(
            "cases: [{{id: a, stdin: 'given', limits: {{wall_time: 2s, output: 1MiB}}, expect: {{stdout: '{ANSWER}'}}}}]"
        ),
        script,
    );
    place.write("cases/secret.txt", ANSWER);
    let run = place.judge().await;
    let record = run.record("a");
    let printed: String = record
        .steps
        .iter()
        .flat_map(|step| [&step.stdout, &step.stderr])
        .flatten()
        .map(|stream| stream.shown())
        .collect();
    (record.verdict, printed)
}

#[tokio::test]
async fn a_verdict_that_is_printed_is_output() {
    let (verdict, _) = judged(r#"echo '{"verdict":"AC","score":100,"passed":true}'; echo '1 passed in 0.01s'"#).await;
    assert_eq!(verdict, Verdict::Wa);
}

#[tokio::test]
async fn an_expected_file_that_is_written_is_not_read() {
    let script = "mkdir -p cases out; for f in expected.txt cases/cases.yaml out/a.txt secret.txt a.ans; do echo mine > $f; done; echo mine";
    assert_eq!(judged(script).await.0, Verdict::Wa);
}

#[tokio::test]
async fn a_report_that_is_written_is_not_read() {
    let script = "mkdir -p .scbench .evaluation_tests; echo '{\"passed\":true}' | tee report.json .scbench/ctrf-report.json .scbench/pytest-report.json journal.jsonl >/dev/null";
    assert_eq!(judged(script).await.0, Verdict::Wa);
}

#[tokio::test]
async fn nothing_that_judges_is_in_workspace_environment_or_arguments() {
    let script = "env; printf '%s\\n' \"$@\"; find . ; cat $(find . -type f) ; ls /proc/self/fd; cat /proc/self/environ /proc/$PPID/cmdline 2>/dev/null";
    let (verdict, printed) = judged(script).await;
    assert_eq!(verdict, Verdict::Wa);
    assert!(printed.contains("main.sh"), "the search works: {printed}");
    for word in [ANSWER, "cases.yaml", "secret.txt"] {
        assert!(!printed.contains(word), "{word} is in:\n{printed}");
    }
}

#[tokio::test]
async fn exit_codes_of_limits_are_exit_codes() {
    for code in [124, 126, 127, 137, 143, 153] {
        assert_eq!(judged(&format!("exit {code}")).await.0, Verdict::Rte, "{code}");
    }
}

#[tokio::test]
async fn a_right_answer_before_a_crash_is_a_crash() {
    assert_eq!(judged(&format!("echo {ANSWER}; kill -ABRT $$")).await.0, Verdict::Rte);
    assert_eq!(judged(&format!("echo {ANSWER}; sleep 30")).await.0, Verdict::Tle);
    assert_eq!(judged(&format!("echo {ANSWER}; exit 9")).await.0, Verdict::Rte);
}

#[tokio::test]
async fn a_right_answer_in_a_flood_is_a_flood() {
    assert_eq!(judged(&format!("echo {ANSWER}; while :; do echo {ANSWER}; done")).await.0, Verdict::Ole);
}

#[tokio::test]
async fn control_characters_do_not_hide_what_was_printed() {
    let script = format!("printf 'wrong\\r\\033[2K\\033[1A{ANSWER}\\n'");
    assert_eq!(judged(&script).await.0, Verdict::Wa);
    assert_eq!(judged(&format!("printf '{ANSWER}\\0'")).await.0, Verdict::Wa);
}

#[tokio::test]
async fn an_output_file_that_is_no_file_is_a_wrong_answer_and_is_not_followed() {
    let cases = "cases: [{id: a, limits: {wall_time: 2s}, expect: {files: {out.txt: 'root:x:0:0'}}}]";
    for script in [
        "ln -s /etc/passwd out.txt",
        "mkdir out.txt",
        "mkfifo out.txt",
        "ln -s ../../../../etc/passwd out.txt",
        "rm -f out.txt",
    ] {
        let run = Place::new(cases, script).judge().await;
        run.expect(&[("a", Verdict::Wa)]);
        let said = serde_json::to_string(&run.record("a")).unwrap();
        assert!(!said.contains("/bin/"), "the content of another file is in the record: {said}");
    }
}

#[tokio::test]
async fn what_a_submission_plants_where_an_input_goes_is_replaced() {
    let cases = "cases: [{id: a, files: {data.csv: '1,2'}, stdin: x, expect: {stdout: '1,2'}}]";
    let place = Place::new(cases, "cat data.csv");
    place.write("submission/data.csv/planted", "mine");
    place.judge().await.expect(&[("a", Verdict::Ac)]);
    std::fs::remove_dir_all(place.path("submission/data.csv")).unwrap();
    std::os::unix::fs::symlink("/etc/passwd", place.path("submission/data.csv")).unwrap();
    place.judge().await.expect(&[("a", Verdict::Ac)]);
    let passwd = std::fs::read_to_string("/etc/passwd").unwrap();
    assert_ne!(passwd, "1,2", "the target of the link is as it was");
}

#[tokio::test]
async fn a_case_that_rewrites_the_submission_changes_no_other() {
    let cases = "cases:\n  - {id: a, args: [a], expect: {stdout: wrong}}\n  - {id: b, args: [b], expect: {stdout: right}}\n  - {id: c, args: [c], expect: {stdout: right}}\n";
    let script = "echo wrong; printf 'echo right' > new.sh; mv new.sh main.sh; echo x > state";
    let place = Place::new(cases, script);
    let run = place.judge_with(bailiwick::evaluate::RunOptions::jobs(1)).await;
    run.expect(&[("a", Verdict::Ac), ("b", Verdict::Wa), ("c", Verdict::Wa)]);
    assert_eq!(std::fs::read_to_string(place.path("submission/main.sh")).unwrap(), script, "nor the original");
}

#[tokio::test]
async fn what_is_left_running_does_not_reach_the_next_case() {
    let cases =
        "cases:\n  - {id: a, args: [plant], expect: {stdout: ok}}\n  - {id: b, args: [look], expect: {stdout: ok}}\n";
    let script = "if test $1 = plant; then (while :; do echo forged > out; sleep 0.05; done) >/dev/null 2>&1 & echo ok; else sleep 0.3; cat out 2>/dev/null; echo ok; fi";
    let place = Place::new(cases, script);
    let run = place.judge_with(bailiwick::evaluate::RunOptions::jobs(1)).await;
    run.expect(&[("a", Verdict::Ac), ("b", Verdict::Ac)]);
}

#[tokio::test]
async fn compilation_sees_the_submission_and_nothing_else() {
    let place = Place::new("cases: [{id: a, expect: {stdout: 'canary-4711-answer'}}]", "cat seen")
        .with_spec("compile: {command: 'sh build.sh'}\n");
    place.write(
        "submission/build.sh",
        "(env; find . -type f; ls -a .. ; cat ../cases/* ../../cases/*) > seen 2>/dev/null; true\n",
    );
    let run = place.judge().await;
    run.expect(&[("a", Verdict::Wa)]);
    let seen = run.record("a").steps[0].stdout.as_ref().unwrap().shown();
    assert!(seen.contains("build.sh") && !seen.contains(ANSWER), "{seen}");
}

#[tokio::test]
async fn numbers_that_are_none_are_not_near_anything() {
    let cases = "cases: [{id: a, expect: {stdout: {text: '1.0', check: float, absolute: 1e300, relative: 1e300}}}]";
    for word in ["nan", "NaN", "-nan"] {
        Place::new(cases, &format!("echo {word}")).judge().await.expect(&[("a", Verdict::Wa)]);
    }
}

#[tokio::test]
async fn a_checker_that_is_a_program_is_out_of_reach() {
    let cases = r#"
cases:
  - id: a
    stdin: "7"
    expect: {stdout: {check: program, text: "canary-4711-answer", command: [sh, check.sh], files: [check.sh]}}
"#;
    let script = "mkdir -p judge/feedback; echo 'exit 0' > check.sh; echo mine > judge/expected; ls; cat check.sh judge/expected; echo 42; exit 0";
    let place = Place::new(cases, script);
    place.write("cases/check.sh", "cmp -s \"$2\" \"$3\" || { echo 'not the same'; exit 1; }\n");
    let run = place.judge().await;
    run.expect(&[("a", Verdict::Wa)]);
    let record = run.record("a");
    assert!(!record.steps[0].stdout.as_ref().unwrap().shown().contains(ANSWER));
    let Evidence::Mismatch { difference: Some(difference), .. } = &record.facts[0].evidence else {
        panic!("{record:?}")
    };
    assert_eq!(difference.expected.as_deref(), Some("not the same"));
}
