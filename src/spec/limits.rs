//! The limits in force: defaults, values, and where each came from.

use std::time::Duration;

use super::{LimitName, LimitValue, Mode, OnUnsupported, OutputOverflow, Provenance};

/// One limit in force: its value, none for no limit, and where that came from.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Bound {
    /// The value; `None` is no limit.
    pub value: Option<LimitValue>,
    /// Where the value came from.
    pub from: Provenance,
}

/// Every limit in force, with its provenance, and the two policies.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct Limits {
    bounds: [Bound; LimitName::ALL.len()],
    pub(super) policy_from: Provenance,
    /// What happens at the output limit.
    pub output_overflow: OutputOverflow,
    /// What happens to a written limit that the runtime cannot hold.
    pub on_unsupported: OnUnsupported,
}

impl Limits {
    /// Gives the defaults of a mode; `docs/execution/specs.md` has the table.
    pub fn defaults(mode: Mode) -> Self {
        let evaluation = mode == Mode::Evaluation;
        let bounds =
            LimitName::ALL.map(|name| Bound { value: default_value(name, evaluation), from: Provenance::Default });
        let output_overflow = if evaluation { OutputOverflow::Stop } else { OutputOverflow::Truncate };
        Self { bounds, policy_from: Provenance::Default, output_overflow, on_unsupported: OnUnsupported::Refuse }
    }

    /// Gives the bound of one limit.
    pub fn get(&self, name: LimitName) -> Bound {
        self.bounds[name as usize]
    }

    /// Replaces the bound of one limit.
    pub fn set(&mut self, name: LimitName, bound: Bound) {
        self.bounds[name as usize] = bound;
    }

    /// Lists every limit with its bound.
    pub fn iter(&self) -> impl Iterator<Item = (LimitName, Bound)> + '_ {
        LimitName::ALL.into_iter().zip(self.bounds)
    }

    /// Gives a limit of time.
    pub fn time(&self, name: LimitName) -> Option<Duration> {
        match self.get(name).value? {
            LimitValue::Time(time) => Some(time),
            LimitValue::Bytes(_) | LimitValue::Count(_) | LimitValue::Cores(_) => None,
        }
    }

    /// Gives a limit that is a whole number: of bytes or of things.
    pub fn amount(&self, name: LimitName) -> Option<u64> {
        match self.get(name).value? {
            LimitValue::Bytes(amount) | LimitValue::Count(amount) => Some(amount),
            LimitValue::Time(_) | LimitValue::Cores(_) => None,
        }
    }
}

fn default_value(name: LimitName, evaluation: bool) -> Option<LimitValue> {
    const MIB: u64 = 1 << 20;
    const GIB: u64 = 1 << 30;
    let pick = |in_evaluation, in_agent| if evaluation { in_evaluation } else { in_agent };
    match name {
        LimitName::WallTime => evaluation.then_some(LimitValue::Time(Duration::from_secs(60))),
        LimitName::Memory => Some(LimitValue::Bytes(pick(512 * MIB, 8 * GIB))),
        LimitName::Output => Some(LimitValue::Bytes(16 * MIB)),
        LimitName::Disk => Some(LimitValue::Bytes(pick(GIB, 20 * GIB))),
        LimitName::Entries => Some(LimitValue::Count(pick(100_000, 1_000_000))),
        LimitName::OpenFiles => Some(LimitValue::Count(pick(256, 4096))),
        LimitName::Processes => Some(LimitValue::Count(pick(64, 1024))),
        LimitName::Stack => Some(LimitValue::Bytes(MIB)),
        LimitName::CpuTime | LimitName::IdleTime | LimitName::FileSize | LimitName::Cpus | LimitName::Fuel => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::spec::ByteSize;

    /// The page that documents limits; its table must be true.
    const PAGE: &str = include_str!("../../docs/execution/specs.md");

    #[test]
    fn the_page_has_every_limit_with_its_defaults() {
        let show = |value: Option<LimitValue>| match value {
            None => "none".to_owned(),
            Some(LimitValue::Time(time)) => format!("`{}s`", time.as_secs()),
            Some(LimitValue::Bytes(bytes)) => format!("`{}`", ByteSize(bytes)),
            Some(LimitValue::Count(count)) => count.to_string(),
            Some(LimitValue::Cores(cores)) => cores.to_string(),
        };
        let (evaluation, agent) = (Limits::defaults(Mode::Evaluation), Limits::defaults(Mode::Agent));
        for name in LimitName::ALL {
            let level = if name.is_per_command() { "command" } else { "runtime" };
            let row = PAGE.lines().find(|line| line.starts_with(&format!("| `{name}` |"))).unwrap();
            let defaults =
                format!("| {} | {} | {level} |", show(evaluation.get(name).value), show(agent.get(name).value));
            assert!(row.ends_with(&defaults), "{row}: {defaults}");
        }
    }
}
