//! Limits that the contract itself holds, with their evidence, and those that a command may tighten.

use std::time::Duration;

use bailiwick::spec::{LimitName, LimitValue, Provenance};
use bailiwick::{
    Command, ErrorKind, ExecutionError, Omitted, RuntimeEvent, RuntimeResult, SolutionRuntimeError, Termination,
};
use futures_util::StreamExt as _;

use crate::support::yard::{Yard, command, loud};

fn exceeded(result: &RuntimeResult) -> (LimitName, LimitValue, LimitValue) {
    let Termination::LimitExceeded { limit, value, allowed } = result.termination else { panic!("{result:?}") };
    (limit, value, allowed)
}

fn limited(words: &[&str], limit: LimitName, text: &str) -> Command {
    let mut asked = command(words);
    asked.limits.set_text(limit, text).unwrap();
    asked
}

#[tokio::test]
async fn wall_time_ends_the_sleeping_and_the_spinning() {
    let yard = Yard::new();
    for words in [&["hang"][..], &["spin"], &["out:x", "sleep:100000"]] {
        let result = loud("the limit", yard.run("limits: {wall_time: 100ms}", command(words))).await;
        let (limit, value, allowed) = exceeded(&result);
        assert_eq!((limit, allowed), (LimitName::WallTime, LimitValue::Time(Duration::from_millis(100))));
        let LimitValue::Time(value) = value else { panic!("{value:?}") };
        assert!(value >= Duration::from_millis(100) && value < Duration::from_secs(60), "{value:?}");
        assert_eq!((result.exit_code(), result.timed_out(), result.guest_code), (124, true, None));
        assert!(
            result.to_string().contains("wall_time limit ended the guest") && result.to_string().contains("0.100 s")
        );
    }
}

#[tokio::test]
async fn a_guest_that_ends_by_itself_once_stopped_keeps_its_code_beside_the_limit() {
    let yard = Yard::new();
    let result = yard.run("limits: {wall_time: 50ms}", command(&["hang"])).await;
    assert_eq!(result.guest_code, None);
    // It held out until the test lets it go, long after its time.
    let (_session, runtime) = yard.runtime("limits: {wall_time: 50ms}").await;
    let running = runtime.stream(command(&["reach:up", "stubborn:let-go", "out:unseen"])).await.unwrap();
    yard.gates.reached("up").await;
    tokio::time::sleep(Duration::from_millis(100)).await;
    assert_eq!(running.poll(), bailiwick::State::Running, "the contract waits until nothing is alive");
    yard.gates.open("let-go");
    let result = running.wait().await.unwrap();
    let (limit, value, _) = exceeded(&result);
    assert_eq!(limit, LimitName::WallTime);
    assert!(matches!(value, LimitValue::Time(lived) if lived >= Duration::from_millis(100)), "what it really took");
}

#[tokio::test]
async fn a_guest_that_overran_its_time_unseen_is_told_so_by_what_was_measured() {
    let yard = Yard::new();
    // It gives nobody the chance to look until it is over.
    let result = yard.run("limits: {wall_time: 50ms}", command(&["block:100", "exit:0"])).await;
    let (limit, value, _) = exceeded(&result);
    assert_eq!((limit, result.guest_code), (LimitName::WallTime, Some(0)));
    assert!(matches!(value, LimitValue::Time(lived) if lived >= Duration::from_millis(100)));
    // What a runtime does after the end of its guest is not the guest's time.
    let limits = "limits: {wall_time: 1s, idle_time: 1s}";
    let result = yard.run(limits, command(&["out:x", "end-then-sleep:1500"])).await;
    assert_eq!(result.termination, Termination::Exited { code: 0 });
    assert!(result.usage.wall_time.value().unwrap() < &Duration::from_secs(1));
}

