//! Determinism of the WASI runtime: one result in every run, whatever the host's clock, chance and order of files.

#![expect(clippy::unwrap_used, reason = "the helpers of a test fail like the test")]

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::{Duration, Instant};

use bailiwick::spec::{self, LimitName};
use bailiwick::{
    Command, Host, InputContent, InputFile, RuntimeRegistry, RuntimeResult, Session, SpawnRequest, Stdin,
    SubmissionRuntime, Termination, WorkspacePath,
};

const OBSERVE: &str = include_str!("../data/determinism/observe.wat");
const SLEEP: &str = include_str!("../../guest-fixtures/wasi/sleep.wat");
const SPIN: &str = include_str!("../../guest-fixtures/wasi/spin.wat");
const CAT: &str = include_str!("../../guest-fixtures/wasi/stdin_cat.wat");

/// 2000-01-01T00:00:00Z in nanoseconds.
const START: u64 = 946_684_800_000_000_000;

fn registry() -> RuntimeRegistry {
    let mut host = Host::from_env(BTreeMap::new());
    host.dirs.shared_data.clear();
    RuntimeRegistry::builder(host).with_builtins().build().unwrap()
}

/// A session with files that are made in the given order.
struct Bench {
    session: Session,
    runtime: Arc<dyn SubmissionRuntime>,
}

impl Bench {
    async fn open(registry: &RuntimeRegistry, more: &str, files: &[(&str, &str)]) -> Self {
        let text = format!("type: wasi\nname: test\n{more}");
        let spec = spec::load(&text, "test", registry).unwrap().spec;
        let session = Session::builder(registry, spec).without_reset().open().await.unwrap();
        for (name, text) in files {
            let file = InputFile::new(WorkspacePath::new(name).unwrap(), InputContent::Text((*text).to_owned()));
            session.materialize_input_files(vec![file]).await.unwrap();
        }
        let runtime = session.spawn(SpawnRequest::default()).await.unwrap();
        Self { session, runtime }
    }

    async fn run(&self, guest: &str) -> Arc<RuntimeResult> {
        self.runtime.execute(Command::argv([guest])).await.unwrap()
    }

    async fn file(&self, name: &str) -> Vec<u8> {
        let found = self.session.get_file_contents(&[name]).await.unwrap();
        format!("{found:?}").into_bytes()
    }

    async fn close(self) {
        self.session.close().await.unwrap();
    }
}

/// Everything of a result that must not depend on the host.
#[derive(Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Seen {
    stdout: Vec<u8>,
    fuel: Option<u64>,
    code: i32,
    file: Vec<u8>,
}

const FILES: [(&str, &str); 4] = [("observe.wat", OBSERVE), ("in.txt", "input"), ("b", "2"), ("a", "1")];

async fn observe(registry: &RuntimeRegistry, more: &str, files: &[(&str, &str)]) -> Seen {
    let bench = Bench::open(registry, more, files).await;
    let result = bench.run("./observe.wat").await;
    assert_eq!(result.exit_code(), 7, "{result}");
    let file = bench.file("out.bin").await;
    bench.close().await;
    let fuel = result.usage.fuel.value().copied();
    Seen { stdout: result.stdout.kept.to_vec(), fuel, code: result.exit_code(), file }
}

const ON: &str = "wasi: {determinism: {}}\nlimits: {fuel: 100000000}\n";

