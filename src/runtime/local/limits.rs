//! Every limit of a local command: what holds it here, and the one function that applies them all.

use std::io;
use std::time::Duration;

use rustix::process::{Resource, Rlimit, getrlimit};

use super::LocalConfig;
use super::cgroup::{Controller, Group, Hierarchies, Settings, Version};
use crate::runtime::{Capability, EnforcementTable, Level, RuntimeInfo};
use crate::spec::{LimitName, LimitValue, Limits};

/// The limits of one command, ready to be applied and watched.
#[derive(Debug)]
pub(super) struct Applied {
    /// What the kernel holds for each process.
    pub(super) rlimits: Vec<(Resource, Rlimit)>,
    /// What the kernel holds for all of them together.
    pub(super) group: Group,
    /// Processor time of the tree, to be watched.
    pub(super) cpu_time: Option<Duration>,
    /// Memory of the tree, to be watched where no group holds it.
    pub(super) memory: Option<u64>,
}

/// Applies every limit but wall, idle and output, which are the same on all runtimes and held above this one.
pub(super) fn apply(limits: &Limits, config: &LocalConfig, hierarchies: &Hierarchies) -> io::Result<Applied> {
    let cpu_time = limits.time(LimitName::CpuTime);
    let memory = limits.amount(LimitName::Memory);
    let cpus = match limits.get(LimitName::Cpus).value {
        Some(LimitValue::Cores(cores)) => Some(cores),
        Some(LimitValue::Time(_) | LimitValue::Bytes(_) | LimitValue::Count(_)) | None => None,
    };
    let (pids, account_cpu) = (limits.amount(LimitName::Processes), cpu_time.is_some());
    let group = Group::make(hierarchies, Settings { memory, pids, cpus, account_cpu })?;
    let mut rlimits = vec![both(Resource::Core, 0)];
    let amounts = [
        (Resource::Fsize, limits.amount(LimitName::FileSize)),
        (Resource::Nofile, limits.amount(LimitName::OpenFiles)),
        (Resource::Stack, limits.amount(LimitName::Stack)),
        (Resource::As, config.address_space.map(|size| size.0)),
        // Behind the watch: it counts whole seconds, and each process for itself.
        (Resource::Cpu, cpu_time.map(|time| time.as_secs() + 2)),
    ];
    rlimits.extend(amounts.into_iter().filter_map(|(resource, amount)| Some(both(resource, amount?))));
    let memory = memory.filter(|_| !group.holds_memory());
    Ok(Applied { rlimits, group, cpu_time, memory })
}

/// Bounds the soft and the hard limit alike, but asks for no more than this process may give.
fn both(resource: Resource, amount: u64) -> (Resource, Rlimit) {
    let most = getrlimit(resource).maximum.unwrap_or(u64::MAX).min(amount);
    (resource, Rlimit { current: Some(most), maximum: Some(most) })
}

/// Says what is held on this host, and by what.
pub(super) fn enforcement(config: &LocalConfig, hierarchies: &Hierarchies) -> EnforcementTable {
    const SAMPLED: &str = "resident memory of the process tree, looked at every 10 ms: no memory cgroup can be made";
    const NO_PIDS: &str = "no pids cgroup can be made, and RLIMIT_NPROC counts processes that are not the guest's";
    const NO_DISK: &str = "nothing bounds a directory of the host";
    let by = |controller: Controller, otherwise: (Level, &'static str)| match hierarchies.version(controller) {
        Some(version) => (Level::Enforced, format!("{} cgroup ({})", controller.name(), version.name())),
        None => (otherwise.0, otherwise.1.to_owned()),
    };
    let shell = match &config.shell {
        Some(shell) => (Level::Enforced, format!("{shell} -c")),
        None => (Level::Unsupported, "`local.shell` is not set".to_owned()),
    };
    let cpu_by = match hierarchies.version(Controller::CpuAccounting) {
        Some(_) => "cpuacct cgroup, looked at every 10 ms; RLIMIT_CPU behind it",
        None => "the process tree, looked at every 10 ms; RLIMIT_CPU behind it",
    };
    let memory = by(Controller::Memory, (Level::BestEffort, SAMPLED));
    let processes = by(Controller::Pids, (Level::Unsupported, NO_PIDS));
    let cpus = by(Controller::Cpu, (Level::Unsupported, "no cpu cgroup can be made"));
    EnforcementTable::default()
        .limit(LimitName::WallTime, Level::Enforced, "a timer, then SIGTERM, 100 ms, SIGKILL")
        .limit(LimitName::CpuTime, Level::Enforced, cpu_by)
        .limit(LimitName::IdleTime, Level::Enforced, "a timer, then SIGTERM, 100 ms, SIGKILL")
        .limit(LimitName::Memory, memory.0, memory.1)
        .limit(LimitName::Output, Level::Enforced, "counted as it is read")
        .limit(LimitName::Disk, Level::Unsupported, NO_DISK)
        .limit(LimitName::Entries, Level::Unsupported, NO_DISK)
        .limit(LimitName::FileSize, Level::Enforced, "RLIMIT_FSIZE")
        .limit(LimitName::OpenFiles, Level::Enforced, "RLIMIT_NOFILE, for each process")
        .limit(LimitName::Processes, processes.0, processes.1)
        .limit(LimitName::Cpus, cpus.0, cpus.1)
        .limit(LimitName::Stack, Level::Enforced, "RLIMIT_STACK; unwritten, the host's own")
        .limit(LimitName::Fuel, Level::Unsupported, "processors of the host count no fuel")
        .capability(Capability::Files, Level::Unsupported, "the guest sees the host's files")
        .capability(Capability::Network, Level::Unsupported, "the guest has the host's network")
        .capability(Capability::Ports, Level::BestEffort, "the guest binds the host's own ports")
        .capability(Capability::Mounts, Level::Unsupported, "the guest sees the host's paths as they are")
        .capability(Capability::Tty, Level::Enforced, "a pseudo-terminal")
        .capability(Capability::Shell, shell.0, shell.1)
        .capability(Capability::ReadOnlyAssets, Level::BestEffort, "a copy; the original is never handed out")
}

/// Adds what a look at this host found.
pub(super) fn describe(hierarchies: &Hierarchies, info: &mut RuntimeInfo) {
    for controller in Controller::ALL {
        let version = hierarchies.version(controller);
        let found = version.map_or("none can be made", Version::name);
        info.facts.push((format!("{} cgroup", controller.name()), found.to_owned()));
        if version.is_none() {
            let name = controller.name();
            info.weaker.push(format!("no {name} cgroup can be made: run as root, or delegate one to this user"));
        }
    }
    info.weaker.push("nothing isolates the guest from this host: use the wasi or the docker runtime".to_owned());
    if Controller::ALL.into_iter().any(|controller| hierarchies.version(controller) == Some(Version::V1)) {
        let cost = "entering a version 1 cgroup can take 15 ms before the guest starts: version 2 does not wait";
        info.slower.push(cost.to_owned());
    }
}

impl Version {
    fn name(self) -> &'static str {
        match self {
            Self::V1 => "version 1",
            Self::V2 => "version 2",
        }
    }
}
