//! What a command used: watched while it runs, settled when it has ended, each figure with its source.

use std::time::{Duration, Instant};

use super::cgroup::Group;
use super::limits::Applied;
use super::supervisor::Used;
use super::tree;
use crate::runtime::{Measured, Stop};
use crate::spec::{LimitName, LimitValue};

/// How often a running command is looked at.
const EVERY: Duration = Duration::from_millis(10);
/// The shortest time between two looks, near a limit.
const AT_LEAST: Duration = Duration::from_millis(1);
/// Looking may cost at most this part of the time.
const SHARE: u32 = 20;

/// Looks at a running command for limits that the kernel does not hold.
#[derive(Debug)]
pub(super) struct Watcher {
    cpu_time: Option<Duration>,
    memory: Option<u64>,
    peak: Option<u64>,
    next: Duration,
}

impl Watcher {
    pub(super) fn new(applied: &Applied) -> Self {
        let next = applied.cpu_time.map_or(EVERY, |limit| limit.clamp(AT_LEAST, EVERY));
        Self { cpu_time: applied.cpu_time, memory: applied.memory, peak: None, next }
    }

    /// Says whether there is anything to look for.
    pub(super) fn is_needed(&self) -> bool {
        self.cpu_time.is_some() || self.memory.is_some()
    }

    /// Waits until it is time to look.
    ///
    /// Cancel safe.
    pub(super) async fn due(&self, since: Instant) {
        tokio::time::sleep_until((since + self.next).into()).await;
    }

    /// Looks once; gives the limit that the command is over, if it is.
    pub(super) fn look(&mut self, supervisor: i32, group: &Group) -> Option<Stop> {
        let began = Instant::now();
        let members =
            if self.memory.is_some() || group.cpu_time().is_none() { tree::below(supervisor) } else { vec![] };
        self.next = EVERY;
        if let Some(limit) = self.cpu_time {
            let live = || {
                let reaped = tree::member(supervisor).map_or(Duration::ZERO, |root| root.reaped_cpu);
                members.iter().map(|member| member.own_cpu + member.reaped_cpu).sum::<Duration>() + reaped
            };
            let used = group.cpu_time().unwrap_or_else(live);
            if used >= limit {
                return Some(Stop::Limit(LimitName::CpuTime, LimitValue::Time(used)));
            }
            self.next = (limit - used).clamp(AT_LEAST, EVERY);
        }
        if let Some(limit) = self.memory {
            let resident = members.iter().map(|member| member.resident).sum();
            self.peak = self.peak.max(Some(resident));
            // Pages that several processes share were counted several times.
            let over = (resident > limit).then(|| tree::proportional(&members)).filter(|own| *own > limit);
            if let Some(own) = over {
                return Some(Stop::Limit(LimitName::Memory, LimitValue::Bytes(own)));
            }
        }
        self.next = self.next.max(began.elapsed() * SHARE);
        None
    }

    /// Gives the most resident memory that was seen.
    pub(super) fn peak(&self) -> Option<u64> {
        self.peak
    }
}

/// Settles the processor time: the group's count, else what the supervisor's reaped children used.
pub(super) fn cpu_time(used: Option<Used>, group: &Group) -> Measured<Duration> {
    match (group.cpu_time(), used) {
        (Some(time), _) => Measured::known(time, "cpuacct cgroup of the command"),
        (None, Some(used)) => Measured::known(used.cpu, "rusage of the process tree"),
        (None, None) => Measured::not_measured("the supervisor was killed"),
    }
}

/// Settles the peak of memory.
///
/// The kernel carries the size of a forked process into the figures of the program it becomes: a guest that stayed
/// below what this process itself holds has no figure of its own, and none is made up.
pub(super) fn peak_memory(used: Option<Used>, seen: Option<u64>, group: &Group) -> Measured<u64> {
    const SLACK_KIB: u64 = 512;
    if let Some(peak) = group.peak_memory() {
        return Measured::known(peak, "memory cgroup of the command");
    }
    match (used.filter(|used| used.max_rss_kib > used.inherited_kib + SLACK_KIB), seen) {
        (Some(used), seen) if seen.is_none_or(|seen| seen < used.max_rss_kib * 1024) => {
            Measured::known(used.max_rss_kib * 1024, "rusage, largest process")
        }
        (_, Some(seen)) => Measured::known(seen, "resident memory of the process tree, every 10 ms"),
        (_, None) => Measured::not_measured("less than the engine itself held, which the kernel counts as the guest's"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_the_engine_held_is_not_the_guests() {
        let used = |kib| Some(Used { cpu: Duration::ZERO, max_rss_kib: kib, inherited_kib: 10_000 });
        let peak = |used, seen| peak_memory(used, seen, &Group::default()).value().copied();
        assert_eq!(peak(used(10_100), None), None);
        assert_eq!(peak(used(10_100), Some(5)), Some(5));
        assert_eq!(peak(used(20_000), Some(5)), Some(20_000 * 1024));
        assert_eq!(peak(used(20_000), Some(30_000 * 1024)), Some(30_000 * 1024));
        assert_eq!(peak(None, None), None);
    }
}
