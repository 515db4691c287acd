//! How one command ended, in the shapes that `docs/execution/results.md` fixes.

use schemars::JsonSchema;
use serde::Serialize;

use super::Amount;
use crate::runtime::Termination;

/// How one command ended.
#[derive(Clone, Debug, Serialize, JsonSchema)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub(super) enum TerminationObject {
    /// The guest ended by itself.
    Exited {
        /// Its exit code, 0 to 255.
        code: i32,
    },
    /// A signal ended the guest.
    Signaled {
        /// The number of the signal.
        signal: i32,
        /// Its name, where it has one.
        name: Option<&'static str>,
        /// How that is known, where it is only inferred.
        by: Option<&'static str>,
    },
    /// The guest did what its machine forbids.
    Trapped {
        /// The kind of trap.
        trap: &'static str,
        /// A sentence for people.
        message: String,
        /// Function names, innermost first.
        backtrace: Vec<String>,
    },
    /// The guest met a limit.
    LimitExceeded {
        /// Which limit.
        limit: &'static str,
        /// What was measured.
        value: Amount,
        /// What was allowed.
        allowed: Amount,
    },
    /// Somebody ended the command.
    Killed {
        /// Who: `caller`, `interrupt`, `dropped`.
        by: &'static str,
    },
    /// The guest never ran.
    NotStarted {
        /// Why: `missing`, `not_executable`, `bad_module`, `unknown_import`, `compile_limit`, `setup_failed`.
        reason: &'static str,
        /// A sentence for people.
        message: String,
        /// The names that would have been known, where that is the question.
        known: Vec<String>,
    },
}

impl From<&Termination> for TerminationObject {
    fn from(termination: &Termination) -> Self {
        match termination.clone() {
            Termination::Exited { code } => Self::Exited { code },
            Termination::Signaled { signal, by } => Self::Signaled { signal, name: signal_name(signal), by },
            Termination::Trapped { trap, message, backtrace } => Self::Trapped { trap, message, backtrace },
            Termination::LimitExceeded { limit, value, allowed } => {
                Self::LimitExceeded { limit: limit.name(), value: value.into(), allowed: allowed.into() }
            }
            Termination::Killed { by } => Self::Killed { by: by.name() },
            Termination::NotStarted { reason, message, known } => {
                Self::NotStarted { reason: reason.name(), message, known }
            }
        }
    }
}

/// Names a signal of Linux.
fn signal_name(signal: i32) -> Option<&'static str> {
    const NAMES: [&str; 31] = [
        "SIGHUP",
        "SIGINT",
        "SIGQUIT",
        "SIGILL",
        "SIGTRAP",
        "SIGABRT",
        "SIGBUS",
        "SIGFPE",
        "SIGKILL",
        "SIGUSR1",
        "SIGSEGV",
        "SIGUSR2",
        "SIGPIPE",
        "SIGALRM",
        "SIGTERM",
        "SIGSTKFLT",
        "SIGCHLD",
        "SIGCONT",
        "SIGSTOP",
        "SIGTSTP",
        "SIGTTIN",
        "SIGTTOU",
        "SIGURG",
        "SIGXCPU",
        "SIGXFSZ",
        "SIGVTALRM",
        "SIGPROF",
        "SIGWINCH",
        "SIGIO",
        "SIGPWR",
        "SIGSYS",
    ];
    NAMES.get(usize::try_from(signal).ok()?.checked_sub(1)?).copied()
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use serde_json::json;

    use super::*;
    use crate::runtime::{Killer, NotStarted};
    use crate::spec::{LimitName, LimitValue};

    fn shape(termination: &Termination) -> serde_json::Value {
        serde_json::to_value(TerminationObject::from(termination)).unwrap()
    }

    #[test]
    fn the_shapes_are_those_of_the_results_page() {
        assert_eq!(shape(&Termination::Exited { code: 3 }), json!({"kind": "exited", "code": 3}));
        let signaled = Termination::Signaled { signal: 11, by: None };
        assert_eq!(shape(&signaled), json!({"kind": "signaled", "signal": 11, "name": "SIGSEGV", "by": null}));
        let trapped = Termination::Trapped { trap: "unreachable", message: "m".into(), backtrace: vec!["f".into()] };
        let expected = json!({"kind": "trapped", "trap": "unreachable", "message": "m", "backtrace": ["f"]});
        assert_eq!(shape(&trapped), expected);
        let value = LimitValue::Time(Duration::from_millis(1002));
        let allowed = LimitValue::Time(Duration::from_secs(1));
        let exceeded = Termination::LimitExceeded { limit: LimitName::WallTime, value, allowed };
        let expected = json!({"kind": "limit_exceeded", "limit": "wall_time", "value": {"seconds": 1.002},
            "allowed": {"seconds": 1.0}});
        assert_eq!(shape(&exceeded), expected);
        assert_eq!(shape(&Termination::Killed { by: Killer::Interrupt }), json!({"kind": "killed", "by": "interrupt"}));
        let missing = Termination::NotStarted { reason: NotStarted::Missing, message: "m".into(), known: vec![] };
        let expected = json!({"kind": "not_started", "reason": "missing", "message": "m", "known": []});
        assert_eq!(shape(&missing), expected);
    }

    #[test]
    fn signals_without_a_name_have_none() {
        assert_eq!((signal_name(0), signal_name(1), signal_name(31)), (None, Some("SIGHUP"), Some("SIGSYS")));
        assert_eq!((signal_name(32), signal_name(-1)), (None, None));
    }
}
