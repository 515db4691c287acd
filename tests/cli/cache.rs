//! `cache`: what is kept is listed, and goes when there is no room for it.

use crate::support::Bench;

#[test]
fn what_is_kept_is_listed_and_pruned_oldest_first() {
    let bench = Bench::new();
    let listed = bench.run(&["cache", "list", "--json"]).expect(0).object();
    assert_eq!((&listed["bytes"], listed["kept"].as_array().unwrap().len()), (&300.into(), 3));
    assert_eq!(listed["kept"][0]["name"], "oldest");
    assert!(bench.run(&["cache", "list"]).expect(0).text().ends_with("3 kept, 300B\n"));
    let pruned = bench.run(&["cache", "prune", "--max-size", "150", "--json"]).expect(0).object();
    assert_eq!((&pruned["bytes"], &pruned["removed_bytes"]), (&100.into(), &200.into()));
    assert_eq!(pruned["removed"][0]["name"], "oldest");
    assert!(bench.run(&["cache", "prune", "--max-size", "0"]).expect(0).text().ends_with("0 kept, 0B\n"));
    assert!(bench.run(&["cache", "prune"]).expect(0).text().ends_with("3 kept, 300B\n"));
    bench.run(&["cache", "prune", "--max-size", "much"]).expect(2);
}

#[test]
fn what_no_runtime_keeps_is_listed_and_pruned_too() {
    let bench = Bench::new();
    let (asset, tree) = (bench.path("cache/assets/aa"), bench.path("cache/compiled/bb-cc"));
    std::fs::create_dir_all(bench.path("cache/assets")).unwrap();
    std::fs::create_dir_all(tree.join("deep")).unwrap();
    let (archive, fetching) = (bench.path("cache/downloads/cc"), bench.path("cache/downloads/draft-fetch-1/cc"));
    std::fs::create_dir_all(fetching.parent().unwrap()).unwrap();
    let beside = bench.path("cache/beside");
    for file in [&asset, &tree.join("deep/file"), &archive, &fetching, &beside] {
        std::fs::write(file, [1; 10_000]).unwrap();
    }
    let listed = bench.run(&["cache", "list", "--json"]).expect(0).object();
    let of = |sort: &str| {
        let mut kept = listed["kept"].as_array().unwrap().iter();
        kept.find(|one| one["sort"] == sort).map(|one| (one["name"].clone(), one["bytes"].as_u64().unwrap())).unwrap()
    };
    assert_eq!(of("asset"), ("aa".into(), 10_000));
    assert_eq!(of("download"), ("cc".into(), 10_000));
    let (name, bytes) = of("submission");
    assert!(name == "bb-cc" && bytes >= 10_000, "{listed}");
    assert!(listed["kept"].as_array().unwrap().iter().all(|one| one["runtime"].is_null() != (one["sort"] == "voice")));
    let pruned = bench.run(&["cache", "prune", "--max-size", "1MiB", "--json"]).expect(0).object();
    assert!(pruned["removed"].as_array().unwrap().is_empty() && asset.is_file() && tree.is_dir(), "{pruned}");
    let pruned = bench.run(&["cache", "prune", "--max-size", "0"]).expect(0);
    let pruned = pruned.text();
    assert!(pruned.contains("removed -  asset  ") && pruned.contains("removed -  submission  "), "{pruned}");
    assert!(!asset.exists() && !tree.exists() && !archive.exists() && beside.is_file());
    assert!(fetching.is_file(), "somebody is at work there");
    let names: Vec<_> = std::fs::read_dir(bench.path("cache/compiled")).unwrap().collect();
    assert!(names.is_empty(), "{names:?}");
}
