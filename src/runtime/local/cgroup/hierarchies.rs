//! Which controllers this process may use, and below which directory.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};

use rustix::fs::Access;

/// Something that a control group counts or bounds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in super::super) enum Controller {
    Memory,
    Pids,
    Cpu,
    CpuAccounting,
}

/// Which of the kernel's two interfaces.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in super::super) enum Version {
    V1,
    V2,
}

/// A directory below which groups with a controller can be made.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Place {
    pub(super) controller: Controller,
    pub(super) version: Version,
    pub(super) dir: PathBuf,
}

/// Every controller that this process may use.
#[derive(Debug, Default)]
pub(in super::super) struct Hierarchies {
    places: Vec<Place>,
}

impl Controller {
    pub(in super::super) const ALL: [Self; 4] = [Self::Memory, Self::Pids, Self::Cpu, Self::CpuAccounting];

    /// Gives the name that the kernel uses.
    pub(in super::super) fn name(self) -> &'static str {
        match self {
            Self::Memory => "memory",
            Self::Pids => "pids",
            Self::Cpu => "cpu",
            Self::CpuAccounting => "cpuacct",
        }
    }

    /// Names the file that shows that a group has the controller.
    pub(super) fn file(self, version: Version) -> &'static str {
        match (self, version) {
            (Self::Memory, Version::V1) => "memory.limit_in_bytes",
            (Self::Memory, Version::V2) => "memory.max",
            (Self::Pids, Version::V1 | Version::V2) => "pids.max",
            (Self::Cpu, Version::V1) => "cpu.cfs_quota_us",
            (Self::Cpu, Version::V2) => "cpu.max",
            (Self::CpuAccounting, Version::V1) => "cpuacct.usage",
            (Self::CpuAccounting, Version::V2) => "cpu.stat",
        }
    }
}

impl Hierarchies {
    /// Looks at where this process stands, and tries each place with a group that is removed at once.
    pub(in super::super) fn open_ambient() -> Self {
        let read = |path| fs::read_to_string(path).unwrap_or_default();
        let found = candidates(&read("/proc/self/mountinfo"), &read("/proc/self/cgroup"));
        let (mut places, unified): (Vec<_>, Vec<_>) = found.into_iter().partition(|place| place.version == Version::V1);
        places.retain(is_usable);
        // A process is in one group of version 2 only: all its controllers come from one place.
        let mut best: Vec<Place> = Vec::new();
        for beside in unified.chunk_by(|one, next| one.dir == next.dir) {
            let known = |place: &&Place| places.iter().all(|known| known.controller != place.controller);
            let usable: Vec<Place> = beside.iter().filter(known).filter(|place| is_usable(place)).cloned().collect();
            if usable.len() > best.len() {
                best = usable;
            }
        }
        places.extend(best);
        Self { places }
    }

    /// Gives the version of the interface that offers a controller, if one does.
    pub(in super::super) fn version(&self, controller: Controller) -> Option<Version> {
        self.place(controller).map(|place| place.version)
    }

    pub(super) fn place(&self, controller: Controller) -> Option<&Place> {
        self.places.iter().find(|place| place.controller == controller)
    }
}

/// Makes a name that no other group of this process has.
pub(super) fn fresh_name() -> String {
    static NEXT: AtomicU64 = AtomicU64::new(0);
    format!("bailiwick-{}-{}", std::process::id(), NEXT.fetch_add(1, Ordering::Relaxed))
}

