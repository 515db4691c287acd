//! Where version 2025-09 has groups of test data: directly in `data/secret`, all of it in groups or none of it.

use std::collections::BTreeSet;

use super::file::Package;

const SECRET: &str = "data/secret";
/// What makes a directory a group.
const CONFIG: &str = "test_group.yaml";

/// Tells what one directory breaks of the rule.
pub(super) fn check(package: &mut Package, dir: &str, files: &BTreeSet<String>, dirs: &BTreeSet<String>) {
    let may_say = ["data/sample", SECRET].contains(&dir) || dir.rsplit_once('/').is_some_and(|(up, _)| up == SECRET);
    if files.contains(CONFIG) && !may_say {
        let hint = "groups are the directories in `data/secret`, and hold no further ones";
        package.tell(&format!("{dir}/{CONFIG}"), "stands where no group can be", hint);
    }
    if files.contains("test_group.in") {
        package.tell(&format!("{dir}/test_group.in"), "is a case with the name of a group's file", "name it otherwise");
    }
    if dir != SECRET {
        return;
    }
    let is_group = |name: &&String| package.has_file(&format!("{SECRET}/{name}/{CONFIG}"));
    let (groups, others): (Vec<&String>, Vec<&String>) = dirs.iter().partition(is_group);
    let Some(group) = groups.first() else { return };
    let cases = files.iter().filter(|name| name.ends_with(".in"));
    for name in others.into_iter().chain(cases) {
        let message = format!("stands beside the group `{group}`, and is of none");
        package.tell(&format!("{SECRET}/{name}"), message, &format!("put all of `{SECRET}` into groups, or nothing"));
    }
}