#[tokio::test]
async fn idle_time_counts_from_the_last_byte() {
    let yard = Yard::new();
    let talks = ["sleep:60", "out:.", "sleep:60", "err:.", "sleep:60", "out:.", "sleep:60", "out:."];
    let more = "limits: {idle_time: 5s, wall_time: null}";
    assert_eq!(yard.run(more, command(&talks)).await.exit_code(), 0);
    let result =
        loud("the limit", yard.run("limits: {idle_time: 100ms, wall_time: null}", command(&["out:x", "hang"]))).await;
    let (limit, value, allowed) = exceeded(&result);
    assert_eq!((limit, allowed), (LimitName::IdleTime, LimitValue::Time(Duration::from_millis(100))));
    assert!(matches!(value, LimitValue::Time(silent) if silent >= Duration::from_millis(100)));
    assert_eq!((result.exit_code(), result.timed_out()), (124, true));
}

#[tokio::test]
async fn idle_time_stands_still_while_the_reader_is_slow() {
    let yard = Yard::new();
    let (_session, runtime) = yard.runtime("limits: {idle_time: 100ms, wall_time: null}").await;
    let mut running = runtime.stream(command(&["reach:up", "flood:1000000", "out:end"])).await.unwrap();
    yard.gates.reached("up").await;
    // Far longer than the limit, with the guest waiting for us all the while.
    tokio::time::sleep(Duration::from_millis(400)).await;
    let mut printed = 0;
    let result = loop {
        match loud("an event", running.next()).await.unwrap().unwrap() {
            RuntimeEvent::Stdout(bytes) => printed += bytes.len(),
            RuntimeEvent::Stderr(_) => {}
            RuntimeEvent::Finished(result) => break result,
        }
    };
    assert_eq!((result.exit_code(), printed), (0, 1_000_003));
}

#[tokio::test]
async fn output_is_bounded_on_each_stream_and_says_what_is_missing() {
    let yard = Yard::new();
    let stop = "limits: {output: 2500B}";
    for (word, is_stdout) in [("flood:1000000", true), ("flood-err:1000000", false)] {
        let result = yard.run(stop, command(&["out:a", "err:b", word])).await;
        let (limit, value, allowed) = exceeded(&result);
        let (full, other) = if is_stdout { (&result.stdout, &result.stderr) } else { (&result.stderr, &result.stdout) };
        assert_eq!((limit, allowed), (LimitName::Output, LimitValue::Bytes(2500)));
        assert_eq!(value, LimitValue::Bytes(full.bytes), "the evidence is what was printed");
        assert_eq!((result.exit_code(), full.kept.len(), other.kept.len()), (153, 2500, 1));
        assert_eq!(full.omitted, Some(Omitted { at: 2500, bytes: full.bytes - 2500 }));
        assert!(full.bytes < 10_000, "it was ended at once: {}", full.bytes);
    }
    let exact = yard.run(stop, command(&["flood:2500", "flood-err:2500"])).await;
    assert_eq!((exact.exit_code(), exact.stdout.is_truncated()), (0, false), "the limit itself is allowed");
    let cut =
        yard.run("limits: {output: 10B, output_overflow: truncate}", command(&["flood:1000000", "out:END"])).await;
    assert_eq!((cut.exit_code(), cut.stdout.bytes), (0, 1_000_003));
    assert_eq!(cut.stdout.omitted, Some(Omitted { at: 5, bytes: 999_993 }));
    assert_eq!(&cut.stdout.kept[..5], b"abcde");
    assert_eq!(&cut.stdout.kept[7..], b"END");
    let none = yard.run("limits: {output: null}", command(&["flood:100000"])).await;
    assert_eq!(none.stdout.kept.len(), 100_000);
}

