//! What a wait status means, together with what the limits saw.

use std::time::Duration;

use super::attend::Facts;
use super::cgroup::Group;
use crate::runtime::{Denied, End, Measured};
use crate::spec::{LimitName, LimitValue, Limits};

/// The end of a command, with what it was refused.
#[derive(Debug)]
pub(super) struct Judged {
    pub(super) end: End,
    pub(super) denied: Vec<Denied>,
}

/// Explains an end.
pub(super) fn of(
    facts: &Facts,
    stopped: bool,
    limits: &Limits,
    cpu: &Measured<Duration>,
    peak: &Measured<u64>,
    group: &Group,
) -> Judged {
    let memory = (group.memory_kills() > 0).then(|| {
        let most = limits.amount(LimitName::Memory).unwrap_or(0);
        LimitValue::Bytes(peak.value().copied().unwrap_or(most).max(most))
    });
    let how = facts.status.map_or(How::Signal(libc::SIGKILL), How::of);
    let over_cpu = limits.time(LimitName::CpuTime).zip(cpu.value()).filter(|(limit, used)| *used >= limit);
    let end = match how {
        How::Code(code) if stopped => End::Stopped(Some(code)),
        How::Signal(_) if stopped => End::Stopped(None),
        How::Code(_) | How::Signal(_) if over_cpu.is_some() => {
            End::Limit(LimitName::CpuTime, LimitValue::Time(cpu.value().copied().unwrap_or_default()))
        }
        How::Signal(libc::SIGXFSZ) if limits.amount(LimitName::FileSize).is_some() => {
            let limit = limits.amount(LimitName::FileSize).unwrap_or_default();
            End::Limit(LimitName::FileSize, LimitValue::Bytes(limit))
        }
        How::Code(code) => End::Exited(code),
        How::Signal(signal) => {
            let by = facts.status.is_none().then_some("the death of its supervisor");
            match memory.filter(|_| signal == libc::SIGKILL) {
                Some(value) => End::Limit(LimitName::Memory, value),
                None => End::Signaled { signal, by },
            }
        }
    };
    let denied = memory.map(|value| Denied { limit: LimitName::Memory, value });
    Judged { end, denied: denied.into_iter().collect() }
}

/// How a process ended: a code and a signal are never the same thing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum How {
    Code(i32),
    Signal(i32),
}

impl How {
    fn of(status: i32) -> Self {
        if libc::WIFEXITED(status) {
            Self::Code(libc::WEXITSTATUS(status))
        } else {
            Self::Signal(libc::WTERMSIG(status))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::spec::{Bound, Mode, Provenance};

    fn end(status: Option<i32>, stopped: bool, limits: &Limits, cpu: u64) -> End {
        let facts = Facts { status, ..Facts::default() };
        let cpu = Measured::known(Duration::from_secs(cpu), "test");
        of(&facts, stopped, limits, &cpu, &Measured::not_measured("test"), &Group::default()).end
    }

    #[test]
    fn a_code_is_not_a_signal() {
        let limits = Limits::defaults(Mode::Evaluation);
        assert!(matches!(end(Some(137 << 8), false, &limits, 0), End::Exited(137)));
        assert!(matches!(end(Some(9), false, &limits, 0), End::Signaled { signal: 9, by: None }));
        assert!(matches!(end(None, false, &limits, 0), End::Signaled { signal: 9, by: Some(_) }));
        assert!(matches!(end(Some(3 << 8), true, &limits, 0), End::Stopped(Some(3))));
        assert!(matches!(end(Some(25), false, &limits, 0), End::Signaled { signal: 25, by: None }));
    }

    #[test]
    fn limits_that_the_kernel_holds_are_named() {
        let mut limits = Limits::defaults(Mode::Evaluation);
        let set = |value| Bound { value: Some(value), from: Provenance::Spec };
        limits.set(LimitName::FileSize, set(LimitValue::Bytes(10)));
        limits.set(LimitName::CpuTime, set(LimitValue::Time(Duration::from_secs(2))));
        assert!(matches!(end(Some(25), false, &limits, 0), End::Limit(LimitName::FileSize, _)));
        assert!(matches!(end(Some(24), false, &limits, 2), End::Limit(LimitName::CpuTime, _)));
        assert!(matches!(end(Some(0), false, &limits, 1), End::Exited(0)));
    }
}
