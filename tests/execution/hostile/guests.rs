//! Guests that do not end by themselves, or should not: for every runtime, with the limit that must be named.

use bailiwick::spec::LimitName;
use serde_json::{Value, json};

/// The wall limit of those that must meet it.
pub(crate) const WALL: &str = "300ms";

/// One guest.
#[derive(Clone, Debug)]
pub(crate) struct Guest {
    pub(crate) name: &'static str,
    pub(crate) limits: Value,
    pub(crate) words: Vec<String>,
    /// What its caller does.
    pub(crate) caller: Caller,
    pub(crate) ends: End,
}

/// What the caller of a guest does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Caller {
    /// It reads what comes, and gives no input.
    Reads,
    /// It keeps standard input open, and writes nothing.
    KeepsInputOpen,
    /// It is away, and reads nothing until the limit is long over.
    IsAway,
}

/// How a guest must end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum End {
    Limit(LimitName),
    /// By a fault of its own: a signal, or a trap.
    Fault,
}

type Row<'a> = (&'static str, Value, &'a str, Caller, End);

fn rows<'a>() -> Vec<Row<'a>> {
    use Caller::{IsAway, KeepsInputOpen, Reads};
    const SPIN: &str = "while :; do :; done";
    const FLOOD: &str = "while :; do echo yyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyy; done";
    let wall = || json!({"wall_time": WALL});
    let by_wall = End::Limit(LimitName::WallTime);
    vec![
        ("spins", wall(), SPIN, Reads, by_wall),
        ("sleeps", wall(), "sleep 1000", Reads, by_wall),
        ("waits for input that never comes", wall(), "read x", KeepsInputOpen, by_wall),
        (
            "floods a reader who is away",
            json!({"wall_time": WALL, "output_overflow": "truncate"}),
            FLOOD,
            IsAway,
            by_wall,
        ),
        ("ignores signals", wall(), "trap '' HUP INT TERM; while :; do :; done", Reads, by_wall),
        ("stops itself", wall(), "kill -STOP $$", Reads, by_wall),
        ("leaves children", wall(), "sleep 1000 & sleep 1000 & wait", Reads, by_wall),
        ("spins past its processor time", json!({"cpu_time": WALL}), SPIN, Reads, End::Limit(LimitName::CpuTime)),
        ("sleeps past its idle time", json!({"idle_time": WALL}), "sleep 1000", Reads, End::Limit(LimitName::IdleTime)),
        (
            "grows past its memory",
            json!({"memory": "64MiB", "wall_time": "60s"}),
            "x=x; while :; do x=$x$x; done",
            Reads,
            End::Limit(LimitName::Memory),
        ),
        ("prints past its limit", json!({"output": "64KiB"}), FLOOD, Reads, End::Limit(LimitName::Output)),
        ("recurses", json!({"wall_time": "60s"}), "f() { f; }; f", Reads, End::Fault),
    ]
}

/// Gives the guests that a shell runs.
pub(crate) fn of_a_shell(shell: &str) -> Vec<Guest> {
    let guest = |(name, limits, script, caller, ends): Row<'_>| {
        let words = [shell, "-c", script].map(str::to_owned).to_vec();
        Guest { name, limits, words, caller, ends }
    };
    rows().into_iter().map(guest).collect()
}

/// Modules beside those of the fixtures, by the names of their files.
#[cfg(all(feature = "wasi", feature = "wat"))]
pub(crate) const MODULES: [(&str, &str); 3] = [
    (
        "fill.wat",
        r#"(module (memory (export "memory") 2048) (func (export "_start")
          (loop $again (memory.fill (i32.const 0) (i32.const 1) (i32.const 134217728)) (br $again))))"#,
    ),
    (
        "copy.wat",
        r#"(module (memory (export "memory") 2048) (func (export "_start")
          (loop $again (memory.copy (i32.const 0) (i32.const 67108864) (i32.const 67108864)) (br $again))))"#,
    ),
    (
        "calls.wat",
        r#"(module
          (import "wasi_snapshot_preview1" "fd_fdstat_get" (func $stat (param i32 i32) (result i32)))
          (memory (export "memory") 1)
          (func (export "_start") (loop $again (drop (call $stat (i32.const 1) (i32.const 0))) (br $again))))"#,
    ),
];

/// Gives the guests that are modules.
#[cfg(all(feature = "wasi", feature = "wat"))]
pub(crate) fn of_wasi() -> Vec<Guest> {
    use Caller::{IsAway, KeepsInputOpen, Reads};
    let wall = || json!({"wall_time": WALL});
    let truncate = || json!({"wall_time": WALL, "output_overflow": "truncate"});
    let by_wall = End::Limit(LimitName::WallTime);
    let rows = [
        ("spins", wall(), "spin.wat", Reads, by_wall),
        ("spins in its start function", wall(), "spin_start.wat", Reads, by_wall),
        ("sleeps", wall(), "sleep.wat", Reads, by_wall),
        ("waits for input that never comes", wall(), "stdin_cat.wat", KeepsInputOpen, by_wall),
        ("floods a reader who is away", truncate(), "flood.wat stdout", IsAway, by_wall),
        ("fills memory", wall(), "fill.wat", Reads, by_wall),
        ("copies memory", wall(), "copy.wat", Reads, by_wall),
        ("calls the host", wall(), "calls.wat", Reads, by_wall),
        ("spins past its processor time", json!({"cpu_time": WALL}), "spin.wat", Reads, End::Limit(LimitName::CpuTime)),
        ("sleeps past its idle time", json!({"idle_time": WALL}), "sleep.wat", Reads, End::Limit(LimitName::IdleTime)),
        ("prints past its limit", json!({"output": "64KiB"}), "flood.wat stdout", Reads, End::Limit(LimitName::Output)),
        ("recurses", json!({"wall_time": "60s"}), "stack_overflow.wat", Reads, End::Fault),
    ];
    let guest = |(name, limits, line, caller, ends): Row<'_>| {
        let words = format!("./{line}").split(' ').map(str::to_owned).collect();
        Guest { name, limits, words, caller, ends }
    };
    rows.into_iter().map(guest).collect()
}
