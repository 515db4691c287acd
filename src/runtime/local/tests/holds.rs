//! Limits: what is held, by which name it is reported, and what is measured.

use super::*;
use crate::runtime::Termination;
use crate::spec::{LimitName, LimitValue};

fn limit_of(result: &Arc<RuntimeResult>) -> Option<LimitName> {
    let Termination::LimitExceeded { limit, value, allowed } = &result.termination else { return None };
    let is_over = match (value, allowed) {
        (LimitValue::Time(value), LimitValue::Time(allowed)) => value >= allowed,
        (LimitValue::Bytes(value), LimitValue::Bytes(allowed)) => value >= allowed,
        (one, other) => panic!("{one} against {other}"),
    };
    assert!(is_over, "{result}");
    Some(*limit)
}

/// L21: the right limit is named, whichever of the two clocks runs faster.
#[tokio::test]
async fn l21_cpu_time_and_wall_time_are_told_apart() {
    let spin = "while :; do :; done";
    let crowd = "for i in 1 2 3; do (while :; do :; done) & done; wait";
    let reaped = "while :; do sh -c 'i=0; while [ $i -lt 2000 ]; do i=$((i+1)); done'; done";
    for local in [Local::default(), Local::without_groups()] {
        let place = open_on(local, "limits: {cpu_time: 300ms, wall_time: 30s}\n", Mode::Evaluation).await;
        for script in [spin, crowd, reaped] {
            let result = place.sh(script).await;
            assert_eq!(limit_of(&result), Some(LimitName::CpuTime), "{result}");
        }
    }
    let place = open("limits: {cpu_time: 30s, wall_time: 200ms}\n").await;
    assert_eq!(limit_of(&place.sh("sleep 1000").await), Some(LimitName::WallTime));
    let place = open("limits: {idle_time: 200ms}\n").await;
    assert_eq!(limit_of(&place.sh("echo x; sleep 1000").await), Some(LimitName::IdleTime));
}

/// L7: the limits of the kernel, each with its name.
#[tokio::test]
async fn l7_file_size_is_named_and_core_files_are_not_made() {
    let place = open("limits: {file_size: 64KiB}\n").await;
    let result = place.run(Command::argv(["dd", "if=/dev/zero", "of=big", "bs=1024", "count=100"])).await;
    assert_eq!(limit_of(&result), Some(LimitName::FileSize), "{result}");
    assert_eq!(place.workspace.dir().metadata("big").unwrap().len(), 64 << 10);
    let place = open("limits: {stack: 2MiB}\nlocal: {address_space: 1GiB}\n").await;
    let result = place.sh("ulimit -s; ulimit -v; ulimit -c; kill -SEGV $$").await;
    assert_eq!(stdout(&result), "2048\n1048576\n0\n");
    assert_eq!(place.workspace.dir().entries().unwrap().count(), 0);
}

const HOG: &str = "import sys, time\nx = bytearray(int(sys.argv[1]) << 20)\nprint(len(x))\nsys.stdout.flush()\nif len(x) > 64 << 20: time.sleep(1)\n";

/// L7: memory of the whole tree, by whatever holds it here.
#[tokio::test]
async fn l7_memory_is_of_the_whole_tree() {
    for local in [Local::default(), Local::without_groups()] {
        let place = open_on(local, "limits: {memory: 64MiB, wall_time: 20s}\n", Mode::Evaluation).await;
        place.put("hog.py", HOG.as_bytes(), 0o644);
        let result = place.run(Command::argv(["python3", "hog.py", "200"])).await;
        assert_eq!(limit_of(&result), Some(LimitName::Memory), "{result} {:?}", result.notes);
        assert_eq!(result.exit_code(), 137);
        let crowd = "for i in 1 2 3 4; do python3 -c 'import time; x = bytearray(24 << 20); time.sleep(1)' & done; wait; exit 1";
        assert_eq!(limit_of(&place.sh(crowd).await), Some(LimitName::Memory));
        let small = place.run(Command::argv(["python3", "hog.py", "16"])).await;
        assert_eq!(
            (small.exit_code(), stdout(&small)),
            (0, format!("{}\n", 16 << 20)),
            "{small} {}",
            text(&small.stderr)
        );
    }
}

