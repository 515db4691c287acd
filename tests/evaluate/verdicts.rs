//! Every verdict, from what a submission did.

use bailiwick::ErrorKind;
use bailiwick::evaluate::{Evidence, RunOptions, Verdict};

use crate::support::{Place, only};

const SCRIPT: &str = r#"
case "$1" in
  say) printf '%s\n' "$2" ;;
  exit) exit "$2" ;;
  signal) kill -SEGV $$ ;;
  sleep) sleep 60 ;;
  flood) while :; do echo aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa; done ;;
  add) echo "$2" >> items ;;
  list) cat items ;;
  cat) cat ;;
  file) cat "$2" > out.txt ;;
  env) printf '%s\n' "$GREETING" ;;
esac
"#;

#[tokio::test]
async fn what_a_submission_does_becomes_its_verdict() {
    let place = Place::new(
        r#"
defaults: {limits: {wall_time: 500ms, output: 64KiB}}
cases:
  - {id: right, args: [say, hello], expect: {stdout: "hello\n"}}
  - {id: wrong, args: [say, hello], expect: {stdout: "goodbye\n"}}
  - {id: fails, args: [exit, "3"]}
  - {id: fails-as-asked, args: [exit, "3"], expect: {exit_code: 3}}
  - {id: fails-otherwise, args: [exit, "4"], expect: {exit_code: [3, 5]}}
  - {id: any-code, args: [exit, "77"], expect: {exit_code: any}}
  - {id: signal, args: [signal]}
  - {id: sleeps, args: [sleep]}
  - {id: floods, args: [flood]}
  - {id: reads, args: [cat], stdin: "given", expect: {stdout: given}}
  - {id: variables, args: [env], env: {GREETING: hi}, expect: {stdout: hi}}
  - {id: files, args: [file, in.txt], files: {in.txt: {text: "x\n"}}, expect: {files: {out.txt: "x"}}}
  - {id: no-file, args: [say, x], expect: {files: {out.txt: "x"}}}
"#,
        SCRIPT,
    );
    let run = place.judge().await;
    run.expect(&[
        ("right", Verdict::Ac),
        ("wrong", Verdict::Wa),
        ("fails", Verdict::Rte),
        ("fails-as-asked", Verdict::Ac),
        ("fails-otherwise", Verdict::Wa),
        ("any-code", Verdict::Ac),
        ("signal", Verdict::Rte),
        ("sleeps", Verdict::Tle),
        ("floods", Verdict::Ole),
        ("reads", Verdict::Ac),
        ("variables", Verdict::Ac),
        ("files", Verdict::Ac),
        ("no-file", Verdict::Wa),
    ]);
    let score = run.results.score();
    assert_eq!((score.score, score.possible, score.passed, score.complete), (Some(6.0), 13.0, false, true));
    assert!(matches!(&run.record("sleeps").facts[0].evidence, Evidence::Limit { limit, .. } if limit == "wall_time"));
    assert!(matches!(&run.record("signal").facts[0].evidence, Evidence::Signal { signal: 11 }));
}

#[tokio::test]
async fn steps_share_a_workspace_and_cases_share_nothing() {
    let place = Place::new(
        r#"
cases:
  - id: remembers
    steps:
      - {args: [add, milk]}
      - {args: [add, eggs]}
      - {args: [list], expect: {stdout: "milk\neggs\n"}}
  - {id: forgets, args: [list], expect: {exit_code: any, stdout: ""}}
  - id: ends-early
    steps:
      - {args: [exit, "1"]}
      - {args: [say, never]}
"#,
        SCRIPT,
    );
    let run = place.judge_with(RunOptions::jobs(1)).await;
    run.expect(&[("remembers", Verdict::Ac), ("forgets", Verdict::Ac), ("ends-early", Verdict::Rte)]);
    let early = run.record("ends-early");
    assert_eq!((early.steps.len(), early.facts[0].step), (1, Some(1)));
}

#[tokio::test]
async fn a_submission_that_does_not_compile_is_judged_so_in_every_case() {
    let cases = "cases: [{id: a}, {id: b, expect: {stdout: made}}]";
    let broken = Place::new(cases, "").with_spec("compile: {command: 'sh build.sh', outputs: [main.sh]}\n");
    broken.write("submission/build.sh", "echo 'line 3: no such type' >&2; exit 1\n");
    let run = broken.judge().await;
    run.expect(&[("a", Verdict::Ce), ("b", Verdict::Ce)]);
    let compile = run.results.facts().compile.clone().unwrap();
    assert_eq!((compile.exit_code, compile.stderr.shown()), (1, "line 3: no such type\n".to_owned()));

    let sound = Place::new(cases, "").with_spec("compile: {command: 'sh build.sh', outputs: [main.sh]}\n");
    sound.write("submission/build.sh", "echo 'echo made' > main.sh\n");
    let run = sound.judge().await;
    run.expect(&[("a", Verdict::Ac), ("b", Verdict::Ac)]);
    assert!(run.results.facts().compile.is_some());
    let again = sound.judge().await;
    assert!(again.results.facts().compile.is_none(), "it is kept by content");
    again.expect(&[("a", Verdict::Ac), ("b", Verdict::Ac)]);
}

