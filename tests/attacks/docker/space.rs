//! Bombs: processes, memory, descriptors, disk, output.

use bailiwick::spec::LimitName;
use bailiwick::{Command, Termination};
use serde_json::json;

use crate::engine::place::{Place, Wish, show};
use crate::engine::{PYTHON, is_there};

fn limit(termination: &Termination) -> Option<LimitName> {
    if let Termination::LimitExceeded { limit, .. } = termination { Some(*limit) } else { None }
}

async fn python(place: &Place, script: &str) -> std::sync::Arc<bailiwick::RuntimeResult> {
    place.run(Command::argv(["python3", "-c", script])).await
}

#[tokio::test(flavor = "multi_thread")]
async fn d8_bombs_get_their_verdict_and_disturb_nobody() {
    if !is_there() {
        return;
    }
    let limits = json!({"memory": "64MiB", "processes": 20, "open_files": 32, "wall_time": "20s"});
    let place = Wish::new(json!({"image": PYTHON})).with("limits", limits).open().await;
    let sibling = Wish::new(json!({})).open().await;
    assert_eq!(sibling.text("echo here").await, "here\n");
    let one = python(&place, "x = [bytearray(1 << 20) for _ in range(1000)]").await;
    assert_eq!(limit(&one.termination), Some(LimitName::Memory), "{one}\n{}", show(&one));
    let several = "import os\nfor _ in range(6):\n    if os.fork() == 0:\n        x = bytearray(30 << 20)\n        for i in range(0, len(x), 4096): x[i] = 1\n        import time; time.sleep(3)\n        os._exit(0)\n\
                   ends = [os.wait()[1] for _ in range(6)]\nraise SystemExit(1 if any(ends) else 0)";
    let many = python(&place, several).await;
    assert_eq!(limit(&many.termination), Some(LimitName::Memory), "{many}\n{}", show(&many));
    let tmpfs = python(&place, "f = open('/tmp/x', 'wb')\nfor _ in range(200): f.write(bytes(1 << 20))").await;
    assert_eq!(limit(&tmpfs.termination), Some(LimitName::Memory), "{tmpfs}\n{}", show(&tmpfs));
    let cache = python(
        &place,
        "f = open('x', 'wb')\nfor _ in range(200): f.write(bytes(1 << 20))\nf.close()\nimport os; os.remove('x')",
    )
    .await;
    assert!(cache.termination.is_success(), "cached files are given back: {cache}\n{}", show(&cache));
    let forks = "import os\nn = 0\ntry:\n    while True:\n        if os.fork() == 0:\n            import time; time.sleep(30); os._exit(0)\n        n += 1\nexcept OSError:\n    print(n < 20)";
    let forks = python(&place, forks).await;
    assert_eq!(forks.stdout.text().as_deref(), Some("True\n"), "{forks}\n{}", show(&forks));
    let files =
        python(&place, "import os\ntry:\n    while True: os.open('/', 0)\nexcept OSError as e: print(e.errno)").await;
    assert_eq!(files.stdout.text().as_deref(), Some("24\n"), "{}", show(&files));
    let shared = python(&place, "f = open('/dev/shm/x', 'wb')\nfor _ in range(200): f.write(bytes(1 << 20))").await;
    assert!(!shared.termination.is_success(), "{shared}");
    assert_eq!(sibling.text("echo here").await, "here\n");
    place.close().await;
    sibling.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn d10_a_full_disk_is_seen() {
    if !is_there() {
        return;
    }
    let limits = json!({"disk": "16MiB", "wall_time": "60s"});
    let place = Wish::new(json!({"user": "0:0"})).with("limits", limits.clone()).open().await;
    let result = place.sh("head -c 200000000 /dev/zero >big; sleep 30").await;
    assert_eq!(limit(&result.termination), Some(LimitName::Disk), "{result}");
    place.text("rm -f big").await;
    let quick = place.sh("head -c 40000000 /dev/zero >big").await;
    assert_eq!(limit(&quick.termination), Some(LimitName::Disk), "what ended before it was looked at: {quick}");
    place.text("rm -f big").await;
    let layer = place.sh("head -c 200000000 /dev/zero >/big; sleep 30").await;
    assert_eq!(limit(&layer.termination), Some(LimitName::Disk), "{layer}");
    assert_eq!(
        place.text("head -c 40000000 /dev/zero >/tmp/big 2>/dev/null || stat -c %s /tmp/big").await,
        "16777216\n"
    );
    place.close().await;
    let place = Wish::new(json!({"user": "0:0", "read_only_root": true})).with("limits", limits).open().await;
    assert_eq!(place.text("echo x >/big 2>/dev/null || echo closed").await, "closed\n");
    place.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn d14_ten_gigabytes_of_output_fill_nothing() {
    if !is_there() {
        return;
    }
    const LIMIT: u64 = 1 << 20;
    let limits = json!({"output": "1MiB", "output_overflow": "truncate", "wall_time": "10m"});
    let place = Wish::new(json!({})).with("limits", limits).open().await;
    place.text("true").await;
    let before = resident();
    let bytes: u64 = 10 << 30;
    let result = place.run(Command::line(format!("head -c {bytes} /dev/zero"))).await;
    assert!(result.termination.is_success(), "{result}");
    assert_eq!((result.stdout.bytes, result.stdout.kept.len() as u64), (bytes, LIMIT));
    let grown = resident().saturating_sub(before);
    assert!(grown < 3 * LIMIT + (32 << 20), "the process grew by {grown} bytes");
    assert_eq!(place.inspect()["LogPath"], "");
    place.close().await;
}

fn resident() -> u64 {
    let statm = std::fs::read_to_string("/proc/self/statm").unwrap();
    statm.split(' ').nth(1).unwrap().parse::<u64>().unwrap() * 4096
}
