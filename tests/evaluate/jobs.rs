//! The report does not depend on the number of jobs, nor on whether the run was interrupted.

use std::sync::Arc;

use bailiwick::evaluate::{Journal, RunOptions, Verdict};

use crate::support::{After, Place, Run};

const CASES: &str = r#"
groups: {even: {weight: 2}}
cases:
  - id: echo
    matrix: {n: [1, 2, 3, 4, 5, 6, 7, 8]}
    args: ["${n}"]
    stdin: "${n}\n"
    expect: {stdout: "${n}\n"}
  - id: even
    group: even
    matrix: {n: [1, 2, 3, 4]}
    args: ["${n}"]
    expect: {stdout: "even\n"}
"#;

const SCRIPT: &str = "cat; test $(($1 % 2)) = 0 && test ! -t 0 && echo even >&2; exit 0";

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn the_report_is_the_same_for_any_number_of_jobs() {
    let place = Place::new(CASES, SCRIPT);
    let one = place.judge_with(RunOptions::jobs(1)).await;
    let eight = place.judge_with(RunOptions::jobs(8)).await;
    assert_eq!(one.results.score().count(Verdict::Ac), 8);
    assert_eq!(one.results.score().count(Verdict::Wa), 4);
    assert_eq!(one.timeless(), eight.timeless());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn an_interrupted_run_goes_on_where_it_stopped() {
    let place = Place::new(CASES, SCRIPT);
    let whole = place.judge().await;
    let registry = place.registry();
    let path = place.path("journal.jsonl");
    let open = || std::fs::File::options().read(true).write(true).create(true).truncate(false).open(&path).unwrap();

    let evaluation = place.prepare(&registry).await.unwrap();
    let journal = Journal::create(open(), &evaluation.journal_header()).unwrap();
    let after = Arc::new(After { cases: 5, reached: tokio::sync::Notify::new() });
    let progress = Arc::clone(&after);
    let interrupt = async move { after.reached.notified().await };
    let part = evaluation.run(RunOptions::jobs(2), journal, progress, interrupt).await.unwrap();
    assert!(part.was_interrupted());
    let skipped = part.score().count(Verdict::Sk);
    assert!((1..=7).contains(&skipped), "{:?}", part.score());
    assert_eq!((part.score().complete, part.score().score, part.score().passed), (false, None, false));
    let report = Run { results: part }.timeless();
    assert_eq!(report["cases"].as_array().unwrap().len(), 12, "a partial report has every case");

    let evaluation = place.prepare(&registry).await.unwrap();
    let journal = Journal::resume(open(), &evaluation.journal_header()).unwrap();
    let resumed = evaluation.run(RunOptions::jobs(2), journal, Arc::new(()), std::future::pending()).await.unwrap();
    assert_eq!(Run { results: resumed }.timeless(), whole.timeless());
    place.is_clean(&registry).await;
}

#[tokio::test]
async fn a_journal_of_other_cases_is_refused() {
    let place = Place::new(CASES, SCRIPT);
    let registry = place.registry();
    let evaluation = place.prepare(&registry).await.unwrap();
    let path = place.path("journal.jsonl");
    let open = || std::fs::File::options().read(true).write(true).create(true).truncate(false).open(&path).unwrap();
    drop(Journal::create(open(), &evaluation.journal_header()).unwrap());
    drop(evaluation);
    for change in ["cases", "submission"] {
        match change {
            "cases" => place.write("cases/cases.yaml", &format!("version: 1\n{}", CASES.replace("${n}\\n", "${n}"))),
            _ => {
                place.write("cases/cases.yaml", &format!("version: 1\n{CASES}"));
                place.write("submission/main.sh", "exit 0");
            }
        }
        let evaluation = place.prepare(&registry).await.unwrap();
        let error = Journal::resume(open(), &evaluation.journal_header()).unwrap_err();
        assert!(error.to_string().contains("other"), "{change}: {error}");
    }
}

#[tokio::test]
async fn what_a_case_reads_and_how_it_decides_makes_it_another() {
    const CASES: &str = "cases:
  - {id: a, stdin: {file: in.txt}, expect: {stdout: {text: '1.0', check: float, absolute: 0.1}}}
  - {id: b, expect: {stdout: {check: json_schema, schema: {type: object}}}}
  - {id: c, expect: {stdout: {check: regex, text: 'a+'}}}
";
    let place = Place::new(CASES, SCRIPT);
    place.write("cases/in.txt", "one");
    let registry = place.registry();
    let first = place.prepare(&registry).await.unwrap().journal_header();
    assert_eq!(place.prepare(&registry).await.unwrap().journal_header(), first);
    for (from, to) in [("absolute: 0.1", "absolute: 0.2"), ("type: object", "type: number"), ("a+", "b+")] {
        let changed = CASES.replace(from, to);
        place.write("cases/cases.yaml", &format!("version: 1\n{changed}"));
        assert_ne!(place.prepare(&registry).await.unwrap().journal_header(), first, "{to}");
    }
    place.write("cases/cases.yaml", &format!("version: 1\n{CASES}"));
    place.write("cases/in.txt", "two");
    assert_ne!(place.prepare(&registry).await.unwrap().journal_header(), first, "a file of the same size");
    place.write("cases/in.txt", "one");
    assert_eq!(place.prepare(&registry).await.unwrap().journal_header(), first);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn fail_fast_leaves_out_what_comes_behind_in_order() {
    let place = Place::new(
        "cases:\n  - {id: c, matrix: {n: [1, 2, 3, 4, 5, 6]}, args: ['${n}'], expect: {stdout: ok}}\n",
        "test $1 = 3 || echo ok",
    );
    for jobs in [1, 4] {
        let mut options = RunOptions::jobs(jobs);
        options.fail_fast = true;
        let run = place.judge_with(options).await;
        let verdicts: Vec<_> = run.records().iter().map(|record| record.verdict).collect();
        let (ac, sk) = (Verdict::Ac, Verdict::Sk);
        assert_eq!(verdicts, [ac, ac, Verdict::Wa, sk, sk, sk], "{jobs} jobs");
        assert_eq!(run.results.score().score, None);
    }
}