/// L18: a figure is this command's, not that of the one before or of the engine.
#[tokio::test]
async fn l18_nothing_is_carried_over_between_commands() {
    let ballast = vec![1_u8; 64 << 20];
    let place = open("").await;
    place.put("hog.py", HOG.as_bytes(), 0o644);
    let peak = |result: &RuntimeResult| result.usage.peak_memory.value().copied();
    let big = place.run(Command::argv(["python3", "hog.py", "200"])).await;
    assert!(peak(&big).unwrap() >= 200 << 20, "{:?}", big.usage);
    let small = place.run(Command::argv(["true"])).await;
    assert!(peak(&small).is_none_or(|peak| peak < 32 << 20), "{:?}", small.usage);
    let cpu = small.usage.cpu_time.value().copied().unwrap();
    assert!(cpu < Duration::from_millis(500), "{cpu:?}");
    assert!(ballast.iter().all(|byte| *byte == 1));
}

/// L7, L4: a fork bomb is held and ended, where the host can hold it at all.
#[tokio::test]
async fn l7_a_fork_bomb_is_held() {
    let place = open("limits: {processes: 40, wall_time: 1s, on_unsupported: best_effort}\n").await;
    if place.sh(":").await.unenforced.iter().any(|one| one.limit == LimitName::Processes) {
        println!("skipped: no pids cgroup can be made here, and nothing else would stop the bomb");
        return;
    }
    let bomb = "f() { f | f & }; f; while :; do sleep 1; done";
    let result = place.run(Command::argv(["bash", "-c", bomb])).await;
    assert_eq!(place.alive(), 0, "{:?}", place.pids());
    assert!(result.notes.iter().any(|note| note.contains("processes limit")), "{result} {:?}", result.notes);
}

/// L20: a limit is never zero; a very small one is met at once.
#[tokio::test]
async fn l20_small_limits_are_met_and_zero_is_refused() {
    let place = open("limits: {wall_time: 1ms}\n").await;
    assert_eq!(limit_of(&place.sh("sleep 1000").await), Some(LimitName::WallTime));
    let place = open("limits: {cpu_time: 1ms}\n").await;
    assert_eq!(limit_of(&place.sh("while :; do :; done").await), Some(LimitName::CpuTime));
    let registry = RuntimeRegistry::builder(Host::default()).with(Local::default()).build().unwrap();
    for (key, value) in
        [("cpu_time", "0"), ("memory", "0"), ("file_size", "0"), ("open_files", "0"), ("wall_time", "-1")]
    {
        let text = format!("type: local\nname: t\nlimits: {{{key}: {value}}}\n");
        assert!(load(&text, "t", &registry).is_err(), "{key}: {value}");
    }
}

#[tokio::test]
async fn what_nothing_holds_is_listed_and_refused_when_it_was_asked_for() {
    let place = open("").await;
    let result = place.sh(":").await;
    let unenforced: Vec<_> = result.unenforced.iter().map(|one| one.limit).collect();
    assert!(unenforced.contains(&LimitName::Disk) && unenforced.contains(&LimitName::Entries), "{unenforced:?}");
    assert_eq!(result.limits.amount(LimitName::Stack), None);
    let registry = RuntimeRegistry::builder(Host::default()).with(Local::default()).build().unwrap();
    let spec = load("type: local\nname: t\nlimits: {fuel: 5}\n", "t", &registry).unwrap().spec;
    let limits = spec.resolve_limits(Mode::Evaluation, &[]).unwrap();
    let table = registry.kind("local").unwrap().enforcement(&spec.section).unwrap();
    assert!(table.admit(limits, "local").is_err());
}
