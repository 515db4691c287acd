//! What an end means, as far as an engine tells it.

use std::time::Duration;

use crate::runtime::{Denied, End, Ending, Measured, NotStarted};
use crate::spec::{LimitName, LimitValue, Limits};

/// Why a signal is a guess.
const BY: &str = "exit code; the engine cannot tell";
const SIGKILL: i32 = 9;
const SIGXCPU: i32 = 24;
const SIGXFSZ: i32 = 25;

/// How a command came to its end.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum How {
    /// It ended with this code.
    Code(i32),
    /// The whole container ended.
    Died,
    /// It was ended.
    Stopped,
}

/// Explains an end; what it was refused stands beside it.
pub(super) fn of(
    how: &How,
    limits: &Limits,
    out_of_memory: bool,
    (cpu, peak): (&Measured<Duration>, &Measured<u64>),
) -> (End, Option<Denied>) {
    let most = limits.amount(LimitName::Memory).unwrap_or(0);
    let memory = out_of_memory.then(|| LimitValue::Bytes(peak.value().copied().unwrap_or(most).max(most)));
    let signal = match how {
        How::Stopped => return (End::Stopped(None), None),
        How::Died => Some(SIGKILL),
        How::Code(code) => Some(code - 128).filter(|signal| (1..=64).contains(signal)),
    };
    let end = match (how, signal) {
        (_, Some(SIGKILL)) if let Some(value) = memory => End::Limit(LimitName::Memory, value),
        (How::Code(_), Some(SIGXFSZ)) if let Some(most) = limits.amount(LimitName::FileSize) => {
            End::Limit(LimitName::FileSize, LimitValue::Bytes(most))
        }
        (How::Code(_), Some(SIGXCPU)) if let Some(most) = limits.time(LimitName::CpuTime) => {
            End::Limit(LimitName::CpuTime, LimitValue::Time(cpu.value().copied().unwrap_or(most)))
        }
        (How::Died, _) => End::Signaled { signal: SIGKILL, by: Some("the end of the container") },
        (_, Some(signal)) => End::Signaled { signal, by: Some(BY) },
        (How::Code(code), None) => End::Exited(*code),
        (How::Stopped, None) => End::Stopped(None),
    };
    (end, memory.map(|value| Denied { limit: LimitName::Memory, value }))
}

/// Reads the engine's words about a command that it could not start; none where the command is not why.
pub(super) fn not_started(words: &str, word: &str, cwd: &str) -> Option<Ending> {
    let word = word.escape_debug();
    if words.contains("chdir to cwd") {
        let message = format!("the working directory `{}` cannot be entered", cwd.escape_debug());
        return Some(Ending::not_started(NotStarted::Missing, message));
    }
    if !words.contains("exec: \"") && !words.contains("exec /") {
        return None;
    }
    let is_missing = words.contains("not found") || words.contains("no such file or directory");
    let (reason, message) = if is_missing {
        (NotStarted::Missing, format!("there is no program `{word}` in the container"))
    } else {
        (NotStarted::NotExecutable, format!("`{word}` cannot be run in the container"))
    };
    Some(Ending::not_started(reason, message))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::spec::{Bound, Mode, Provenance};

    fn end(code: i32, oom: bool) -> (End, bool) {
        let mut limits = Limits::defaults(Mode::Evaluation);
        limits.set(LimitName::FileSize, Bound { value: Some(LimitValue::Bytes(10)), from: Provenance::Spec });
        let unknown = (&Measured::not_measured("test"), &Measured::not_measured("test"));
        let (end, denied) = of(&How::Code(code), &limits, oom, unknown);
        (end, denied.is_some())
    }

    #[test]
    fn codes_are_read_as_signals_where_they_can_be() {
        assert!(matches!(end(0, false), (End::Exited(0), false)));
        assert!(matches!(end(128, false).0, End::Exited(128)));
        assert!(matches!(end(139, false).0, End::Signaled { signal: 11, by: Some(_) }));
        assert!(matches!(end(255, false).0, End::Exited(255)));
        assert!(matches!(end(153, false).0, End::Limit(LimitName::FileSize, _)));
        assert!(
            matches!(end(152, false).0, End::Signaled { signal: 24, .. }),
            "no limit of processor time is in force"
        );
    }

    #[test]
    fn a_plain_137_is_not_the_memory_limit() {
        assert!(matches!(end(137, false), (End::Signaled { signal: 9, .. }, false)));
        assert!(matches!(end(137, true), (End::Limit(LimitName::Memory, _), true)));
        assert!(matches!(end(1, true), (End::Exited(1), true)));
    }

    #[test]
    fn the_engines_words_are_read() {
        let reason = |words: &str| match not_started(words, "x", "/w").map(|ending| ending.end) {
            Some(End::NotStarted { reason, .. }) => Some(reason),
            _ => None,
        };
        let lead = "OCI runtime exec failed: exec failed: unable to start container process: ";
        let missing = "exec: \"x\": executable file not found in $PATH: unknown";
        assert_eq!(reason(&format!("{lead}{missing}")), Some(NotStarted::Missing));
        let refused = "exec: \"./x\": permission denied: unknown";
        assert_eq!(reason(&format!("{lead}{refused}")), Some(NotStarted::NotExecutable));
        let cwd = "chdir to cwd (\"/nope\") set in config.json failed: no such file or directory: unknown";
        assert_eq!(reason(&format!("{lead}{cwd}")), Some(NotStarted::Missing));
        assert_eq!(reason(&format!("{lead}read init-p: connection reset by peer: unknown")), None);
    }
}
