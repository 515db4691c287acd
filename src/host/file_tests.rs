use std::io::Write;

use super::*;
use crate::spec::LimitValue;

fn read(files: &[&str]) -> Result<HostPolicy, ExecutionError> {
    let dir = tempfile::tempdir().unwrap();
    let paths: Vec<PathBuf> = (0..files.len()).map(|n| dir.path().join(format!("{n}.yaml"))).collect();
    for (path, text) in paths.iter().zip(files) {
        std::fs::File::create(path).unwrap().write_all(text.as_bytes()).unwrap();
    }
    let missing = dir.path().join("missing.yaml");
    HostPolicy::open_ambient_files(&[paths, vec![missing]].concat())
}

const MACHINE: &str = "\
runtimes: {allow: [stone, paper]}
ceilings:
  memory: 1GiB
  wall_time: 5m
max_running: 4
cache: {max_size: 2GiB}
";

#[test]
fn what_is_not_there_allows_everything() {
    assert_eq!(read(&[]).unwrap(), HostPolicy::default());
    assert_eq!(read(&["", "version: 1\n"]).unwrap(), HostPolicy::default());
}

#[test]
fn a_later_file_tightens_and_each_value_names_its_line() {
    let policy = read(&[MACHINE, "runtimes: {allow: [stone]}\nceilings: {memory: 512MiB, fuel: 1000}\n"]).unwrap();
    let runtimes = policy.runtimes.unwrap();
    assert_eq!(runtimes.value, BTreeSet::from(["stone".to_owned()]));
    assert!(runtimes.by.ends_with("1.yaml:1"), "{}", runtimes.by);
    let memory = &policy.ceilings[&LimitName::Memory];
    assert_eq!(memory.value, LimitValue::Bytes(512 << 20));
    assert!(policy.ceilings[&LimitName::WallTime].by.ends_with("0.yaml:4"));
    assert!(policy.ceilings.contains_key(&LimitName::Fuel));
    assert_eq!((policy.max_running.unwrap().value, policy.cache_size.unwrap().value), (4, ByteSize(2 << 30)));
}

#[test]
fn whatever_would_loosen_is_forbidden_all_of_it() {
    let user = "runtimes: {allow: [stone, glass]}\nceilings: {memory: 2GiB}\nmax_running: 5\ncache: {max_size: 3GiB}\n";
    let error = read(&[MACHINE, user]).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Forbidden);
    let text = error.to_string();
    for says in ["4 problems", "`glass`", "2GiB is above the 1GiB", "5 is above the 4", "3GiB is above the 2GiB"] {
        assert!(text.contains(says), "{text}");
    }
    assert!(text.contains("1.yaml:2:") && text.contains("0.yaml:3 allows"), "{text}");
}

#[test]
fn what_cannot_be_read_is_told_with_its_line() {
    let error = read(&["ceilings: {memory: lots}\nmax_running: 0\nnetwork: {}\n", "version: 9\n"]).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Spec);
    let text = error.to_string();
    for says in ["0.yaml:1:", "ceilings.memory", "max_running", "network", "1.yaml:1:10: version: 9"] {
        assert!(text.contains(says), "{text}");
    }
    let error = read(&["ceilings: {on_unsupported: best_effort}\n"]).unwrap_err();
    assert!(error.to_string().contains("no ceiling"), "{error}");
}
