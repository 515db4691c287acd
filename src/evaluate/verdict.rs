//! What may come of a case: a verdict, and the facts that it stands on.

use std::fmt;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// What came of a case, in the words of judges.
///
/// The order is that of precedence: where several facts hold, the first of these is the verdict.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "UPPERCASE")]
#[schemars(inline)]
pub enum Verdict {
    /// Internal error: the host failed, and the submission was not judged.
    Ie,
    /// Not judged, because the run ended before it or was told to.
    Sk,
    /// Compile error: the submission never ran.
    Ce,
    /// Time limit exceeded: wall, cpu or idle time, or fuel.
    Tle,
    /// Memory limit exceeded.
    Mle,
    /// Output limit exceeded: what is printed, or what is written to the workspace.
    Ole,
    /// Run-time error: a signal, a trap, an exit code where success was expected.
    Rte,
    /// Wrong answer.
    Wa,
    /// Accepted.
    Ac,
}

impl Verdict {
    /// All verdicts, in the order of precedence.
    pub const ALL: [Self; 9] =
        [Self::Ie, Self::Sk, Self::Ce, Self::Tle, Self::Mle, Self::Ole, Self::Rte, Self::Wa, Self::Ac];

    /// Gives the two letters.
    pub fn name(self) -> &'static str {
        match self {
            Self::Ie => "IE",
            Self::Sk => "SK",
            Self::Ce => "CE",
            Self::Tle => "TLE",
            Self::Mle => "MLE",
            Self::Ole => "OLE",
            Self::Rte => "RTE",
            Self::Wa => "WA",
            Self::Ac => "AC",
        }
    }

    /// Says whether the submission was judged: anything but IE and SK.
    pub fn is_judged(self) -> bool {
        !matches!(self, Self::Ie | Self::Sk)
    }
}

impl fmt::Display for Verdict {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// A verdict with everything that was found, the submission's favourable facts left out.
#[derive(Clone, Debug, PartialEq)]
pub struct Judgement {
    /// The verdict: the first in precedence of all facts, `AC` where there is none.
    pub verdict: Verdict,
    /// What was found, in the order in which it was.
    pub facts: Vec<Fact>,
}

/// One thing that was found, and the verdict that it alone would give.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Fact {
    /// The step in which it was found, from 1; absent where it is of the whole case.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub step: Option<usize>,
    /// The verdict that it alone would give.
    pub verdict: Verdict,
    /// What was found.
    pub evidence: Evidence,
}

impl Judgement {
    /// Makes the judgement that facts lead to.
    pub fn of(facts: Vec<Fact>) -> Self {
        let verdict = facts.iter().map(|fact| fact.verdict).min().unwrap_or(Verdict::Ac);
        Self { verdict, facts }
    }

    /// Gives the fact that decided.
    pub fn decisive(&self) -> Option<&Fact> {
        self.facts.iter().find(|fact| fact.verdict == self.verdict)
    }
}

/// A figure whose key names its unit.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Figure {
    /// Seconds, with a fraction.
    Seconds(f64),
    /// Bytes.
    Bytes(u64),
    /// Things: files, processes, instructions.
    Count(u64),
    /// Processors, with a fraction.
    Cores(f64),
}

/// What was found.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(tag = "fact", rename_all = "snake_case")]
#[non_exhaustive]
pub enum Evidence {
    /// Something is not what was expected.
    Mismatch {
        /// What: `stdout`, `stderr`, `body`, `files.out.json`, `headers.etag`.
        what: String,
        /// The checker that found it.
        check: String,
        /// What it found, with no more of what was expected than its message needs.
        message: String,
        /// The first difference, which holds a part of what was expected.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        difference: Option<Difference>,
    },
    /// The submission ended by itself, with a code that is not accepted.
    ExitCode {
        /// The code.
        code: i32,
        /// The codes that are accepted.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        expected: Option<Vec<i32>>,
    },
    /// A server answered with a status that is not accepted.
    Status {
        /// The status.
        status: u16,
        /// The statuses that are accepted.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        expected: Option<Vec<u16>>,
    },
    /// A server gave no answer that can be read.
    NoAnswer {
        /// What came instead.
        message: String,
    },
    /// The submission met a limit.
    Limit {
        /// Its name.
        limit: String,
        /// What was measured.
        value: Figure,
        /// What was allowed.
        allowed: Figure,
    },
    /// A signal ended the submission.
    Signal {
        /// Its number.
        signal: i32,
    },
    /// The submission did what its machine forbids.
    Trap {
        /// The kind of trap.
        trap: String,
        /// A sentence for people.
        message: String,
    },
    /// The submission never ran.
    NotStarted {
        /// Why: `missing`, `bad_module`, `compile`, `setup_failed`, `entry`.
        reason: String,
        /// A sentence for people, and the words of the compiler or of the set-up.
        message: String,
        /// The names that are there, where that is the question.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        known: Vec<String>,
    },
    /// The host failed; the submission could do nothing about it.
    Host {
        /// What failed, with its causes.
        message: String,
        /// How often it was tried.
        tries: u32,
    },
    /// It was not run.
    Skipped {
        /// Why.
        why: String,
    },
}

/// The first place at which what came is not what was expected.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
pub struct Difference {
    /// Where: `line 3`, `$.items[2].name`; empty where there is no place.
    pub at: String,
    /// A little of what was expected there.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub expected: Option<String>,
    /// A little of what came.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub actual: Option<String>,
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fact(verdict: Verdict) -> Fact {
        Fact { step: None, verdict, evidence: Evidence::Skipped { why: String::new() } }
    }

    #[test]
    fn the_first_in_precedence_is_the_verdict() {
        let judgement = Judgement::of(vec![fact(Verdict::Wa), fact(Verdict::Tle), fact(Verdict::Rte)]);
        assert_eq!(judgement.verdict, Verdict::Tle);
        assert_eq!(judgement.decisive().map(|fact| fact.verdict), Some(Verdict::Tle));
        assert_eq!(Judgement::of(Vec::new()).verdict, Verdict::Ac);
    }

    #[test]
    fn names_are_those_of_json() {
        for verdict in Verdict::ALL {
            assert_eq!(serde_json::to_value(verdict).unwrap(), verdict.name());
        }
    }
}
