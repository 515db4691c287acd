//! The cache of compiled modules: prepared ahead of time, listed, bounded, removed, shared.

#![expect(clippy::unwrap_used, reason = "the helpers of a test fail like the test")]

mod wat;

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Mutex;
use std::time::Duration;

use bailiwick::spec::ByteSize;
use bailiwick::{Cached, Host, Progress, Ruled, RuntimeRegistry, spec};
use wat::Bench;

#[derive(Default)]
struct Steps(Mutex<Vec<String>>);

impl Progress for Steps {
    fn step(&self, what: &str) {
        self.0.lock().unwrap().push(what.to_owned());
    }
}

fn host(cache: &Path) -> Host {
    let mut host = Host::from_env(BTreeMap::new());
    host.dirs.shared_data.clear();
    host.dirs.cache = Some(cache.to_owned());
    host
}

async fn cached(host: &Host) -> Vec<Cached> {
    let registry = RuntimeRegistry::builder(host.clone()).with_builtins().build().unwrap();
    registry.kind("wasi").unwrap().cached().await.unwrap()
}

fn module(n: usize) -> Vec<u8> {
    ::wat::parse_str(format!(
        r#"(module (memory (export "memory") 1) (func (export "_start") (drop (i32.const {n}))))"#
    ))
    .unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn the_programs_of_a_spec_are_compiled_ahead_of_time() {
    let dir = tempfile::tempdir().unwrap();
    let host = host(&dir.path().join("cache"));
    let path = dir.path().join("tool.wasm");
    std::io::Write::write_all(&mut std::fs::File::create(&path).unwrap(), &module(1)).unwrap();
    let registry = RuntimeRegistry::builder(host.clone()).with_builtins().build().unwrap();
    let text = |path: &Path| {
        format!("type: wasi\nname: test\nwasi: {{programs: {{tool: {{module: '{}'}}}}}}\n", path.display())
    };
    let spec = spec::load(&text(&path), "test", &registry).unwrap().spec;
    let steps = Steps::default();
    registry.kind("wasi").unwrap().prepare(&spec.section, &steps).await.unwrap();
    assert_eq!(*steps.0.lock().unwrap(), ["compiling tool"]);
    assert_eq!(cached(&host).await.len(), 1);

    let missing = spec::load(&text(&dir.path().join("gone.wasm")), "test", &registry).unwrap().spec;
    let kind = registry.kind("wasi").unwrap();
    kind.prepare(&missing.section, &steps).await.unwrap_err();
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_used_again_is_young_and_what_is_evicted_is_compiled_again() {
    let dir = tempfile::tempdir().unwrap();
    let host = host(dir.path());
    let run = async |n| {
        let bench = Bench::open_on(host.clone(), "").await;
        assert_eq!(bench.run(module(n)).await.exit_code(), 0);
        bench.close().await;
    };
    run(1).await;
    let first = cached(&host).await.remove(0);
    // The times of files may be coarser than the clock.
    tokio::time::sleep(Duration::from_millis(20)).await;
    run(2).await;
    run(1).await;
    let again = cached(&host).await.into_iter().find(|cached| cached.name == first.name).unwrap();
    assert!(again.used > first.used, "{again:?} {first:?}");
    let registry = RuntimeRegistry::builder(host.clone()).with_builtins().build().unwrap();
    let kind = registry.kind("wasi").unwrap();
    for _ in 0..2 {
        kind.evict(&again).await.unwrap();
        assert_eq!(cached(&host).await.len(), 1);
    }
    run(1).await;
    assert_eq!(cached(&host).await.len(), 2);
    let outside = Cached::new("module", "../elsewhere", 0, again.used);
    kind.evict(&outside).await.unwrap_err();
}

#[tokio::test(flavor = "multi_thread")]
async fn the_cache_takes_no_more_than_it_may() {
    let dir = tempfile::tempdir().unwrap();
    let mut host = host(dir.path());
    let run = async |host: &Host, modules: std::ops::Range<usize>| {
        let bench = Bench::open_on(host.clone(), "").await;
        for n in modules {
            assert_eq!(bench.run(module(n)).await.exit_code(), 0);
        }
        bench.close().await;
    };
    run(&host, 0..1).await;
    let one = cached(&host).await[0].bytes;
    host.policy.cache_size = Some(Ruled::new(ByteSize(one * 5 / 2), "the test"));
    run(&host, 1..6).await;
    assert_eq!(cached(&host).await.len(), 2);
    // What does not fit at all is kept until something else is.
    host.policy.cache_size = Some(Ruled::new(ByteSize(1), "the test"));
    run(&host, 6..8).await;
    assert_eq!(cached(&host).await.len(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn without_a_cache_everything_works() {
    let bench = Bench::open("").await;
    assert_eq!(bench.run(module(1)).await.exit_code(), 0);
    bench.close().await;
}
