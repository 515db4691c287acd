//! The host file: what it forbids is refused before anything runs, with the line that forbids it.

use crate::support::Bench;

fn bench(text: &str) -> Bench {
    let bench = Bench::new();
    std::fs::create_dir_all(bench.path("config/bailiwick")).unwrap();
    bench.file("config/bailiwick/host.yaml", text);
    bench
}

#[test]
fn a_runtime_that_is_not_allowed_never_runs() {
    let bench = bench("# Nothing but this.\nruntimes: {allow: [other]}\n");
    for args in [&["run", "say"][..], &["run", "--spec", "polite", "say"], &["prepare", "--spec", "polite"]] {
        let said = bench.run(args).expect(2);
        assert!(said.stderr.contains("host.yaml:2 does not allow the runtime `echo`"), "{}", said.stderr);
    }
    let object = bench.run(&["run", "--json", "say"]).expect(2).object();
    assert_eq!(object["error"]["kind"], "forbidden");
    bench.run(&["doctor"]).expect(0);
}

#[test]
fn a_ceiling_lowers_defaults_and_forbids_more() {
    let bench = bench("ceilings:\n  wall_time: 20s\n  memory: 64MiB\n");
    let object = bench.run(&["run", "--json", "say"]).expect(0).object();
    assert_eq!(object["limits"]["wall_time"]["seconds"], 20.0, "{object}");
    bench.run(&["run", "--wall-time", "20s", "say"]).expect(0);
    let said = bench.run(&["run", "--wall-time", "21s", "--memory", "null", "say"]).expect(2);
    for says in ["host.yaml:2 allows at most 20.000 s of wall_time", "host.yaml:3 allows at most 64MiB of memory"] {
        assert!(said.stderr.contains(says), "{}", said.stderr);
    }
    let said = bench.run(&["run", "--spec", "polite", "say"]).expect(2);
    assert!(said.stderr.contains("the spec asks for 30.000 s"), "{}", said.stderr);
    bench.run(&["spec", "show", "polite", "--effective"]).expect(2);
}

#[test]
fn a_host_file_that_is_wrong_stops_everything_with_all_its_problems() {
    let bench = bench("max_runing: 4\ncache: {max_size: 0}\n");
    let said = bench.run(&["run", "say"]).expect(2);
    for says in ["2 problems", "host.yaml:1:1: max_runing", "host.yaml:2:", "schema host"] {
        assert!(said.stderr.contains(says), "{}", said.stderr);
    }
    let schema = Bench::new().run(&["schema", "host"]).expect(0);
    assert!(schema.text().contains("\"ceilings\""));
}