#[tokio::test]
async fn a_refused_request_names_the_end_of_a_guest_that_fails_by_it() {
    let yard = Yard::new();
    let result = yard.run("limits: {memory: 1MiB}", command(&["deny-memory", "exit:1"])).await;
    let (limit, value, allowed) = exceeded(&result);
    assert_eq!((limit, value, allowed), (LimitName::Memory, LimitValue::Bytes(1 << 40), LimitValue::Bytes(1 << 20)));
    assert_eq!((result.exit_code(), result.guest_code, result.timed_out()), (137, Some(1), false));
    assert_eq!(
        result.to_string().split(", after").next(),
        Some("the memory limit ended the guest: 1TiB against 1MiB allowed (its own code was 1)")
    );
    let coped = yard.run("limits: {memory: 1MiB}", command(&["deny-memory", "out:ok"])).await;
    assert_eq!(coped.termination, Termination::Exited { code: 0 });
    assert_eq!(coped.notes, ["the memory limit refused 1TiB"]);
    let trapped = yard.run("", command(&["deny-memory", "trap:"])).await;
    assert_eq!(exceeded(&trapped).0, LimitName::Memory);
}

#[tokio::test]
async fn a_command_may_tighten_its_own_limits_and_no_others() {
    let yard = Yard::new();
    let (_session, runtime) = yard.runtime("limits: {wall_time: 60s, output: 1KiB}").await;
    let result = loud("the limit", runtime.execute(limited(&["hang"], LimitName::WallTime, "50ms"))).await.unwrap();
    assert_eq!(exceeded(&result).2, LimitValue::Time(Duration::from_millis(50)));
    assert_eq!(result.limits.get(LimitName::WallTime).from, Provenance::Command);
    assert_eq!(result.limits.get(LimitName::Output).from, Provenance::Spec);
    let next = runtime.execute(command(&["out:x"])).await.unwrap();
    assert_eq!(next.limits.time(LimitName::WallTime), Some(Duration::from_secs(60)), "the next has the spec's again");
    for (asked, path, told) in [
        (limited(&["out:x"], LimitName::WallTime, "61s"), "limits.wall_time", "above the 60.000 s of the spec"),
        (limited(&["out:x"], LimitName::WallTime, "null"), "limits.wall_time", "asks for no limit"),
        (limited(&["out:x"], LimitName::Output, "1MiB"), "limits.output", "above the 1KiB"),
        (limited(&["out:x"], LimitName::Memory, "1MiB"), "limits.memory", "fixed when a runtime is spawned"),
        (limited(&["out:x"], LimitName::Disk, "1B"), "limits.disk", "fixed when a runtime is spawned"),
    ] {
        let error = runtime.execute(asked).await.unwrap_err();
        let SolutionRuntimeError::Invalid { source } = &error else { panic!("{error:?}") };
        assert_eq!(source.problems()[0].path, path);
        assert!(source.problems()[0].message.contains(told), "{source}");
        let error = ExecutionError::from(error);
        assert_eq!((error.kind(), error.hint().is_some()), (ErrorKind::Spec, true));
    }
    // A default is no ceiling.
    let (_other, other) = yard.runtime("").await;
    let more = other.execute(limited(&["out:x"], LimitName::WallTime, "2h")).await.unwrap();
    assert_eq!(more.limits.time(LimitName::WallTime), Some(Duration::from_secs(7200)));
}

#[tokio::test]
async fn limits_beyond_every_clock_are_no_panic() {
    let yard = Yard::new();
    let forever = bailiwick::spec::Span(Duration::MAX);
    let mut spec = yard.spec("setup: {commands: ['out:x']}");
    spec.setup.wall_time = forever;
    spec.limits.wall_time = bailiwick::spec::Limit::Set(forever);
    spec.limits.idle_time = bailiwick::spec::Limit::Set(forever);
    let builder = bailiwick::Session::builder(&yard.registry, spec).queue_timeout(Duration::MAX);
    let session = builder.open().await.unwrap();
    let runtime = session.spawn(bailiwick::SpawnRequest::default()).await.unwrap();
    assert_eq!(runtime.execute(command(&["sleep:1"])).await.unwrap().exit_code(), 0);
}
