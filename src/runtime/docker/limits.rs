//! Every limit of a container: what holds it at this engine, and the one function that applies them all.

use std::collections::HashMap;

use bollard::models::{HostConfig, ResourcesUlimits};

use super::DockerConfig;
use super::facts::Facts;
use crate::runtime::{Capability, EnforcementTable, Level, RuntimeInfo};
use crate::spec::{LimitName, LimitValue, Limits};

/// Tasks of a container that are not the guest's: the init and the keeper.
pub(super) const OWN_TASKS: u64 = 2;
/// How many tasks the engine itself needs in the container to start a command.
const START_TASKS: u64 = 14;
/// What a memory file system may take where no limit of disk says.
const TMPFS: u64 = 1 << 30;
/// What a guest may have of shared memory.
const SHARED_MEMORY: u64 = 64 << 20;

/// Applies every limit that a container has from its start; wall, idle and output are held above this runtime, and
/// processor time and disk are watched while a command runs.
pub(super) fn apply(limits: &Limits, facts: &Facts, host: HostConfig) -> HostConfig {
    let memory = limits.amount(LimitName::Memory).map(signed);
    let cpus = match limits.get(LimitName::Cpus).value {
        Some(LimitValue::Cores(cores)) => nano(cores),
        Some(LimitValue::Time(_) | LimitValue::Bytes(_) | LimitValue::Count(_)) | None => None,
    };
    let pids = limits.amount(LimitName::Processes).map(|most| signed(most.max(START_TASKS).saturating_add(OWN_TASKS)));
    let size = limits.amount(LimitName::Disk).filter(|_| facts.sized_layers);
    HostConfig {
        memory,
        // No swap beside it: equal means none.
        memory_swap: memory.filter(|_| facts.swap),
        nano_cpus: cpus,
        pids_limit: pids,
        ulimits: Some(ulimits(limits)),
        shm_size: Some(signed(limits.amount(LimitName::Disk).unwrap_or(SHARED_MEMORY).min(SHARED_MEMORY))),
        storage_opt: size.map(|size| HashMap::from([("size".to_owned(), size.to_string())])),
        ..host
    }
}

fn ulimits(limits: &Limits) -> Vec<ResourcesUlimits> {
    let both =
        |name: &str, most: i64| ResourcesUlimits { name: Some(name.to_owned()), soft: Some(most), hard: Some(most) };
    let amounts = [
        ("fsize", limits.amount(LimitName::FileSize)),
        ("nofile", limits.amount(LimitName::OpenFiles)),
        ("stack", limits.amount(LimitName::Stack)),
        // Behind the watch: it counts whole seconds, and each process for itself.
        ("cpu", limits.time(LimitName::CpuTime).map(|time| time.as_secs() + 2)),
        ("core", Some(0)),
    ];
    amounts.into_iter().filter_map(|(name, amount)| Some(both(name, signed(amount?)))).collect()
}

/// Says how large a memory file system may grow, where its own size is not written.
pub(super) fn tmpfs_size(limits: &Limits) -> u64 {
    limits.amount(LimitName::Disk).unwrap_or(TMPFS)
}

fn signed(amount: u64) -> i64 {
    i64::try_from(amount).unwrap_or(i64::MAX)
}

fn nano(cores: f64) -> Option<i64> {
    // Whole nanoseconds of a second, at least the engine's least: one hundredth of a core.
    format!("{:.0}", (cores * 1e9).max(1e7)).parse().ok()
}