#[tokio::test(flavor = "multi_thread")]
async fn a_hundred_runs_are_equal_to_the_bit() {
    let registry = registry();
    let mut seen = BTreeSet::new();
    for run in 0..100 {
        let mut files = FILES;
        files.rotate_left(run % 4);
        seen.insert(observe(&registry, ON, &files).await);
    }
    assert_eq!(seen.len(), 1, "{seen:?}");
    assert!(seen.first().unwrap().fuel.unwrap() > 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn another_process_with_other_directories_gives_the_same() {
    let first = observe(&registry(), ON, &FILES).await;
    let base = tempfile::tempdir().unwrap();
    let mut host = Host::from_env(BTreeMap::from([
        ("TZ".to_owned(), "Asia/Kathmandu".to_owned()),
        ("LANG".to_owned(), "tr_TR.UTF-8".to_owned()),
        ("LC_ALL".to_owned(), "tr_TR.UTF-8".to_owned()),
    ]));
    host.dirs.shared_data.clear();
    // A plain directory of the host's own file system, where sizes, links and inodes of directories are others.
    host.dirs.base = Some(base.path().to_owned());
    let registry = RuntimeRegistry::builder(host).with_builtins().build().unwrap();
    assert_eq!(observe(&registry, ON, &FILES).await, first);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_seed_changes_chance_and_nothing_else() {
    let registry = registry();
    let zero = observe(&registry, ON, &FILES).await;
    let one = observe(&registry, &ON.replace("{}", "{seed: 1}"), &FILES).await;
    let (zero, one) = (Observed::read(&zero.stdout), Observed::read(&one.stdout));
    assert_ne!(zero.random, one.random);
    assert_eq!(Observed { random: zero.random.clone(), ..one }, zero);
}

/// What the guest printed, in its order.
#[derive(Debug, PartialEq, Eq)]
struct Observed {
    clocks: Vec<(u64, u64)>,
    random: Vec<u8>,
    listing: Vec<u8>,
    part: Vec<u8>,
    by_path: Vec<u8>,
    fd: u32,
    by_fd: Vec<u8>,
    root: Vec<u8>,
    stdout: Vec<u8>,
    prestat: Vec<u8>,
    fdstat: Vec<u8>,
    event: Vec<u8>,
    slept: u64,
    nans: Vec<u8>,
}

impl Observed {
    fn read(mut bytes: &[u8]) -> Self {
        let bytes = &mut bytes;
        let clocks = (0..4).map(|_| (u64_at(&take(bytes, 8), 0), u64_at(&take(bytes, 8), 0))).collect();
        let random = take(bytes, 32);
        let mut list = || {
            let len = u32::from_le_bytes(take(bytes, 4).try_into().unwrap());
            take(bytes, len as usize)
        };
        let (listing, part) = (list(), list());
        let read = Self {
            clocks,
            random,
            listing,
            part,
            by_path: take(bytes, 64),
            fd: u32::from_le_bytes(take(bytes, 4).try_into().unwrap()),
            by_fd: take(bytes, 64),
            root: take(bytes, 64),
            stdout: take(bytes, 64),
            prestat: take(bytes, 8),
            fdstat: take(bytes, 24),
            event: take(bytes, 32),
            slept: u64_at(&take(bytes, 8), 0),
            nans: take(bytes, 36),
        };
        assert!(bytes.is_empty(), "{} bytes more", bytes.len());
        read
    }

    fn entries(&self) -> Vec<(String, u64, u64)> {
        let mut rest = self.listing.as_slice();
        let mut entries = Vec::new();
        while !rest.is_empty() {
            let header = take(&mut rest, 24);
            let len = u32::from_le_bytes(header[16..20].try_into().unwrap());
            let name = String::from_utf8(take(&mut rest, len as usize)).unwrap();
            assert_eq!(header[21..24], [0; 3], "the padding of `{name}`");
            entries.push((name, u64_at(&header, 0), u64_at(&header, 8)));
        }
        entries
    }
}

fn take(bytes: &mut &[u8], len: usize) -> Vec<u8> {
    let (taken, rest) = bytes.split_at(len);
    *bytes = rest;
    taken.to_owned()
}

fn u64_at(bytes: &[u8], at: usize) -> u64 {
    u64::from_le_bytes(bytes[at..at + 8].try_into().unwrap())
}

#[tokio::test(flavor = "multi_thread")]
async fn what_the_guest_finds_is_what_the_page_says() {
    let registry = registry();
    let began = Instant::now();
    let seen = Observed::read(&observe(&registry, ON, &FILES).await.stdout);
    assert!(began.elapsed() < Duration::from_secs(600), "an hour of sleep passed");
    assert_eq!(seen.clocks, [(START, 1_000), (1_000, 1_000), (2_000, 1_000), (3_000, 1_000)]);

    let entries = seen.entries();
    let names: Vec<&str> = entries.iter().map(|(name, ..)| name.as_str()).collect();
    assert_eq!(names, [".", "..", "a", "b", "in.txt", "observe.wat"]);
    assert_eq!(entries.iter().map(|(_, next, _)| *next).collect::<Vec<_>>(), [1, 2, 3, 4, 5, 6]);
    // From the cookie of `..` on: `a` whole, and what still fits of `b`.
    let whole_a = 24 + 1;
    assert_eq!(seen.part[..whole_a], seen.listing[24 + 1 + 24 + 2..][..whole_a]);
    assert_eq!(seen.part.len(), 40);

    let inode = |path: &str| u64::from_le_bytes(blake3::hash(path.as_bytes()).as_bytes()[..8].try_into().unwrap());
    assert_eq!(entries[4].2, inode("/workspace/in.txt"));
    assert_eq!(seen.by_path, seen.by_fd, "the same file by its path and by its descriptor");
    for (stat, path, size) in [(&seen.by_fd, "/workspace/in.txt", 5), (&seen.root, "/workspace", 0)] {
        assert_eq!((u64_at(stat, 8), u64_at(stat, 24), u64_at(stat, 32)), (inode(path), 1, size), "{path}");
        assert_eq!((u64_at(stat, 40), u64_at(stat, 48), u64_at(stat, 56)), (START, START, START), "{path}");
        assert_eq!(stat[17..24], [0; 7], "padding");
    }
    assert_eq!((u64_at(&seen.event, 0), &seen.event[8..]), (42, &[0; 24][..]), "the event, padding included");
    assert_eq!(seen.slept, 3_600_000_000_000 + 4_000, "four readings, and the hour");
    assert!(seen.prestat[1..4].iter().chain(&seen.fdstat[4..8]).all(|byte| [0, 0xaa].contains(byte)), "{seen:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn every_nan_has_one_form() {
    let registry = registry();
    let seen = Observed::read(&observe(&registry, ON, &FILES).await.stdout);
    for at in [0, 8, 16, 24] {
        assert_eq!(u64_at(&seen.nans, at), 0x7ff8_0000_0000_0000, "at {at}: {:x?}", seen.nans);
    }
    assert_eq!(seen.nans[32..], 0x7fc0_0000_u32.to_le_bytes());
}

#[tokio::test(flavor = "multi_thread")]
async fn without_it_the_host_shows() {
    let registry = registry();
    let bench = Bench::open(&registry, "limits: {wall_time: 250ms}", &[("sleep.wat", SLEEP)]).await;
    let result = bench.run("./sleep.wat").await;
    assert!(matches!(result.termination, Termination::LimitExceeded { limit: LimitName::WallTime, .. }), "{result}");
    assert!(result.notes.is_empty(), "{:?}", result.notes);
    bench.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_run_that_the_hosts_clock_ended_says_that_it_is_not_reproducible() {
    let registry = registry();
    for (limit, name) in [("wall_time", "wall_time"), ("cpu_time", "cpu_time"), ("idle_time", "idle_time")] {
        let more = format!("wasi: {{determinism: {{}}}}\nlimits: {{{limit}: 100ms}}");
        let bench = Bench::open(&registry, &more, &[("spin.wat", SPIN)]).await;
        let result = bench.run("./spin.wat").await;
        assert_eq!(result.exit_code(), 124, "{result}");
        let doubt = result.notes.iter().find(|note| note.starts_with("not reproducible")).unwrap();
        assert!(doubt.contains(name), "{doubt}");
        bench.close().await;
    }
}

/// Finds the fuel that a guest needs, and looks one to each side of it.
#[tokio::test(flavor = "multi_thread")]
async fn fuel_is_exact() {
    const LOOPS: &str = "(module (memory (export \"memory\") 1) (func (export \"_start\") (local $n i32)
        (loop $l (br_if $l (i32.lt_u (local.tee $n (i32.add (local.get $n) (i32.const 1))) (i32.const 1000)))) nop nop))";
    let registry = registry();
    for (name, text) in [("loops.wat", LOOPS), ("observe.wat", OBSERVE)] {
        let files = [(name, text), ("in.txt", "input")];
        let with = async |fuel: u64| {
            let more = format!("wasi: {{determinism: {{}}}}\nlimits: {{fuel: {fuel}}}\n");
            let bench = Bench::open(&registry, &more, &files).await;
            let result = bench.run(&format!("./{name}")).await;
            bench.close().await;
            result
        };
        let whole = with(100_000_000).await;
        let needed = *whole.usage.fuel.value().unwrap();
        for given in [needed, needed + 1, i64::MAX as u64] {
            let result = with(given).await;
            assert_eq!((result.exit_code(), result.usage.fuel.value()), (whole.exit_code(), Some(&needed)), "{result}");
        }
        for given in [needed - 1, needed / 2, 1] {
            let result = with(given).await;
            let limit = matches!(result.termination, Termination::LimitExceeded { limit: LimitName::Fuel, .. });
            assert!(limit, "{given} of {needed}: {result}");
            assert_eq!(result.usage.fuel.value(), Some(&given));
        }
    }
}

/// Polls standard input beside a deadline of an hour, and prints the kind and the user data of what came.
const POLL: &str = r#"(module
  (import "wasi_snapshot_preview1" "fd_write" (func $fd_write (param i32 i32 i32 i32) (result i32)))
  (import "wasi_snapshot_preview1" "poll_oneoff" (func $poll (param i32 i32 i32 i32) (result i32)))
  (memory (export "memory") 1)
  (func (export "_start")
    (i64.store (i32.const 128) (i64.const 65))
    (i32.store (i32.const 144) (i32.const 1))
    (i64.store (i32.const 152) (i64.const 3600000000000))
    (i64.store (i32.const 176) (i64.const 66))
    (i32.store8 (i32.const 184) (i32.const 1))
    (i64.store (i32.const 224) (i64.const 67))
    (i32.store (i32.const 240) (i32.const 1))
    (i64.store (i32.const 248) (i64.const 60000000000))
    (if (call $poll (i32.const 128) (i32.const 1024) (i32.const 3) (i32.const 64)) (then unreachable))
    (i32.store (i32.const 0) (i32.const 1024))
    (i32.store (i32.const 4) (i32.mul (i32.load (i32.const 64)) (i32.const 32)))
    (drop (call $fd_write (i32.const 1) (i32.const 0) (i32.const 1) (i32.const 8)))))"#;

#[tokio::test(flavor = "multi_thread")]
async fn the_earliest_deadline_wins_unless_a_descriptor_is_ready() {
    let registry = registry();
    let bench = Bench::open(&registry, ON, &[("poll.wat", POLL), ("cat.wat", CAT)]).await;
    let command = || Command::argv(["./poll.wat"]);
    let events = async |command| {
        let result = bench.runtime.execute(command).await.unwrap();
        assert_eq!(result.exit_code(), 0, "{result}");
        result.stdout.kept.as_chunks::<32>().0.iter().map(|event| (event[0], event[10])).collect::<Vec<_>>()
    };
    assert_eq!(events(command()).await, [(66, 1)], "a closed input is ready");
    assert_eq!(events(command().grant_stdin("text")).await, [(66, 1)]);
    let (writer, stdin) = Stdin::live();
    assert_eq!(events(command().grant_stdin(stdin)).await, [(67, 0)], "nothing came: a minute before an hour");
    drop(writer);
    bench.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_component_is_refused_while_it_is_on() {
    let registry = registry();
    let bench = Bench::open(&registry, ON, &[("c.wat", "(component)")]).await;
    let result = bench.run("./c.wat").await;
    assert_eq!(result.exit_code(), 126, "{result}");
    assert!(result.to_string().contains("determinism is on"), "{result}");
    bench.close().await;
}

#[test]
fn what_is_asked_for_is_checked() {
    let registry = registry();
    let load =
        |section: &str| spec::load(&format!("type: wasi\nname: t\nwasi: {{determinism: {section}}}"), "t", &registry);
    for good in ["null", "{}", "{seed: 18446744073709551615}", "{start: '2020-02-29T12:00:00Z', step: 1ms}"] {
        load(good).unwrap();
    }
    for bad in
        ["true", "{seed: -1}", "{start: yesterday}", "{start: '1900-01-01T00:00:00Z'}", "{step: 0}", "{speed: 1}"]
    {
        let error = load(bad).unwrap_err().to_string();
        assert!(error.contains("determinism") || error.contains("1970"), "{bad}: {error}");
    }
}
