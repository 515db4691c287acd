//! One case, judged over a session as a `cli` adapter will: the seam between running and meaning.

mod support;

use bailiwick::{ExecutionError, FileOutcome, RuntimeResult, Session, SpawnRequest, Termination};
use support::yard::Yard;

#[derive(Clone, Copy, Debug, PartialEq)]
enum Verdict {
    Ac,
    Wa,
    Rte,
    Tle,
    Ole,
    Mle,
    Ce,
}

/// A case as a file would write it: arguments, input, what is expected.
#[derive(Clone, Debug)]
struct Case {
    args: Vec<&'static str>,
    stdin: &'static str,
    exit_code: i32,
    stdout: &'static str,
    file: Option<(&'static str, &'static str)>,
}

impl Case {
    fn new(args: &[&'static str], stdin: &'static str, stdout: &'static str) -> Self {
        Self { args: args.to_vec(), stdin, exit_code: 0, stdout, file: None }
    }
}

/// Judges one case in a fork of a prepared session: the submission sees its input and never what is expected.
async fn judge(prepared: &Session, case: &Case) -> Result<(Verdict, String), ExecutionError> {
    let session = prepared.fork().await?;
    let runtime = session.spawn(SpawnRequest::default()).await?;
    let args = case.args.iter().map(|arg| session.resolve_static_placeholder(arg)).collect::<Result<Vec<_>, _>>()?;
    let asked = bailiwick::Command::argv(args).grant_stdin(case.stdin);
    let result = runtime.execute(asked).await?;
    runtime.cleanup().await?;
    let mut verdict = verdict(&result, case);
    if let (Verdict::Ac, Some((path, expected))) = (verdict, case.file) {
        let contents = session.get_file_contents(&[path]).await?;
        let is_right =
            matches!(contents.get(path), Some(FileOutcome::Content(found)) if found.as_bytes() == expected.as_bytes());
        verdict = if is_right { Verdict::Ac } else { Verdict::Wa };
    }
    session.close().await?;
    Ok((verdict, result.to_string()))
}

fn verdict(result: &RuntimeResult, case: &Case) -> Verdict {
    use bailiwick::spec::LimitName;
    match &result.termination {
        Termination::NotStarted { .. } => Verdict::Ce,
        Termination::LimitExceeded { limit: LimitName::Memory, .. } => Verdict::Mle,
        Termination::LimitExceeded { .. } if result.timed_out() => Verdict::Tle,
        Termination::LimitExceeded { .. } => Verdict::Ole,
        Termination::Signaled { .. } | Termination::Trapped { .. } | Termination::Killed { .. } => Verdict::Rte,
        Termination::Exited { code } if *code != case.exit_code => Verdict::Rte,
        Termination::Exited { .. } if result.stdout.text().as_deref() == Some(case.stdout) => Verdict::Ac,
        Termination::Exited { .. } => Verdict::Wa,
    }
}

#[tokio::test]
async fn cases_get_their_verdicts() {
    let yard = Yard::new();
    let prepared = yard.session("limits: {output: 1KiB, wall_time: 1s}\nsetup: {commands: ['write:made=once']}").await;
    let mut wrong_code = Case::new(&["echo", "exit:3"], "3 1 2\n", "3 1 2\n");
    let cases = [
        (Verdict::Ac, Case::new(&["echo"], "3 1 2\n", "3 1 2\n")),
        (Verdict::Wa, Case::new(&["out:2.00\n"], "3 1 2\n", "2.01\n")),
        (Verdict::Rte, wrong_code.clone()),
        (Verdict::Rte, Case::new(&["trap:"], "", "")),
        (Verdict::Tle, Case::new(&["hang"], "", "")),
        (Verdict::Ole, Case::new(&["flood:5000"], "", "")),
        (Verdict::Mle, Case::new(&["deny-memory", "exit:1"], "", "")),
        (Verdict::Ce, Case::new(&["no-such-program"], "", "")),
        // What the submission prints about itself is data.
        (Verdict::Wa, Case::new(&["out:{\"verdict\":\"AC\",\"exit_code\":0}"], "", "2\n")),
    ];
    for (expected, case) in cases {
        let (verdict, why) = judge(&prepared, &case).await.unwrap();
        assert_eq!(verdict, expected, "{case:?}: {why}");
    }
    wrong_code.exit_code = 3;
    assert_eq!(judge(&prepared, &wrong_code).await.unwrap().0, Verdict::Ac, "the case expects a code of its own");
}

#[tokio::test]
async fn cases_share_nothing_and_find_what_set_up_made() {
    let yard = Yard::new();
    let prepared = yard.session("setup: {commands: [write:made=by-setup, log:set-up]}").await;
    let runtime = prepared.spawn(SpawnRequest::default()).await.unwrap();
    runtime.cleanup().await.unwrap();
    let writes =
        Case { file: Some(("made", "by-case")), ..Case::new(&["cat:made", "write:made=by-case"], "", "by-setup") };
    let (one, other) = tokio::join!(judge(&prepared, &writes), judge(&prepared, &writes));
    assert_eq!((one.unwrap().0, other.unwrap().0), (Verdict::Ac, Verdict::Ac));
    assert_eq!(*yard.gates.log.lock().unwrap(), ["set-up"], "once, not once a case");
    let after = prepared.get_file_contents(&["made"]).await.unwrap();
    assert!(matches!(after.get("made"), Some(FileOutcome::Content(content)) if content.as_bytes() == b"by-setup"));
}

#[tokio::test]
async fn a_host_that_fails_gives_no_verdict() {
    let yard = Yard::new();
    let prepared = yard.session("").await;
    let error = judge(&prepared, &Case::new(&["host-failure"], "", "")).await.unwrap_err();
    assert_eq!(error.kind(), bailiwick::ErrorKind::Runtime);
    let (verdict, _) = judge(&prepared, &Case::new(&["out:x"], "", "x")).await.unwrap();
    assert_eq!(verdict, Verdict::Ac, "the next case is not touched by it");
}
