//! Checkers that are programs: in a session of their own, with two ways of answering.

use bailiwick::evaluate::Verdict;

use crate::support::Place;

const EXIT: &str = r#"
cases:
  - {id: a, args: ["5"], stdin: "2 3", expect: {stdout: {check: program, text: "5", command: "sh check.sh", files: [check.sh]}}}
"#;

#[tokio::test]
async fn a_program_accepts_and_rejects() {
    let place = Place::new(EXIT, "echo $1");
    // Called with three files; the output stands on standard input too.
    place.write(
        "cases/check.sh",
        "test \"$(cat)\" = \"$(cat \"$3\")\" && test \"$(cat \"$1\")\" = '2 3' && test \"$(cat \"$2\")\" = 5\n",
    );
    place.judge().await.expect(&[("a", Verdict::Ac)]);
    place.write("cases/check.sh", "echo no; exit 1\n");
    place.judge().await.expect(&[("a", Verdict::Wa)]);
}

#[tokio::test]
async fn a_program_that_gives_no_answer_is_the_hosts_affair() {
    let place = Place::new(EXIT, "echo $1");
    for broken in ["exit 7\n", "kill -9 $$\n"] {
        place.write("cases/check.sh", broken);
        let run = place.judge().await;
        run.expect(&[("a", Verdict::Ie)]);
        assert_eq!((run.results.score().complete, run.results.score().passed), (false, false));
        assert_eq!(run.results.score().score, None);
    }
}

#[tokio::test]
async fn trouble_in_one_case_does_not_stop_the_others() {
    let place = Place::new(&format!("{EXIT}  - {{id: b, args: [x], expect: {{stdout: x}}}}\n"), "echo $1");
    place.write("cases/check.sh", "exit 9\n");
    place.judge().await.expect(&[("a", Verdict::Ie), ("b", Verdict::Ac)]);
}

#[tokio::test]
async fn a_program_is_not_asked_about_a_submission_that_failed() {
    let place = Place::new(EXIT, "echo $1; exit 2");
    place.write("cases/check.sh", "exit 9\n");
    place.judge().await.expect(&[("a", Verdict::Rte)]);
}

#[tokio::test]
async fn validators_of_packages_say_why_in_their_feedback() {
    let cases = EXIT.replace("files: [check.sh]", "files: [check.sh], protocol: icpc");
    let place = Place::new(&cases, "echo $1");
    place.write(
        "cases/check.sh",
        "test \"$(cat)\" = \"$(cat \"$2\")\" && exit 42; echo 'wrong sum' > \"$3/judgemessage.txt\"; exit 43\n",
    );
    place.judge().await.expect(&[("a", Verdict::Ac)]);
    place.write("submission/main.sh", "echo 6");
    let run = place.judge().await;
    run.expect(&[("a", Verdict::Wa)]);
    assert!(serde_json::to_string(&run.record("a")).unwrap().contains("wrong sum"));
}

#[tokio::test]
async fn a_program_that_is_not_there_is_told_before_the_first_case() {
    let place = Place::new(&EXIT.replace("sh check.sh", "no-such-checker x"), "echo $1");
    place.write("cases/check.sh", "");
    let registry = place.registry();
    let error = place.prepare(&registry).await.unwrap_err();
    assert!(error.to_string().contains("`no-such-checker`"), "{error}");
    place.is_clean(&registry).await;
}
