//! The counters of a container in the host's own control groups, where the engine's host is this one.
//!
//! An engine of 20.10 tells its counters once a second at most; the files behind them are read in microseconds.

use std::path::{Path, PathBuf};
use std::time::Duration;

use cap_std::ambient_authority;
use cap_std::fs::Dir;

use super::usage::Counters;

/// The control groups of one container.
#[derive(Debug)]
pub(super) enum Groups {
    /// One group for each controller.
    V1 { cpu: Option<Dir>, memory: Option<Dir>, pids: Option<Dir> },
    /// One for all.
    V2(Dir),
}

impl Groups {
    /// Finds them by a process of the container; none where that process is not of this host.
    ///
    /// The name of the container in the group's path proves that it is: an engine elsewhere has other process ids.
    pub(super) fn open_ambient(pid: i64, container: &str) -> Option<Self> {
        let text = |path: &str| std::fs::read_to_string(path).ok();
        let (own, mounts) = (text(&format!("/proc/{pid}/cgroup"))?, text("/proc/self/mountinfo")?);
        let open = |controller: &str| {
            let path = place(&own, &mounts, controller).filter(|path| path.to_string_lossy().contains(container))?;
            Dir::open_ambient_dir(path, ambient_authority()).ok()
        };
        // First: where both versions are mounted, version 2 has the processes and no counters.
        let (cpu, memory, pids) = (open("cpuacct"), open("memory"), open("pids"));
        if pids.is_some() {
            return Some(Self::V1 { cpu, memory, pids });
        }
        open("").map(Self::V2)
    }

    /// Reads the counters; nothing where the container has ended.
    pub(super) fn read(&self) -> Option<Counters> {
        match self {
            Self::V1 { cpu, memory, pids } => Some(Counters {
                cpu: number(cpu.as_ref(), "cpuacct.usage").map(Duration::from_nanos),
                peak: number(memory.as_ref(), "memory.max_usage_in_bytes"),
                refusals: number(memory.as_ref(), "memory.failcnt"),
                oom_kills: line(memory.as_ref(), "memory.oom_control", "oom_kill"),
                tasks: Some(number(pids.as_ref(), "pids.current")?),
            }),
            Self::V2(whole) => {
                let whole = Some(whole);
                Some(Counters {
                    cpu: line(whole, "cpu.stat", "usage_usec").map(Duration::from_micros),
                    peak: number(whole, "memory.peak"),
                    refusals: line(whole, "memory.events", "max"),
                    oom_kills: line(whole, "memory.events", "oom_kill"),
                    tasks: Some(number(whole, "pids.current")?),
                })
            }
        }
    }
}

fn number(dir: Option<&Dir>, file: &str) -> Option<u64> {
    dir?.read_to_string(file).ok()?.trim().parse().ok()
}

fn line(dir: Option<&Dir>, file: &str, name: &str) -> Option<u64> {
    let text = dir?.read_to_string(file).ok()?;
    let value = |line: &str| line.split_once(' ').filter(|(found, _)| *found == name)?.1.trim().parse().ok();
    text.lines().find_map(value)
}

/// Finds the directory of a process's group; the controller without a name is that of version 2.
fn place(own: &str, mounts: &str, controller: &str) -> Option<PathBuf> {
    let group = own.lines().find_map(|line| {
        let (_, rest) = line.split_once(':')?;
        let (controllers, path) = rest.split_once(':')?;
        controllers.split(',').any(|found| found == controller).then_some(path)
    })?;
    mounts.lines().find_map(|line| {
        let (before, after) = line.split_once(" - ")?;
        let (mut before, mut after) = (before.split(' ').skip(3), after.split(' '));
        let (root, point) = (before.next()?, before.next()?);
        let (kind, options) = (after.next()?, after.nth(1)?);
        let is_it = match kind {
            "cgroup2" => controller.is_empty(),
            "cgroup" => !controller.is_empty() && options.split(',').any(|found| found == controller),
            _ => false,
        };
        let below = Path::new(group).strip_prefix(root).ok()?;
        is_it.then(|| Path::new(point).join(below))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn groups_are_found_on_both_versions() {
        let own = "5:cpu,cpuacct:/docker/abc\n4:memory:/docker/abc\n0::/\n";
        let mounts = "31 25 0:28 / /sys/fs/cgroup/cpu,cpuacct rw - cgroup cgroup rw,cpu,cpuacct\n\
                      32 25 0:29 / /sys/fs/cgroup/memory rw - cgroup cgroup rw,memory\n";
        let of = |controller| place(own, mounts, controller).map(|path| path.to_string_lossy().into_owned());
        assert_eq!(of("cpuacct").as_deref(), Some("/sys/fs/cgroup/cpu,cpuacct/docker/abc"));
        assert_eq!((of("memory").is_some(), of("pids"), of("")), (true, None, None));
        let own = "0::/system.slice/docker-abc.scope\n";
        let mounts = "30 24 0:26 / /sys/fs/cgroup rw,nosuid - cgroup2 cgroup2 rw\n";
        let whole = place(own, mounts, "").unwrap();
        assert_eq!(whole, Path::new("/sys/fs/cgroup/system.slice/docker-abc.scope"));
    }

    #[test]
    fn counters_of_version_2_are_read() {
        let dir = tempfile::tempdir().unwrap();
        let files = [
            ("cpu.stat", "usage_usec 1500\nuser_usec 1000\n"),
            ("memory.peak", "4096\n"),
            ("memory.events", "low 0\nmax 3\noom 1\noom_kill 1\n"),
            ("pids.current", "2\n"),
        ];
        for (name, text) in files {
            std::io::Write::write_all(&mut std::fs::File::create(dir.path().join(name)).unwrap(), text.as_bytes())
                .unwrap();
        }
        let open = Dir::open_ambient_dir(dir.path(), ambient_authority()).unwrap();
        let counters = Groups::V2(open).read().unwrap();
        assert_eq!((counters.cpu, counters.peak), (Some(Duration::from_micros(1500)), Some(4096)));
        assert_eq!((counters.oom_kills, counters.refusals, counters.tasks), (Some(1), Some(3), Some(2)));
    }
}
