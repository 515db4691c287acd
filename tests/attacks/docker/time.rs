//! Ends that must be certain, and in time.

use std::time::Duration;

use bailiwick::spec::LimitName;
use bailiwick::{Killer, Termination};
use serde_json::json;

use crate::engine::place::{Place, Wish, show};
use crate::engine::proxy::{Do, Proxy};
use crate::engine::{Raw, is_there};

/// What tries to outlive its command.
const SURVIVORS: [(&str, &str); 7] = [
    ("grandchildren", "for i in 1 2 3; do (sleep 1000 & sleep 1000) & done; wait"),
    ("setsid", "setsid sleep 1000 & setsid sh -c 'setsid sleep 1000 & wait' & wait"),
    ("nohup", "(trap '' HUP; exec sleep 1000 </dev/null >/dev/null 2>&1) & wait"),
    ("trap", "trap '' TERM INT HUP; while :; do sleep 1; done"),
    ("stopped", "sleep 1000 & kill -STOP $!; kill -STOP $$"),
    ("zombies", "i=0; while [ $i -lt 20 ]; do (exit 0) & i=$((i+1)); done; exec sleep 1000"),
    ("double fork", "( ( sleep 1000 & ) & ); sleep 1000"),
];

#[tokio::test(flavor = "multi_thread")]
async fn d4_nothing_of_a_command_outlives_its_limit() {
    if !is_there() {
        return;
    }
    let place = Wish::new(json!({})).with("limits", json!({"wall_time": "700ms"})).open().await;
    for (name, script) in SURVIVORS {
        let result = place.sh(script).await;
        let is_wall = matches!(result.termination, Termination::LimitExceeded { limit: LimitName::WallTime, .. });
        assert!(is_wall, "{name}: {result}\n{}", show(&result));
        assert_eq!(place.inspect()["State"]["Running"], json!(false), "{name}");
        let over = result.usage.wall_time.value().unwrap().saturating_sub(Duration::from_millis(700));
        println!("{name}: {over:?} past the limit");
        assert_eq!(place.text("echo on").await, "on\n", "{name}");
        assert_eq!(place.guests(), Vec::<String>::new(), "{name}");
    }
    place.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn d5_a_kill_while_the_container_starts_is_bounded() {
    if !is_there() {
        return;
    }
    let proxy = Proxy::start();
    let place: Place = Wish::new(json!({"host": proxy.endpoint()})).open().await;
    let (asked, seen) = std::sync::mpsc::channel();
    proxy.rule(move |line| {
        if line.contains("/start") {
            let _ = asked.send(());
        }
        Do::Forward
    });
    let running = place.runtime.stream(bailiwick::Command::line("echo never; sleep 1000")).await.unwrap();
    tokio::task::spawn_blocking(move || seen.recv().unwrap()).await.unwrap();
    tokio::time::timeout(Duration::from_secs(60), place.runtime.kill()).await.expect("it hangs").unwrap();
    let result = running.wait().await.unwrap();
    assert_eq!(result.termination, Termination::Killed { by: Killer::Caller });
    assert_eq!(place.text("echo on").await, "on\n");
    place.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn d19_fifty_sessions_at_once_take_no_network_and_leave_nothing() {
    if !is_there() {
        return;
    }
    let networks = || Raw::get("/networks").unwrap().as_array().unwrap().len();
    let before = networks();
    let wish = Wish::new(json!({}));
    let registry = wish.registry();
    let label = format!("bailiwick.owner={}", registry.owner().unwrap().id());
    let mut all = tokio::task::JoinSet::new();
    for n in 0..50 {
        let (registry, spec) = (registry.clone(), wish.spec(&registry));
        all.spawn(async move {
            let session = bailiwick::Session::builder(&registry, spec).open().await.unwrap();
            let runtime = session.spawn(bailiwick::SpawnRequest::default()).await.unwrap();
            let result = runtime.execute(bailiwick::Command::line(format!("echo {n}"))).await.unwrap();
            assert_eq!(result.stdout.text(), Some(format!("{n}\n")), "{}", show(&result));
            (session, runtime)
        });
    }
    let open = all.join_all().await;
    assert_eq!((Raw::containers(&label).len(), networks()), (50, before));
    for (session, _runtime) in open {
        session.close().await.unwrap();
    }
    assert_eq!((Raw::containers(&label).len(), networks()), (0, before));
}
