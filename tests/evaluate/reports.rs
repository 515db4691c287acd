//! What each audience sees, in every form.

use bailiwick::evaluate::{Audience, Report, ReportKind, Verdict};

use crate::support::{Place, Run};

const CASES: &str = r#"
assets: {table: {path: data/table.csv}}
cases:
  - id: open
    visibility: full
    stdin: "input-open"
    expect: {stdout: "answer-open", files: {out.txt: "file-answer-open"}}
  - id: closed
    visibility: verdict
    args: ["argument-closed"]
    stdin: "input-closed"
    expect: {stdout: "answer-closed", files: {out.txt: {check: contains, text: "file-answer-closed"}}}
  - id: closed-limit
    visibility: verdict
    args: [sleep]
    limits: {wall_time: 300ms}
    expect: {stdout: "answer-closed-limit"}
  - id: secret-name
    visibility: hidden
    stdin: "input-hidden"
    expect: {stdout: "answer-hidden", exit_code: 77}
"#;

async fn judged() -> Run {
    let place = Place::new(CASES, "test \"$1\" = sleep && sleep 30; cat; echo wrong > out.txt");
    place.write("cases/data/table.csv", "1");
    let run = place.judge().await;
    run.expect(&[
        ("open", Verdict::Wa),
        ("closed", Verdict::Wa),
        ("closed-limit", Verdict::Tle),
        ("secret-name", Verdict::Wa),
    ]);
    run
}

#[tokio::test]
async fn a_student_sees_of_a_case_what_its_visibility_allows_in_every_form() {
    let run = judged().await;
    for kind in ReportKind::ALL {
        let text = run.report(kind, Audience::Student);
        for secret in [
            "answer-closed",
            "input-closed",
            "argument-closed",
            "file-answer-closed",
            "answer-hidden",
            "input-hidden",
            "secret-name",
            "cases.yaml",
        ] {
            assert!(!text.contains(secret), "{} has `{secret}`:\n{text}", kind.name());
        }
        assert!(text.contains("closed-limit") && text.contains("TLE"), "{}:\n{text}", kind.name());
        if kind != ReportKind::Csv {
            let has_limit = text.contains("wall_time") || text.contains("wall\\_time");
            assert!(has_limit && text.contains("answer-open"), "{}:\n{text}", kind.name());
        }
    }
}

#[tokio::test]
async fn the_staff_sees_everything() {
    let run = judged().await;
    for kind in ReportKind::ALL {
        let text = run.report(kind, Audience::Staff);
        assert!(text.contains("secret-name"), "{}", kind.name());
        if kind != ReportKind::Csv {
            assert!(text.contains("answer-hidden"), "{}:\n{text}", kind.name());
        }
    }
}

#[tokio::test]
async fn counts_are_of_all_cases_for_everybody() {
    let run = judged().await;
    let read = |audience| Report::read(&run.report(ReportKind::Json, audience)).unwrap();
    let (staff, student) = (read(Audience::Staff), read(Audience::Student));
    assert_eq!((staff.cases.len(), student.cases.len()), (4, 3));
    assert_eq!(staff.head.score, student.head.score);
    assert_eq!(student.head.score.total, 4);
}

#[tokio::test]
async fn reports_are_read_leniently_and_other_versions_are_not() {
    let text = judged().await.report(ReportKind::Json, Audience::Staff);
    let mut value: serde_json::Value = serde_json::from_str(&text).unwrap();
    value["added_later"] = serde_json::json!({"x": 1});
    value["cases"][0]["added_later"] = true.into();
    assert_eq!(Report::read(&value.to_string()).unwrap(), Report::read(&text).unwrap());
    value["version"] = 9.into();
    assert!(Report::read(&value.to_string()).unwrap_err().to_string().contains("version 9"));
}

#[tokio::test]
async fn a_stream_is_kept_in_part_with_its_length_and_its_hash() {
    let place = Place::new(
        "cases: [{id: a}]",
        "i=0; while test $i -lt 3000; do echo 0123456789012345678901234567890123456789; i=$((i+1)); done",
    );
    let run = place.judge().await;
    let stream = run.record("a").steps[0].stdout.clone().unwrap();
    let whole = "0123456789012345678901234567890123456789\n".repeat(3000);
    assert_eq!((stream.bytes, stream.text.unwrap().len()), (123_000, 64 << 10));
    assert_eq!(stream.blake3.unwrap(), blake3::hash(whole.as_bytes()).to_hex().to_string());
}
