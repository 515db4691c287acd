//! What a supervisor tells the engine: messages of one size, each in one write.

use std::time::Duration;

/// The size of a message; small enough for one atomic write to a pipe.
pub(super) const SIZE: usize = 56;

/// One message of a supervisor.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in super::super) enum Report {
    /// The guest could not be started.
    Refused(Refusal),
    /// The main process has ended.
    Ended {
        /// Its wait status.
        status: i32,
        /// What all processes of the command used that have ended.
        used: Used,
        /// Whether others of the command are alive.
        left: bool,
    },
    /// Every process of the command has ended, or could not be ended.
    Over {
        /// What they used.
        used: Used,
        /// Whether some could not be ended.
        left: bool,
    },
}

/// Why the guest could not be started.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in super::super) struct Refusal {
    /// What was being done.
    pub(in super::super) step: Step,
    /// What the kernel said.
    pub(in super::super) errno: i32,
}

/// What was being done when the guest could not be started.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in super::super) enum Step {
    Exec,
    Fork,
    Session,
    Cgroup,
    Streams,
    Directory,
    Limits,
}

/// What ended processes used, themselves and those they waited for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(in super::super) struct Used {
    /// Processor time, user and system.
    pub(in super::super) cpu: Duration,
    /// The largest resident set of any one process, in KiB.
    pub(in super::super) max_rss_kib: u64,
    /// How much of that a process may owe to the engine that it is a copy of, in KiB.
    pub(in super::super) inherited_kib: u64,
}

impl Step {
    const ALL: [Self; 7] =
        [Self::Exec, Self::Fork, Self::Session, Self::Cgroup, Self::Streams, Self::Directory, Self::Limits];

    /// Says what failed, for an error message.
    pub(in super::super) fn action(self) -> &'static str {
        match self {
            Self::Exec => "start the program",
            Self::Fork => "make a process",
            Self::Session => "make a session for the guest",
            Self::Cgroup => "enter the control group",
            Self::Streams => "set the guest's standard streams",
            Self::Directory => "enter the working directory",
            Self::Limits => "set the guest's limits",
        }
    }
}

impl Report {
    /// Writes the message out. Neither allocates nor panics: it runs in the supervisor.
    pub(super) fn encode(self) -> [u8; SIZE] {
        let used = |kind, first, used: Used, left: bool| {
            let (seconds, nanos) = (used.cpu.as_secs(), used.cpu.subsec_nanos().into());
            [kind, first, seconds, nanos, used.max_rss_kib, used.inherited_kib, left.into()]
        };
        let words = match self {
            Self::Refused(Refusal { step, errno }) => [1, step as u64, word(errno), 0, 0, 0, 0],
            Self::Ended { status, used: what, left } => used(2, word(status), what, left),
            Self::Over { used: what, left } => used(3, 0, what, left),
        };
        let mut bytes = [0; SIZE];
        for (place, word) in bytes.chunks_exact_mut(8).zip(words) {
            place.copy_from_slice(&word.to_ne_bytes());
        }
        bytes
    }

    /// Reads a message back; `None` for one that no supervisor writes.
    pub(in super::super) fn decode(bytes: &[u8; SIZE]) -> Option<Self> {
        let mut words = [0_u64; SIZE / 8];
        for (word, place) in words.iter_mut().zip(bytes.chunks_exact(8)) {
            *word = u64::from_ne_bytes(place.try_into().ok()?);
        }
        let [kind, first, seconds, nanos, max_rss_kib, inherited_kib, left] = words;
        let number = |word: u64| i32::try_from(word.cast_signed()).ok();
        let used = || {
            let nanos = u32::try_from(nanos).ok().filter(|nanos| *nanos < 1_000_000_000)?;
            Some(Used { cpu: Duration::new(seconds, nanos), max_rss_kib, inherited_kib })
        };
        Some(match kind {
            1 => {
                Self::Refused(Refusal { step: *Step::ALL.get(usize::try_from(first).ok()?)?, errno: number(seconds)? })
            }
            2 => Self::Ended { status: number(first)?, used: used()?, left: left != 0 },
            3 => Self::Over { used: used()?, left: left != 0 },
            _ => return None,
        })
    }
}

fn word(number: i32) -> u64 {
    i64::from(number).cast_unsigned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn messages_come_back_as_they_went() {
        let used = Used { cpu: Duration::from_micros(1_234_567), max_rss_kib: 4096, inherited_kib: 7 };
        for step in Step::ALL {
            let report = Report::Refused(Refusal { step, errno: 13 });
            assert_eq!(Report::decode(&report.encode()), Some(report));
        }
        for report in [Report::Ended { status: 137 << 8, used, left: true }, Report::Over { used, left: false }] {
            assert_eq!(Report::decode(&report.encode()), Some(report));
        }
        assert_eq!(Report::decode(&[0xFF; SIZE]), None);
    }
}
