//! From what a command did to facts: pure, and the same for every runtime.

use crate::evaluate::{Evidence, ExitCodes, Expect, Figure, Verdict};
use crate::runtime::{RuntimeResult, Termination};
use crate::spec::{LimitName, LimitValue};

/// Gives what speaks against a submission in how its command ended.
pub(crate) fn of_ending(result: &RuntimeResult, expect: &Expect) -> Option<(Verdict, Evidence)> {
    match &result.termination {
        Termination::Exited { code } => of_exit_code(*code, &expect.exit_code),
        Termination::Signaled { signal, .. } => Some((Verdict::Rte, Evidence::Signal { signal: *signal })),
        Termination::Trapped { trap, message, .. } => {
            Some((Verdict::Rte, Evidence::Trap { trap: (*trap).to_owned(), message: message.clone() }))
        }
        Termination::LimitExceeded { limit, value, allowed } => {
            let evidence =
                Evidence::Limit { limit: limit.name().to_owned(), value: (*value).into(), allowed: (*allowed).into() };
            Some((of_limit(*limit), evidence))
        }
        Termination::Killed { .. } => {
            Some((Verdict::Sk, Evidence::Skipped { why: "the run was ended while it ran".to_owned() }))
        }
        Termination::NotStarted { reason, message, known } => {
            let (reason, message) = (reason.name().to_owned(), message.clone());
            Some((Verdict::Ce, Evidence::NotStarted { reason, message, known: known.clone() }))
        }
    }
}

/// A failure where success was expected is a run-time error; any other wrong code is a wrong answer.
fn of_exit_code(code: i32, accepted: &ExitCodes) -> Option<(Verdict, Evidence)> {
    if accepted.accepts(code) {
        return None;
    }
    let expected = match accepted {
        ExitCodes::Any => None,
        ExitCodes::OneOf(codes) => Some(codes.clone()),
    };
    let verdict = if accepted.accepts(0) { Verdict::Rte } else { Verdict::Wa };
    Some((verdict, Evidence::ExitCode { code, expected }))
}

fn of_limit(limit: LimitName) -> Verdict {
    match limit {
        LimitName::WallTime | LimitName::CpuTime | LimitName::IdleTime | LimitName::Fuel => Verdict::Tle,
        LimitName::Memory => Verdict::Mle,
        LimitName::Output | LimitName::Disk | LimitName::Entries | LimitName::FileSize => Verdict::Ole,
        LimitName::OpenFiles | LimitName::Processes | LimitName::Cpus | LimitName::Stack => Verdict::Rte,
    }
}

impl From<LimitValue> for Figure {
    fn from(value: LimitValue) -> Self {
        match value {
            LimitValue::Time(time) => Self::Seconds(time.as_secs_f64()),
            LimitValue::Bytes(bytes) => Self::Bytes(bytes),
            LimitValue::Count(count) => Self::Count(count),
            LimitValue::Cores(cores) => Self::Cores(cores),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn verdict(code: i32, accepted: &[i32]) -> Option<Verdict> {
        of_exit_code(code, &ExitCodes::OneOf(accepted.to_vec())).map(|(verdict, _)| verdict)
    }

    #[test]
    fn a_failure_that_was_not_asked_for_is_a_run_time_error() {
        assert_eq!(verdict(0, &[0]), None);
        assert_eq!(verdict(3, &[3, 4]), None);
        assert_eq!(verdict(1, &[0]), Some(Verdict::Rte));
        assert_eq!(verdict(0, &[3]), Some(Verdict::Wa));
        assert_eq!(verdict(4, &[3]), Some(Verdict::Wa));
        assert_eq!(of_exit_code(77, &ExitCodes::Any), None);
    }

    #[test]
    fn every_limit_has_a_verdict() {
        let of = |verdict| LimitName::ALL.into_iter().filter(|limit| of_limit(*limit) == verdict).count();
        assert_eq!([Verdict::Tle, Verdict::Mle, Verdict::Ole, Verdict::Rte].map(of), [4, 1, 4, 4]);
    }
}