#[tokio::test]
async fn a_set_up_runs_once_and_its_failure_is_the_submissions() {
    let cases = "cases: [{id: a, args: [cat], expect: {stdout: any}}, {id: b}]";
    let place = Place::new(cases, "test -f made").with_spec("setup: {commands: ['sh prepare.sh'], on_failure: fail}\n");
    place.write("submission/prepare.sh", "test ! -f made && touch made\n");
    place.judge().await.expect(&[("a", Verdict::Ac), ("b", Verdict::Ac)]);
    place.write("submission/prepare.sh", "exit 5\n");
    place.judge().await.expect(&[("a", Verdict::Ce), ("b", Verdict::Ce)]);
}

#[tokio::test]
async fn an_entry_that_is_not_there_is_the_submissions_fault_and_names_what_is() {
    let place = Place::new("cases: [{id: a}]", "");
    std::fs::rename(place.path("submission/main.sh"), place.path("submission/prog.txt")).unwrap();
    let run = place.judge().await;
    run.expect(&[("a", Verdict::Ce)]);
    let evidence = &run.record("a").facts[0].evidence;
    assert!(matches!(evidence, Evidence::NotStarted { known, .. } if known == &["prog.txt"]), "{evidence:?}");
}

#[tokio::test]
async fn what_the_host_lacks_is_no_verdict() {
    let place = Place::new("cases: [{id: a}]", "");
    for spec in [
        "type: local\nname: x\ncommands: {entry_file: '{entry_file}.sh', command: no-such-shell}\n",
        "type: local\nname: x\ncommands: {entry_file: '{entry_file}.sh', command: sh}\nsetup: {commands: [no-such-tool]}\n",
        "type: local\nname: x\ncommands: {entry_file: '{entry_file}.sh', command: sh}\ncompile: {command: no-such-cc}\n",
    ] {
        let place = Place { spec: spec.to_owned(), home: tempfile::tempdir().unwrap() };
        for dir in ["base", "temp"] {
            std::fs::create_dir(place.path(dir)).unwrap();
        }
        place.write("cases/cases.yaml", "version: 1\ncases: [{id: a}]\n");
        place.write("submission/main.sh", "exit 0\n");
        let registry = place.registry();
        let error = place.prepare(&registry).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Spec, "{error}");
        assert!(error.to_string().contains("`no-such-") && error.hint().is_some(), "{error}: {:?}", error.hint());
        place.is_clean(&registry).await;
    }
    drop(place);
}

#[tokio::test]
async fn only_what_is_asked_for_is_judged() {
    let place = Place::new("cases:\n  - {id: 'big', matrix: {n: [1, 10]}, group: other}\n  - {id: small}\n", "exit 0");
    let registry = place.registry();
    let suite = std::sync::Arc::new(place.suite().unwrap());
    for (asked, count) in [(&["big*"][..], 2), (&["big[n=10]"], 1), (&["small", "big[n=1]"], 2)] {
        let builder = bailiwick::evaluate::Evaluation::builder(&registry, place.environment(&registry), suite.clone());
        let evaluation = builder.submission(place.path("submission")).select(only(asked)).prepare().await.unwrap();
        assert_eq!(evaluation.len(), count, "{asked:?}");
    }
    let builder = bailiwick::evaluate::Evaluation::builder(&registry, place.environment(&registry), suite);
    let error = builder.select(only(&["none"])).prepare().await.unwrap_err();
    assert!(error.hint().unwrap().contains("big[n=1]"), "{error}");
}

#[tokio::test]
async fn a_set_up_that_makes_too_much_is_the_submissions_fault() {
    // A hole takes no room, and counts all the same.
    let place = Place::new("cases: [{id: a}]", "").with_spec("setup: {commands: ['truncate -s 70G hole']}\n");
    let run = place.judge().await;
    run.expect(&[("a", Verdict::Ce)]);
    let evidence = &run.record("a").facts[0].evidence;
    assert!(matches!(evidence, Evidence::NotStarted { reason, .. } if reason == "too_large"), "{evidence:?}");
}
