//! How much memory this process may use: the host's, its cgroup's and those above it.

use std::fs;
use std::path::{Path, PathBuf};

/// Gives the least of the host's available memory and the limits of this process's cgroups, in bytes.
pub(crate) fn memory() -> u64 {
    let read = |path: &Path| fs::read_to_string(path).ok();
    memory_by(&read)
}

fn memory_by(read: &dyn Fn(&Path) -> Option<String>) -> u64 {
    let host = read(Path::new("/proc/meminfo")).and_then(|text| available(&text)).unwrap_or(0);
    let groups = read(Path::new("/proc/self/cgroup")).unwrap_or_default();
    groups.lines().flat_map(limit_files).filter_map(|file| read(&file)?.trim().parse().ok()).fold(host, u64::min)
}

fn available(meminfo: &str) -> Option<u64> {
    let line = meminfo.lines().find_map(|line| line.strip_prefix("MemAvailable:"))?;
    let kibibytes: u64 = line.trim().strip_suffix("kB")?.trim().parse().ok()?;
    Some(kibibytes.saturating_mul(1024))
}

/// Names the files that hold the limits of one line of `/proc/self/cgroup`, up to the root.
///
/// In a container the path may be the host's, and the group's own files stand at the root of the mount.
fn limit_files(line: &str) -> Vec<PathBuf> {
    let mut fields = line.splitn(3, ':').skip(1);
    let (Some(controllers), Some(path)) = (fields.next(), fields.next()) else { return Vec::new() };
    let (roots, file): (&[&str], _) = if controllers.is_empty() {
        (&["/sys/fs/cgroup", "/sys/fs/cgroup/unified"], "memory.max")
    } else if controllers.split(',').any(|name| name == "memory") {
        (&["/sys/fs/cgroup/memory"], "memory.limit_in_bytes")
    } else {
        return Vec::new();
    };
    let below = Path::new(path.trim_start_matches('/'));
    let at = |root: &&str| below.ancestors().map(|up| Path::new(root).join(up).join(file)).collect::<Vec<_>>();
    roots.iter().flat_map(at).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn memory_of(files: &[(&str, &str)]) -> u64 {
        memory_by(&|path| files.iter().find(|(name, _)| Path::new(name) == path).map(|(_, text)| (*text).to_owned()))
    }

    const MEMINFO: (&str, &str) = ("/proc/meminfo", "MemTotal: 9 kB\nMemAvailable:  1000 kB\n");

    #[test]
    fn without_a_group_the_host_decides() {
        assert_eq!(memory_of(&[MEMINFO]), 1_024_000);
        assert_eq!(memory_of(&[]), 0, "an unknown is no reason to take memory");
    }

    #[test]
    fn the_tightest_group_above_counts() {
        let v2 = ("/proc/self/cgroup", "0::/a/b\n");
        let (a, b) = (("/sys/fs/cgroup/a/memory.max", "5000\n"), ("/sys/fs/cgroup/a/b/memory.max", "max\n"));
        assert_eq!(memory_of(&[MEMINFO, v2, a, b]), 5000);
        let v1 = ("/proc/self/cgroup", "4:memory:/x\n0::/\n");
        assert_eq!(memory_of(&[MEMINFO, v1, ("/sys/fs/cgroup/memory/memory.limit_in_bytes", "77")]), 77);
    }
}
