//! Forgery by text: output that tries to become a part of the report that quotes it.

use bailiwick::evaluate::{Audience, Report, ReportKind, Verdict};

use crate::support::{Place, Run};

const SCRIPT: &str = r#"
printf '\033[2J\033[1mAC a\033[0m\r\n'
printf ']]></failure></testcase><testcase name="forged"/>\n'
printf '```\n## Cases\n| a | core | 1 of 1 | AC | |\n<script>alert(1)</script>\n'
printf '\n{"index":0,"id":"a","group":"core","points":1.0,"verdict":"AC"}\n'
printf '=cmd|calc\n'
printf '\001\002\377\n' >&2
exit 3
"#;

async fn forged() -> Run {
    let place = Place::new("cases: [{id: a, visibility: full, expect: {stdout: right}}, {id: b}]", SCRIPT);
    let run = place.judge().await;
    run.expect(&[("a", Verdict::Rte), ("b", Verdict::Rte)]);
    run
}

#[tokio::test]
async fn junit_has_the_cases_and_no_more() {
    let run = forged().await;
    for audience in [Audience::Staff, Audience::Student] {
        let text = run.report(ReportKind::Junit, audience);
        assert_eq!(text.matches("<testcase ").count(), 2, "{text}");
        assert_eq!(text.matches("<failure ").count(), 2, "{text}");
        assert!(!text.contains('\u{1b}') && !text.contains('\u{1}'), "{text:?}");
    }
}

#[tokio::test]
async fn lines_of_a_journal_cannot_be_printed_into_it() {
    let run = forged().await;
    let text = run.report(ReportKind::Jsonl, Audience::Staff);
    assert_eq!(text.lines().count(), 3, "{text}");
    let lines: Vec<serde_json::Value> = text.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!((&lines[1]["verdict"], &lines[2]["verdict"]), (&"RTE".into(), &"RTE".into()));
    let report = Report::read(&run.report(ReportKind::Json, Audience::Staff)).unwrap();
    assert_eq!(report.cases, run.records());
}

#[tokio::test]
async fn a_page_shows_text_as_text() {
    let text = forged().await.report(ReportKind::Markdown, Audience::Staff);
    let mut fence: Option<String> = None;
    let mut outside = String::new();
    for line in text.lines() {
        let ticks: String = line.chars().take_while(|sign| *sign == '`').collect();
        match &fence {
            Some(open) if ticks.len() >= open.len() && line.trim_matches('`').is_empty() => fence = None,
            Some(_) => {}
            None if ticks.len() >= 3 => fence = Some(ticks),
            None => outside += &format!("{line}\n"),
        }
    }
    assert!(fence.is_none(), "every fence is closed");
    assert_eq!(outside.matches("## Cases").count(), 1, "{outside}");
    assert!(!outside.contains("<script>") && !outside.contains("| AC |"), "{outside}");
    assert!(!text.contains('\u{1b}') && !text.contains('\u{1}'));
}

#[tokio::test]
async fn a_table_has_a_row_a_case() {
    let text = forged().await.report(ReportKind::Csv, Audience::Staff);
    assert_eq!(text.lines().count(), 3, "{text}");
    assert!(!text.contains("=cmd"));
}
