//! The processes of a command, as `/proc` shows them: all below its supervisor.

use std::fs;
use std::time::Duration;

use rustix::process::{Pid, Signal, kill_process};

/// One process, as it was a moment ago.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Member {
    /// Its number.
    pub(super) pid: i32,
    /// What it used itself.
    pub(super) own_cpu: Duration,
    /// What those used that it has reaped.
    pub(super) reaped_cpu: Duration,
    /// Its resident memory, in bytes.
    pub(super) resident: u64,
}

/// Gives the process of that number, unless it is gone.
pub(super) fn member(pid: i32) -> Option<Member> {
    parse(pid, &fs::read_to_string(format!("/proc/{pid}/stat")).ok()?, rustix::param::page_size() as u64)
}

/// Lists the processes below one, parents before children.
pub(super) fn below(root: i32) -> Vec<Member> {
    let mut found = Vec::new();
    let mut parents = vec![root];
    while let Some(parent) = parents.pop() {
        for child in children(parent) {
            parents.push(child);
            found.extend(member(child));
        }
    }
    found
}

/// Gives the memory of the members with shared pages split between their holders, as far as it can be read.
pub(super) fn proportional(members: &[Member]) -> u64 {
    let of = |member: &Member| -> u64 {
        let rollup = fs::read_to_string(format!("/proc/{}/smaps_rollup", member.pid)).ok();
        let kib = rollup.as_deref().and_then(|text| {
            text.lines()
                .find_map(|line| line.strip_prefix("Pss:")?.trim().strip_suffix(" kB")?.trim().parse::<u64>().ok())
        });
        kib.map_or(member.resident, |kib| kib * 1024)
    };
    members.iter().map(of).sum()
}

/// Kills everything below a process that does not do so itself. Says whether all were gone in the end.
pub(super) fn kill_below(root: i32) -> bool {
    const ROUNDS: usize = 100;
    for _ in 0..ROUNDS {
        let left: Vec<Member> = below(root).into_iter().filter(|member| !is_zombie(member.pid)).collect();
        if left.is_empty() {
            return true;
        }
        for pid in left.iter().filter_map(|member| Pid::from_raw(member.pid)) {
            let _ = kill_process(pid, Signal::KILL);
        }
        std::thread::sleep(Duration::from_millis(1));
    }
    false
}

fn is_zombie(pid: i32) -> bool {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
    stat.rsplit_once(") ").is_none_or(|(_, rest)| rest.starts_with('Z') || rest.starts_with('X'))
}

/// A child belongs to the thread that made it.
fn children(pid: i32) -> Vec<i32> {
    let Ok(threads) = fs::read_dir(format!("/proc/{pid}/task")) else { return Vec::new() };
    let lists = threads.flatten().filter_map(|thread| fs::read_to_string(thread.path().join("children")).ok());
    lists
        .flat_map(|list| list.split_ascii_whitespace().filter_map(|pid| pid.parse().ok()).collect::<Vec<_>>())
        .collect()
}

/// Reads a line of `/proc/<pid>/stat`; the name in it may hold anything.
fn parse(pid: i32, stat: &str, page: u64) -> Option<Member> {
    let fields: Vec<&str> = stat.rsplit_once(") ")?.1.split(' ').collect();
    let number = |field: usize| fields.get(field - 3)?.trim().parse::<u64>().ok();
    // USER_HZ is 100 wherever this runs.
    let ticks = |field: usize| number(field).map(|ticks| Duration::from_millis(ticks.saturating_mul(10)));
    let (own_cpu, reaped_cpu) = (ticks(14)? + ticks(15)?, ticks(16)? + ticks(17)?);
    Some(Member { pid, own_cpu, reaped_cpu, resident: number(24)? * page })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_cannot_shift_the_fields() {
        let rest = "S 1 2 3 4 5 6 7 8 9 10 11 12 13 14 20 0 1 0 100 4096 25 0";
        let member = parse(7, &format!("7 (a) R 1 (b) {rest}"), 4096).unwrap();
        assert_eq!(member.own_cpu, Duration::from_millis(230));
        assert_eq!(member.reaped_cpu, Duration::from_millis(270));
        assert_eq!(member.resident, 25 * 4096);
        assert!(parse(7, "7 (a", 4096).is_none());
    }

    #[test]
    fn this_process_is_seen() {
        let own = i32::try_from(std::process::id()).unwrap();
        assert!(member(own).unwrap().resident > 0);
    }
}