/// Says what is held, and by what.
pub(super) fn enforcement(config: &DockerConfig, facts: &Facts) -> EnforcementTable {
    const DISK: &str = "the workspace and the container's own files, looked at every 250 ms";
    let held = |is_held: bool, by: &'static str, why: &'static str| {
        if is_held { (Level::Enforced, by) } else { (Level::Unsupported, why) }
    };
    let memory = match (facts.memory, facts.swap) {
        (true, true) => (Level::Enforced, "memory cgroup of the container, without swap"),
        (true, false) => (Level::BestEffort, "memory cgroup of the container; the engine does not count swap"),
        (false, _) => (Level::Unsupported, "the engine has no memory cgroup"),
    };
    let pids =
        "pids cgroup of the container; fewer than 14 are not held exactly, since the engine's own start needs them";
    let pids = held(facts.pids, pids, "the engine has no pids cgroup");
    let cpus = held(facts.cpus, "cpu cgroup of the container", "the engine has no cpu quota");
    let network = match config.network {
        Some(_) => (Level::BestEffort, "the network that the spec names"),
        None => (Level::Enforced, "none, but for the set-up"),
    };
    let root =
        if config.read_only_root { "the image's files are read-only" } else { "files of the image and the mounts" };
    EnforcementTable::default()
        .limit(LimitName::WallTime, Level::Enforced, "a timer, then the container is killed")
        .limit(
            LimitName::CpuTime,
            Level::Enforced,
            "the container's counter, looked at every 50 ms; RLIMIT_CPU behind it",
        )
        .limit(LimitName::IdleTime, Level::Enforced, "a timer, then the container is killed")
        .limit(LimitName::Memory, memory.0, memory.1)
        .limit(LimitName::Output, Level::Enforced, "counted as it is read")
        .limit(LimitName::Disk, Level::BestEffort, DISK)
        .limit(LimitName::Entries, Level::BestEffort, "those of the workspace, looked at every 250 ms")
        .limit(LimitName::FileSize, Level::Enforced, "RLIMIT_FSIZE")
        .limit(LimitName::OpenFiles, Level::Enforced, "RLIMIT_NOFILE, for each process")
        .limit(LimitName::Processes, pids.0, pids.1)
        .limit(LimitName::Cpus, cpus.0, cpus.1)
        .limit(LimitName::Stack, Level::Enforced, "RLIMIT_STACK; unwritten, the engine's own")
        .limit(LimitName::Fuel, Level::Unsupported, "processors of the host count no fuel")
        .capability(Capability::Files, Level::Enforced, root)
        .capability(Capability::Network, network.0, network.1)
        .capability(Capability::Ports, Level::Enforced, "published on 127.0.0.1, or by the container's own address")
        .capability(Capability::Mounts, Level::Enforced, "bind mounts, but for paths of the system and of the engine")
        .capability(Capability::Tty, Level::Unsupported, "what a guest prints could be taken for frames of the engine")
        .capability(Capability::Shell, Level::Enforced, "/bin/sh -c of the image")
        .capability(Capability::ReadOnlyAssets, Level::Enforced, "a read-only mount")
}

/// Says what was found at an engine.
pub(super) fn describe(endpoint: &str, facts: &Facts) -> RuntimeInfo {
    let mut info = RuntimeInfo::new(format!("docker {}", facts.version));
    let yes_no = |is: bool| if is { "yes" } else { "no" }.to_owned();
    let said = [
        ("endpoint", endpoint.to_owned()),
        ("api", facts.api.clone()),
        ("cgroups", facts.cgroups.name().to_owned()),
        ("storage driver", facts.driver.clone()),
        ("rootless", yes_no(facts.rootless)),
        ("seccomp", yes_no(facts.seccomp)),
    ];
    info.facts.extend(said.into_iter().map(|(name, value)| (name.to_owned(), value)));
    let lacks = [
        (facts.memory, "the engine has no memory cgroup: nothing bounds the memory of a guest"),
        (facts.swap, "the engine does not count swap: boot with swapaccount=1, or switch swap off"),
        (facts.pids, "the engine has no pids cgroup: nothing bounds the processes of a guest"),
        (facts.cpus, "the engine has no cpu quota: `cpus` is not held"),
        (facts.seccomp, "the engine filters no system calls: use one with seccomp"),
    ];
    info.weaker.extend(lacks.into_iter().filter(|(has, _)| !has).map(|(_, why)| why.to_owned()));
    if !facts.sized_layers {
        let why = "the storage driver bounds no container's files: `disk` is only looked at; use xfs with pquota";
        info.weaker.push(why.to_owned());
    }
    info
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::spec::{Bound, Mode, Provenance};

    #[test]
    fn limits_become_what_the_engine_holds() {
        let mut limits = Limits::defaults(Mode::Evaluation);
        limits.set(LimitName::Cpus, Bound { value: Some(LimitValue::Cores(0.5)), from: Provenance::Spec });
        let host = apply(&limits, &Facts::default(), HostConfig::default());
        assert_eq!((host.memory, host.memory_swap), (Some(512 << 20), Some(512 << 20)));
        assert_eq!((host.nano_cpus, host.pids_limit), (Some(500_000_000), Some(66)));
        assert!(host.ulimits.unwrap().iter().any(|one| one.name.as_deref() == Some("nofile") && one.hard == Some(256)));
        assert_eq!(host.storage_opt, None);
    }

    #[test]
    fn what_an_engine_lacks_is_not_said_to_be_held() {
        let facts = Facts { swap: false, pids: false, cpus: false, ..Facts::default() };
        let table = enforcement(&DockerConfig::default(), &facts);
        let level =
            |name| table.rows.iter().find(|row| row.subject == crate::runtime::Subject::Limit(name)).unwrap().level;
        assert_eq!(level(LimitName::Memory), Level::BestEffort);
        assert_eq!((level(LimitName::Processes), level(LimitName::Cpus)), (Level::Unsupported, Level::Unsupported));
        assert_eq!(apply(&Limits::defaults(Mode::Evaluation), &facts, HostConfig::default()).memory_swap, None);
    }
}