/// Lists the places to try: below our own group and, on version 2, beside it.
///
/// Version 2 gives controllers only to the children of a group without processes, which our own group is not, unless
/// it is the root.
fn candidates(mountinfo: &str, own_groups: &str) -> Vec<Place> {
    let mut found = Vec::new();
    for (root, mount, fstype, options) in mountinfo.lines().filter_map(mount_fields) {
        let inside = |group: &str| {
            let below = Path::new(group).strip_prefix(root).unwrap_or(Path::new(""));
            Path::new(mount).join(below)
        };
        let own = |wanted: &dyn Fn(&str) -> bool| {
            let mut groups = own_groups.lines().filter_map(|line| line.split_once(':')?.1.split_once(':'));
            groups.find(|(names, _)| wanted(names)).map_or("/", |(_, group)| group)
        };
        if fstype == "cgroup2" {
            let group = own(&str::is_empty);
            let dir = inside(group);
            let beside = (group != "/").then(|| dir.parent().map(Path::to_owned)).flatten();
            for dir in [Some(dir), beside].into_iter().flatten() {
                found.extend(Controller::ALL.map(|controller| Place {
                    controller,
                    version: Version::V2,
                    dir: dir.clone(),
                }));
            }
        } else if fstype == "cgroup" {
            let has = |list: &str, controller: Controller| list.split(',').any(|name| name == controller.name());
            for controller in Controller::ALL.into_iter().filter(|controller| has(options, *controller)) {
                let dir = inside(own(&|names| has(names, controller)));
                found.push(Place { controller, version: Version::V1, dir });
            }
        }
    }
    found
}

/// Gives root, mount point, type and options of the super block of a line of `mountinfo`.
fn mount_fields(line: &str) -> Option<(&str, &str, &str, &str)> {
    let (mount, filesystem) = line.split_once(" - ")?;
    let (mut mount, mut filesystem) = (mount.split(' ').skip(3), filesystem.split(' '));
    let (root, at) = (mount.next()?, mount.next()?);
    let fstype = filesystem.next()?;
    Some((root, at, fstype, filesystem.nth(1)?))
}

fn is_usable(place: &Place) -> bool {
    let group = place.dir.join(fresh_name());
    let may_enter = |dir: &Path| rustix::fs::access(dir.join("cgroup.procs"), Access::WRITE_OK).is_ok();
    // On version 2 who enters needs the right in the group above, too.
    if (place.version == Version::V2 && !may_enter(&place.dir)) || fs::create_dir(&group).is_err() {
        return false;
    }
    let usable = group.join(place.controller.file(place.version)).exists() && may_enter(&group);
    fs::remove_dir(&group).is_ok() && usable
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places_of_version_1_are_below_our_own_groups() {
        let mounts = "30 25 0:27 / /sys/fs/cgroup/memory rw shared:9 - cgroup cgroup rw,memory\n\
                      31 25 0:28 /docker/x /sys/fs/cgroup/cpu,cpuacct ro - cgroup cgroup rw,cpu,cpuacct\n\
                      32 25 0:29 / /proc rw - proc proc rw\n";
        let found = candidates(mounts, "4:memory:/user/me\n3:cpu,cpuacct:/docker/x\n0::/\n");
        let places: Vec<_> = found.iter().map(|place| (place.controller, place.dir.to_str().unwrap())).collect();
        let cpu = "/sys/fs/cgroup/cpu,cpuacct/";
        assert_eq!(places[0], (Controller::Memory, "/sys/fs/cgroup/memory/user/me"));
        assert_eq!(places[1..], [(Controller::Cpu, cpu), (Controller::CpuAccounting, cpu)]);
    }

    #[test]
    fn places_of_version_2_are_below_our_own_group_and_beside_it() {
        let found = candidates("30 25 0:27 / /sys/fs/cgroup rw - cgroup2 cgroup2 rw,nsdelegate", "0::/user.slice/me\n");
        let memory: Vec<_> = found.iter().filter(|place| place.controller == Controller::Memory).collect();
        assert_eq!(memory.len(), 2);
        assert_eq!(memory[0].dir, Path::new("/sys/fs/cgroup/user.slice/me"));
        assert_eq!(memory[1].dir, Path::new("/sys/fs/cgroup/user.slice"));
        assert!(found.iter().all(|place| place.version == Version::V2));
    }
}
