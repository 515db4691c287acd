//! Commands: streams, ends, and what lives on.

use std::sync::Arc;
use std::time::{Duration, Instant};

use bailiwick::spec::{Limit, LimitName, LimitsConfig, Span};
use bailiwick::{Command, Killer, RuntimeEvent, Stdin, Termination};
use futures_util::StreamExt as _;
use serde_json::json;

use crate::engine::is_there;
use crate::engine::place::{Wish, show};

#[tokio::test(flavor = "multi_thread")]
async fn the_container_is_made_at_the_first_command_and_removed_at_the_end() {
    if !is_there() {
        return;
    }
    let place = Wish::new(json!({})).open().await;
    assert!(place.containers().is_empty());
    assert_eq!(place.text("echo one >a && cat a").await, "one\n");
    assert_eq!(place.containers().len(), 1);
    assert_eq!(place.text("cat a; id -u; id -g").await, "one\n1000\n1000\n");
    place.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_hundred_megabytes_go_through_cat() {
    if !is_there() {
        return;
    }
    const LENGTH: usize = 100 << 20;
    let place = Wish::new(json!({})).with("limits", json!({"output": "128MiB"})).open().await;
    let bytes: Vec<u8> = (0..LENGTH / 8).flat_map(|n| (n as u64).to_be_bytes()).collect();
    let result = place.run(Command::argv(["cat"]).grant_stdin(bytes.clone())).await;
    assert!(result.termination.is_success(), "{result}");
    assert!(result.stdout.kept == bytes, "{} of {LENGTH} bytes", result.stdout.bytes);
    let unread = place.run(Command::argv(["true"]).grant_stdin(bytes)).await;
    assert!(unread.termination.is_success(), "{unread}");
    place.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stream_is_live_and_takes_input_while_it_runs() {
    if !is_there() {
        return;
    }
    let place = Wish::new(json!({})).open().await;
    let (writer, stdin) = Stdin::live();
    let mut command = Command::line("while read -r line; do echo \"got $line\"; done; echo end >&2");
    command.stdin = stdin;
    let mut running = place.runtime.stream(command).await.unwrap();
    for word in ["one", "two"] {
        assert!(writer.write(format!("{word}\n")).await);
        let mut seen = Vec::new();
        while !seen.ends_with(b"\n") {
            match running.next().await.unwrap().unwrap() {
                RuntimeEvent::Stdout(bytes) => seen.extend_from_slice(&bytes),
                other @ (RuntimeEvent::Stderr(_) | RuntimeEvent::Finished(_)) => panic!("{other:?}"),
            }
        }
        assert_eq!(String::from_utf8(seen).unwrap(), format!("got {word}\n"));
    }
    drop(writer);
    let result = running.wait().await.unwrap();
    assert_eq!(result.stderr.text().as_deref(), Some("end\n"));
    place.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn characters_split_over_frames_stay_whole() {
    if !is_there() {
        return;
    }
    let place = Wish::new(json!({})).open().await;
    let line = "for i in 1 2 3; do printf '\\342\\230'; sleep 0.05; printf '\\203'; printf '\\360\\237'; printf '\\246\\212'; done";
    assert_eq!(place.text(line).await, "☃🦊☃🦊☃🦊");
    let whole = "☃🦊é".repeat(100_000);
    let result = place.run(Command::argv(["cat"]).grant_stdin(whole.clone())).await;
    assert_eq!(result.stdout.text().as_deref(), Some(whole.as_str()));
    place.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_thousand_short_commands_lose_nothing() {
    if !is_there() {
        return;
    }
    let place = Wish::new(json!({})).open().await;
    place.text("true").await;
    let descriptors = || std::fs::read_dir("/proc/self/fd").unwrap().count();
    let before = descriptors();
    for n in 0..1000_i32 {
        let code = n % 120;
        let result = place.run(Command::argv(["sh", "-c", &format!("echo {n}; exit {code}")])).await;
        assert_eq!(result.termination, Termination::Exited { code }, "{n}");
        assert_eq!(result.stdout.text(), Some(format!("{n}\n")), "{n}: {}", show(&result));
    }
    assert_eq!(place.containers().len(), 1);
    let began = Instant::now();
    while descriptors() > before {
        assert!(began.elapsed() < Duration::from_secs(30), "{} descriptors, {before} before", descriptors());
        tokio::task::yield_now().await;
    }
    place.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_kill_ends_everything_and_the_next_command_finds_its_files() {
    if !is_there() {
        return;
    }
    let place = Wish::new(json!({"user": "0:0"})).open().await;
    place.text("echo kept >/kept; echo kept >file").await;
    let mut running =
        place.runtime.stream(Command::line("setsid sh -c 'sleep 1000 & wait' & echo up; sleep 1000")).await.unwrap();
    assert!(matches!(running.next().await, Some(Ok(RuntimeEvent::Stdout(_)))));
    place.runtime.kill().await.unwrap();
    assert_eq!(place.inspect()["State"]["Running"], json!(false));
    let result = running.wait().await.unwrap();
    assert_eq!(result.termination, Termination::Killed { by: Killer::Caller });
    assert_eq!(place.text("cat /kept file").await, "kept\nkept\n");
    place.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_dropped_stream_and_a_cancelled_future_leave_nothing_alive() {
    if !is_there() {
        return;
    }
    let place = Wish::new(json!({})).open().await;
    let mut running = place.runtime.stream(Command::line("echo up; sleep 1000")).await.unwrap();
    assert!(running.next().await.is_some());
    drop(running);
    // The next command waits until everything of the last one is dead.
    place.text("true").await;
    assert_eq!(place.guests(), Vec::<String>::new());
    {
        let execute = place.runtime.execute(Command::line("touch begun; sleep 1000"));
        let begun = async {
            while !place.has("begun") {
                tokio::time::sleep(Duration::from_millis(5)).await;
            }
        };
        tokio::select! {
            _ = execute => panic!("it ended"),
            () = begun => {}
        }
    }
    place.text("true").await;
    assert_eq!(place.guests(), Vec::<String>::new());
    place.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn limits_of_a_command_end_it_alone() {
    if !is_there() {
        return;
    }
    let place = Wish::new(json!({})).open().await;
    let mut limits = LimitsConfig::default();
    limits.wall_time = Limit::Set(Span(Duration::from_millis(300)));
    let result = place.run(Command::line("sleep 1000").limited_by(limits)).await;
    assert!(matches!(result.termination, Termination::LimitExceeded { limit: LimitName::WallTime, .. }), "{result}");
    assert!(result.timed_out());
    assert_eq!(place.text("echo on").await, "on\n");
    let mut idle = LimitsConfig::default();
    idle.idle_time = Limit::Set(Span(Duration::from_millis(300)));
    let result = place.run(Command::line("echo x; sleep 1000").limited_by(idle)).await;
    assert!(matches!(result.termination, Termination::LimitExceeded { limit: LimitName::IdleTime, .. }), "{result}");
    assert_eq!(result.stdout.text().as_deref(), Some("x\n"));
    place.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_command_used_is_told_with_its_evidence() {
    if !is_there() {
        return;
    }
    let place = Wish::new(json!({})).open().await;
    let busy = place.sh("i=0; while [ $i -lt 300000 ]; do i=$((i+1)); done; head -c 100000 /dev/zero >out").await;
    let cpu = *busy.usage.cpu_time.value().unwrap();
    assert!(cpu > Duration::from_millis(50), "{cpu:?}");
    assert!(*busy.usage.disk_written.value().unwrap() >= 100_000, "{:?}", busy.usage.disk_written);
    assert!(busy.usage.wall_time.value().is_some());
    let calm = place.sh("true").await;
    assert!(*calm.usage.cpu_time.value().unwrap() < cpu, "{:?}", calm.usage.cpu_time);
    assert_eq!(calm.usage.disk_written.value(), Some(&0));
    place.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_left_behind_ends_when_evaluating_and_lives_for_an_agent() {
    if !is_there() {
        return;
    }
    const LEAVE: &str = "setsid sleep 1000 >/dev/null 2>&1 & echo left";
    let place = Wish::new(json!({})).open().await;
    assert_eq!(place.text(LEAVE).await, "left\n");
    assert_eq!(place.guests(), Vec::<String>::new());
    place.close().await;
    let place = Wish::new(json!({"user": "1000:1000"})).agent().open().await;
    let left = place.sh(LEAVE).await;
    assert!(left.notes.iter().any(|note| note.contains("outlived")), "{:?}", left.notes);
    assert_eq!(place.guests(), ["sleep 1000"]);
    place.text("echo beside").await;
    assert_eq!(place.guests(), ["sleep 1000"]);
    place.runtime.kill().await.unwrap();
    place.text("true").await;
    assert_eq!(place.guests(), Vec::<String>::new());
    place.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn one_command_runs_at_a_time() {
    if !is_there() {
        return;
    }
    let place = Arc::new(Wish::new(json!({})).open().await);
    let one = |place: Arc<crate::engine::place::Place>| async move {
        place.text("mkdir lock && sleep 0.2 && rmdir lock && echo alone").await
    };
    let (first, second) = tokio::join!(one(Arc::clone(&place)), one(Arc::clone(&place)));
    assert_eq!((first.as_str(), second.as_str()), ("alone\n", "alone\n"));
    Arc::into_inner(place).unwrap().close().await;
}
