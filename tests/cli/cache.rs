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
