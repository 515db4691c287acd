//! Set-up: a result and never an error, in order, within its own bounds.

use std::time::Duration;

use bailiwick::spec::{LimitName, Span};
use bailiwick::{ErrorKind, NotStarted, Session, SpawnRequest, Termination};

use crate::support::yard::{Yard, command, loud};

fn log(yard: &Yard) -> Vec<String> {
    std::mem::take(&mut *yard.gates.log.lock().unwrap())
}

#[tokio::test]
async fn lines_run_in_order_and_stand_in_every_result() {
    let yard = Yard::new();
    let more =
        "setup: {commands: ['log:1 out:one err:two', 'log:2'], eval_commands: ['log:3'], resume_commands: ['log:no']}";
    let session = yard.session(more).await;
    let mut request = SpawnRequest::default();
    request.setup_command = Some("log:4".to_owned());
    let runtime = session.spawn(request).await.unwrap();
    assert_eq!(log(&yard), ["1", "2", "3", "4"]);
    for _ in 0..2 {
        let result = runtime.execute(command(&["out:x"])).await.unwrap();
        assert_eq!((result.setup.len(), result.setup[3].command.as_str()), (4, "log:4"));
        let first = &result.setup[0];
        assert_eq!((first.stdout.text().as_deref(), first.stderr.text().as_deref()), (Some("one"), Some("two")));
        assert_eq!(result.stdout.text().as_deref(), Some("x"), "nothing in band");
    }
    // Once a spawn, and not at all where it is disabled.
    let mut request = SpawnRequest::default();
    request.disable_setup = true;
    let bare = session.spawn(request).await.unwrap();
    assert!(bare.execute(command(&["out:x"])).await.unwrap().setup.is_empty());
    assert!(log(&yard).is_empty());
}

#[tokio::test]
async fn a_failed_line_is_noted_or_keeps_commands_from_starting() {
    let yard = Yard::new();
    let lines = "commands: ['out:before exit:3', 'log:after']";
    let goes_on = yard.run(&format!("setup: {{{lines}}}"), command(&["out:x"])).await;
    assert_eq!((goes_on.exit_code(), log(&yard).len()), (0, 1));
    let note = "the set-up command `out:before exit:3` failed: the guest exited with code 3";
    assert_eq!(goes_on.notes, [note]);

    let (_session, runtime) = yard.runtime(&format!("setup: {{{lines}, on_failure: fail}}")).await;
    assert!(log(&yard).is_empty(), "nothing after the failed one");
    let runs = yard.gates.runs();
    for _ in 0..2 {
        let result = runtime.execute(command(&["log:never"])).await.unwrap();
        let Termination::NotStarted { reason, message, .. } = &result.termination else { panic!("{result:?}") };
        assert_eq!((*reason, message.as_str()), (NotStarted::SetupFailed, note));
        assert_eq!((result.exit_code(), result.setup.len()), (126, 1));
        assert_eq!(result.setup[0].stdout.text().as_deref(), Some("before"));
        assert!(result.usage.wall_time.value().is_none());
    }
    assert_eq!(yard.gates.runs(), runs, "no guest ran");
}

#[tokio::test]
async fn all_lines_share_one_bound_of_time_which_is_not_the_commands() {
    let yard = Yard::new();
    let mut spec =
        yard.spec("setup: {commands: ['out:a sleep:60', 'hang', 'hang', 'hang']}\nlimits: {wall_time: 20ms}");
    spec.setup.wall_time = Span(Duration::from_secs(1));
    let session = Session::builder(&yard.registry, spec).open().await.unwrap();
    let runtime = loud("the set-up", session.spawn(SpawnRequest::default())).await.unwrap();
    let setup = runtime.setup();
    assert!(setup[0].termination.is_success(), "longer than a command may take: {}", setup[0].termination);
    for outcome in &setup[1..] {
        let Termination::LimitExceeded { limit, .. } = outcome.termination else { panic!("{outcome:?}") };
        assert_eq!(limit, LimitName::WallTime);
    }
    let rest: Duration = setup[2..].iter().map(|outcome| outcome.elapsed).sum();
    assert!(rest < Duration::from_secs(60), "what was used up is gone: {rest:?}");
}

#[tokio::test]
async fn a_line_that_the_runtime_cannot_read_is_the_specs_fault() {
    let yard = Yard::new();
    let session = yard.session("setup: {commands: ['log:1', 'a | b']}").await;
    let error = session.spawn(SpawnRequest::default()).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Spec);
    assert!(error.hint().is_some());
    let session = yard.session("setup: {commands: [host-failure]}").await;
    assert_eq!(session.spawn(SpawnRequest::default()).await.unwrap_err().kind(), ErrorKind::Runtime);
    let session = yard.session("setup: {commands: [panic]}").await;
    assert_eq!(session.spawn(SpawnRequest::default()).await.unwrap_err().kind(), ErrorKind::Bug);
}

#[tokio::test]
async fn agents_do_not_see_the_lines_of_evaluation() {
    let yard = Yard::new();
    let builder = yard.builder("setup: {commands: ['log:all'], eval_commands: ['log:eval']}");
    let session = builder.mode(bailiwick::spec::Mode::Agent).open().await.unwrap();
    let runtime = session.spawn(SpawnRequest::default()).await.unwrap();
    assert_eq!((log(&yard), runtime.setup().len()), (vec!["all".to_owned()], 1));
}
