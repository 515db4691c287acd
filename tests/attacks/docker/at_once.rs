//! An end without the engine's hands: everything of a command is dead before the engine is asked, and nothing else is.

use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering::SeqCst};
use std::sync::{Arc, Mutex};

use bailiwick::Termination;
use bailiwick::spec::LimitName;
use serde_json::json;

use crate::engine::is_there;
use crate::engine::place::{Place, Wish};
use crate::engine::proxy::{Do, Proxy};

const LEAVERS: &str =
    "echo in-workspace >file; echo in-layer >/layer; setsid sleep 1000 & (setsid sleep 1000 &); while :; do :; done";

/// Asks for the end of a container, as `POST /v1.41/containers/ID/kill`.
fn is_kill(line: &str) -> bool {
    line.starts_with("POST")
        && line.split(' ').nth(1).is_some_and(|path| path.split('?').next().unwrap().ends_with("/kill"))
}

/// Lists the processes of a container that are alive, by the control groups that the kernel says.
fn alive(container: &str) -> Vec<String> {
    let numbers = std::fs::read_dir("/proc").unwrap().filter_map(|entry| entry.unwrap().file_name().into_string().ok());
    let read = |pid: &str, name: &str| std::fs::read_to_string(Path::new("/proc").join(pid).join(name));
    let is_of = |pid: &String| read(pid, "cgroup").is_ok_and(|groups| groups.contains(container));
    // What has ended and was not waited for has no memory any more.
    let lives = |pid: &String| read(pid, "status").is_ok_and(|status| status.contains("VmSize"));
    numbers.filter(|name| name.bytes().all(|byte| byte.is_ascii_digit())).filter(is_of).filter(lives).collect()
}

async fn overrun(place: &Place) {
    let result = place.sh(LEAVERS).await;
    assert!(matches!(result.termination, Termination::LimitExceeded { limit: LimitName::WallTime, .. }), "{result}");
}

async fn assert_intact(place: &Place, container: &str) {
    assert_eq!(place.containers(), [container], "it is the same container");
    assert_eq!(place.text("cat file /layer; echo on").await, "in-workspace\nin-layer\non\n");
    assert_eq!(place.guests(), Vec::<String>::new());
}

#[tokio::test(flavor = "multi_thread")]
async fn d4_everything_is_dead_before_the_engine_is_asked() {
    if !is_there() {
        return;
    }
    let proxy = Proxy::start();
    let wish = Wish::new(json!({"host": proxy.endpoint(), "user": "0:0"}));
    let place = wish.with("limits", json!({"wall_time": "500ms"})).open().await;
    place.text("true").await;
    let container = place.containers().remove(0);
    assert!(alive(&container).len() >= 2, "the look itself sees what lives");
    let found = Arc::new(Mutex::new(Vec::new()));
    let (at_kill, named) = (Arc::clone(&found), container.clone());
    proxy.rule(move |line| {
        if is_kill(line) {
            at_kill.lock().unwrap().push(alive(&named));
        }
        Do::Forward
    });
    overrun(&place).await;
    assert_eq!(alive(&container), Vec::<String>::new());
    assert_eq!(*found.lock().unwrap(), [Vec::<String>::new()], "the engine was asked once, when all were dead");
    assert_eq!(place.inspect()["State"]["Running"], json!(false));
    assert_intact(&place, &container).await;
    place.close().await;
}

/// A process of the host that an engine may take for a container's.
struct Canary(Child);

impl Drop for Canary {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// Says of the next container that starts that this is its first process, once; gives how often the engine killed.
fn lie(proxy: &Proxy, pid: u64) -> Arc<AtomicU32> {
    let (is_next, kills) = (AtomicBool::new(false), Arc::new(AtomicU32::new(0)));
    let killed = Arc::clone(&kills);
    proxy.rule(move |line| {
        if is_kill(line) {
            killed.fetch_add(1, SeqCst);
        } else if line.starts_with("POST") && line.contains("/containers/") && line.contains("/start") {
            is_next.store(true, SeqCst);
        } else if line.starts_with("GET")
            && line.contains("/containers/")
            && line.contains("/json")
            && is_next.swap(false, SeqCst)
        {
            return Do::Answer(200, json!({"State": {"Running": true, "Pid": pid}}).to_string());
        }
        Do::Forward
    });
    kills
}

/// Processes that an engine takes for the container's, and that are not, are left alone; the engine kills.
#[tokio::test(flavor = "multi_thread")]
async fn d4_no_process_is_killed_that_is_not_the_containers() {
    if !is_there() {
        return;
    }
    let other = Wish::new(json!({})).open().await;
    other.text("true").await;
    let others_own = other.inspect()["State"]["Pid"].as_u64().unwrap();
    let mut canary = Command::new("sleep");
    let mut canary = Canary(canary.arg("1000").stdin(Stdio::null()).stdout(Stdio::null()).spawn().unwrap());
    for pid in [u64::from(canary.0.id()), others_own, 1, u64::from(u32::MAX)] {
        let proxy = Proxy::start();
        let wish = Wish::new(json!({"host": proxy.endpoint(), "user": "0:0"}));
        let place = wish.with("limits", json!({"wall_time": "500ms"})).open().await;
        let kills = lie(&proxy, pid);
        overrun(&place).await;
        assert_eq!(kills.load(SeqCst), 1, "{pid}: the engine killed");
        let container = place.containers().remove(0);
        assert_eq!(alive(&container), Vec::<String>::new(), "{pid}");
        assert_intact(&place, &container).await;
        place.close().await;
    }
    assert!(canary.0.try_wait().unwrap().is_none(), "a process of the host was killed");
    assert_eq!(other.inspect()["State"]["Pid"].as_u64(), Some(others_own), "another container was killed");
    other.close().await;
}
