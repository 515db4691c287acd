//! Terminations: their exit codes, their sentences, and what stands beside them.

use std::time::Duration;

use bailiwick::spec::{LimitName, LimitValue};
use bailiwick::{Killer, Machine, Measured, NotStarted, Termination};

use crate::support::yard::{Yard, command};

fn exceeded(limit: LimitName) -> Termination {
    Termination::LimitExceeded { limit, value: LimitValue::Count(2), allowed: LimitValue::Count(1) }
}

fn not_started(reason: NotStarted) -> Termination {
    Termination::NotStarted { reason, message: "why".to_owned(), known: Vec::new() }
}

#[test]
fn every_end_has_its_exit_code() {
    let trapped = || Termination::Trapped { trap: "unreachable", message: String::new(), backtrace: Vec::new() };
    for (termination, code, timed_out) in [
        (Termination::Exited { code: 0 }, 0, false),
        (Termination::Exited { code: 124 }, 124, false),
        (Termination::Exited { code: 255 }, 255, false),
        (Termination::Signaled { signal: 9, by: None }, 137, false),
        (Termination::Signaled { signal: 11, by: None }, 139, false),
        (trapped(), 134, false),
        (exceeded(LimitName::WallTime), 124, true),
        (exceeded(LimitName::CpuTime), 124, true),
        (exceeded(LimitName::IdleTime), 124, true),
        (exceeded(LimitName::Fuel), 124, true),
        (exceeded(LimitName::Memory), 137, false),
        (exceeded(LimitName::Output), 153, false),
        (exceeded(LimitName::Disk), 153, false),
        (exceeded(LimitName::Entries), 153, false),
        (exceeded(LimitName::FileSize), 153, false),
        (exceeded(LimitName::OpenFiles), 153, false),
        (exceeded(LimitName::Processes), 153, false),
        (exceeded(LimitName::Cpus), 153, false),
        (exceeded(LimitName::Stack), 153, false),
        (Termination::Killed { by: Killer::Caller }, 143, false),
        (Termination::Killed { by: Killer::Interrupt }, 143, false),
        (Termination::Killed { by: Killer::Dropped }, 143, false),
        (not_started(NotStarted::Missing), 127, false),
        (not_started(NotStarted::NotExecutable), 126, false),
        (not_started(NotStarted::BadModule), 126, false),
        (not_started(NotStarted::UnknownImport), 126, false),
        (not_started(NotStarted::CompileLimit), 126, false),
        (not_started(NotStarted::SetupFailed), 126, false),
    ] {
        assert_eq!((termination.exit_code(), termination.timed_out()), (code, timed_out), "{termination:?}");
        assert_eq!(termination.is_success(), termination == Termination::Exited { code: 0 });
    }
}

#[tokio::test]
async fn a_result_says_in_a_sentence_what_ended_it() {
    let yard = Yard::new();
    let (_session, runtime) = yard.runtime("limits: {fuel: 5}").await;
    for (words, sentence, code) in [
        (&["out:x"][..], "the guest exited with code 0", 0),
        (&["exit:137"], "the guest exited with code 137", 137),
        (&["die:9"], "signal 9 ended the guest (by the script)", 137),
        (&["trap:x"], "the guest trapped: a trap was set", 134),
        (&["limit:fuel"], "the fuel limit ended the guest: 7 against 5 allowed", 124),
        (&["no-such"], "the guest was not started: no word `no-such`", 127),
        (&["bad-module"], "the guest was not started: no word `bad-module`", 126),
    ] {
        let result = runtime.execute(command(words)).await.unwrap();
        let text = result.to_string();
        assert_eq!(text.rsplit_once(", after ").unwrap().0, sentence);
        assert_eq!(result.exit_code(), code);
    }
    let missing = runtime.execute(command(&["no-such"])).await.unwrap();
    let Termination::NotStarted { known, .. } = &missing.termination else { panic!("{missing:?}") };
    assert_eq!(*known, ["out", "err"]);
}

#[tokio::test]
async fn beside_the_end_stands_how_each_figure_is_known() {
    let yard = Yard::new();
    let result = yard.run("", command(&["sleep:20", "out:x"])).await;
    let Measured::Known { value, by } = &result.usage.wall_time else { panic!("{:?}", result.usage) };
    assert!(*value >= Duration::from_millis(20) && *by == "monotonic clock");
    assert_eq!(result.usage.fuel, Measured::known(2, "words"));
    assert_eq!(result.usage.cpu_time, Measured::not_measured("not supported by this runtime"));
    assert_eq!(result.usage.peak_memory.value(), None);
    assert_eq!((result.isolation, result.machine), ("script", Machine { arch: "words", pointer_bits: 8 }));
    assert!(result.notes.is_empty() && result.program.is_none() && result.setup.is_empty());
}

#[tokio::test]
async fn output_that_is_no_text_is_given_as_bytes() {
    let yard = Yard::new();
    let result = yard.run("", command(&["out:a", "hex:ff", "hex:00"])).await;
    assert_eq!((&result.stdout.kept[..], result.stdout.text()), (&b"a\xff\0"[..], None));
}
