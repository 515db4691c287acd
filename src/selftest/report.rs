//! What came of the checks of one runtime, and when that is a failure.

use std::time::Duration;

use super::Check;
use super::check::Claim;
use super::stage::Trouble;
use crate::runtime::Level;

/// What came of a check.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// It is claimed, and it stands.
    Held,
    /// It cannot be exceeded because the guest has no such thing, and no guest can be made to try.
    ByConstruction,
    /// It is claimed in part; what was seen here is no promise.
    BestEffort,
    /// The runtime does not claim it here.
    NotClaimed,
    /// It is claimed, and it does not stand.
    Broken,
    /// It is claimed, and could not be tried.
    NotTried,
}

/// One row of a report.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Tested {
    /// What was checked.
    pub check: Check,
    /// How well the runtime's table says it is held; `None`: it is promised for every runtime.
    pub claim: Option<Level>,
    /// By what means, or why not.
    pub by: String,
    /// What came of it.
    pub outcome: Outcome,
    /// What was seen.
    pub seen: String,
    /// How far past a limit of time the worst guest got.
    pub overshoot: Option<Duration>,
}

/// What came of the self-test of one runtime.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Report {
    /// The runtime's `type`.
    pub runtime: &'static str,
    /// Its engine and version.
    pub engine: String,
    /// What stands between guest and host.
    pub isolation: &'static str,
    /// One row a check.
    pub rows: Vec<Tested>,
    /// How long it took.
    pub elapsed: Duration,
}

impl Report {
    /// Says whether everything that is claimed was tried and stands.
    pub fn stands(&self) -> bool {
        !self.rows.is_empty() && self.failures().next().is_none()
    }

    /// Lists the rows that do not stand.
    pub fn failures(&self) -> impl Iterator<Item = &Tested> {
        self.rows.iter().filter(|row| row.outcome.is_failure())
    }

    /// Finds the row of a check.
    pub fn row(&self, check: Check) -> Option<&Tested> {
        self.rows.iter().find(|row| row.check == check)
    }
}

impl Outcome {
    /// Says whether a claim does not stand, or was not tried.
    pub fn is_failure(self) -> bool {
        match self {
            Self::Broken | Self::NotTried => true,
            Self::Held | Self::ByConstruction | Self::BestEffort | Self::NotClaimed => false,
        }
    }

    /// Gives the word used in JSON and in tables.
    pub fn name(self) -> &'static str {
        match self {
            Self::Held => "held",
            Self::ByConstruction => "by construction",
            Self::BestEffort => "best effort",
            Self::NotClaimed => "not claimed",
            Self::Broken => "BROKEN",
            Self::NotTried => "NOT TRIED",
        }
    }
}

/// What a check saw.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Seen {
    pub(super) stands: bool,
    pub(super) text: String,
    pub(super) overshoot: Option<Duration>,
}

impl Seen {
    pub(super) fn stands(text: impl Into<String>) -> Self {
        Self { stands: true, text: text.into(), overshoot: None }
    }

    pub(super) fn falls(text: impl Into<String>) -> Self {
        Self { stands: false, text: text.into(), overshoot: None }
    }

    /// Stands where nothing speaks against it.
    pub(super) fn unless(against: Option<String>, text: impl Into<String>) -> Self {
        against.map_or_else(|| Self::stands(text), Self::falls)
    }
}

/// Holds what was seen against what is claimed.
pub(super) fn judge(check: Check, claim: Claim, tried: Result<Seen, Trouble>) -> Tested {
    let Claim { level, by } = claim;
    let overshoot = tried.as_ref().ok().and_then(|seen| seen.overshoot);
    let (outcome, seen) = match (level, tried) {
        (Some(Level::Unsupported), _) => (Outcome::NotClaimed, String::new()),
        (Some(Level::BestEffort), Ok(seen)) => {
            let here = if seen.stands { "it held here" } else { "it did not hold here" };
            (Outcome::BestEffort, format!("{here}: {}", seen.text))
        }
        (Some(Level::BestEffort), Err(trouble)) => (Outcome::BestEffort, format!("not tried: {trouble}")),
        (Some(Level::ByConstruction), Err(Trouble::NoGuest)) => (Outcome::ByConstruction, String::new()),
        (Some(Level::Enforced | Level::ByConstruction) | None, Ok(seen)) => {
            (if seen.stands { Outcome::Held } else { Outcome::Broken }, seen.text)
        }
        (_, Err(Trouble::Granted(text))) => (Outcome::NotClaimed, text),
        (Some(Level::Enforced | Level::ByConstruction) | None, Err(Trouble::Stuck(text))) => (Outcome::Broken, text),
        (Some(Level::Enforced | Level::ByConstruction) | None, Err(Trouble::Dropped(by))) => (Outcome::Broken, by),
        (Some(Level::Enforced | Level::ByConstruction) | None, Err(trouble)) => {
            (Outcome::NotTried, trouble.to_string())
        }
    };
    Tested { check, claim: level, by, outcome, seen, overshoot }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn outcome(level: Option<Level>, tried: Result<Seen, Trouble>) -> Outcome {
        judge(Check::Network, Claim { level, by: "test".to_owned() }, tried).outcome
    }

    #[test]
    fn what_is_claimed_must_be_tried_and_stand() {
        for level in [Some(Level::Enforced), None] {
            assert_eq!(outcome(level, Ok(Seen::stands("x"))), Outcome::Held);
            assert_eq!(outcome(level, Ok(Seen::falls("x"))), Outcome::Broken);
            assert_eq!(outcome(level, Err(Trouble::NoGuest)), Outcome::NotTried);
            assert_eq!(outcome(level, Err(Trouble::Unclear("x".to_owned()))), Outcome::NotTried);
            assert_eq!(outcome(level, Err(Trouble::Stuck("x".to_owned()))), Outcome::Broken);
        }
        assert_eq!(outcome(Some(Level::ByConstruction), Err(Trouble::NoGuest)), Outcome::ByConstruction);
        assert_eq!(outcome(Some(Level::ByConstruction), Ok(Seen::falls("x"))), Outcome::Broken);
        assert!(Outcome::Broken.is_failure() && Outcome::NotTried.is_failure());
    }

    #[test]
    fn what_is_not_claimed_is_never_held() {
        for tried in [Ok(Seen::stands("x")), Ok(Seen::falls("x")), Err(Trouble::NoGuest)] {
            assert_eq!(outcome(Some(Level::Unsupported), tried.clone()), Outcome::NotClaimed);
            assert_eq!(outcome(Some(Level::BestEffort), tried), Outcome::BestEffort);
        }
    }
}
