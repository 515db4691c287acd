//! What `selftest --json` prints.

use schemars::JsonSchema;
use serde::Serialize;

use super::{Amount, ErrorBody};
use crate::selftest::{Report, Tested};

/// What came of the self-test.
#[derive(Clone, Debug, Serialize, JsonSchema)]
#[schemars(title = "selftest")]
pub(in crate::cli) struct SelftestObject {
    /// The version of this object.
    pub(in crate::cli) version: u32,
    /// The version of bailiwick.
    pub(in crate::cli) bailiwick: &'static str,
    /// Whether every runtime that was tried holds what it claims, and at least one was.
    pub(in crate::cli) stands: bool,
    /// The runtimes, by name.
    pub(in crate::cli) runtimes: Vec<SelftestRuntime>,
}

/// What came of one runtime.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub(in crate::cli) struct SelftestRuntime {
    /// Its `type`.
    #[serde(rename = "type")]
    pub(in crate::cli) ty: &'static str,
    /// What came of it: `stands`, `falls`, `unavailable` (it cannot run here), `not_asked` (it needs consent).
    pub(in crate::cli) state: &'static str,
    /// Why nothing was tried.
    pub(in crate::cli) error: Option<ErrorBody>,
    /// The engine and its version.
    pub(in crate::cli) engine: Option<String>,
    /// What stands between guest and host.
    pub(in crate::cli) isolation: Option<&'static str>,
    /// How long it took.
    pub(in crate::cli) elapsed: Option<Amount>,
    /// One row a check.
    pub(in crate::cli) checks: Vec<SelftestCheck>,
}

/// One check.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub(in crate::cli) struct SelftestCheck {
    /// What was checked.
    pub(in crate::cli) check: &'static str,
    /// How well the runtime says it is held: `enforced`, `by construction`, `best effort`, `unsupported`; null: it is
    /// promised for every runtime.
    pub(in crate::cli) claim: Option<&'static str>,
    /// By what means, or why not.
    pub(in crate::cli) by: String,
    /// What came of it: `held`, `by construction`, `best effort`, `not claimed`, `BROKEN`, `NOT TRIED`.
    pub(in crate::cli) outcome: &'static str,
    /// What was seen.
    pub(in crate::cli) seen: String,
    /// How far past a limit of time the worst guest got; null for other checks.
    pub(in crate::cli) overshoot: Option<Amount>,
}

impl SelftestRuntime {
    /// Describes a runtime that was tried.
    pub(in crate::cli) fn tried(report: &Report) -> Self {
        Self {
            ty: report.runtime,
            state: if report.stands() { "stands" } else { "falls" },
            error: None,
            engine: Some(report.engine.clone()),
            isolation: Some(report.isolation),
            elapsed: Some(report.elapsed.into()),
            checks: report.rows.iter().map(SelftestCheck::of).collect(),
        }
    }

    /// Gives how long it took, for people.
    pub(in crate::cli) fn seconds(&self) -> Option<String> {
        match self.elapsed {
            Some(Amount::Seconds(seconds)) => Some(format!("{seconds:.1} s")),
            Some(Amount::Bytes(_) | Amount::Count(_) | Amount::Cores(_)) | None => None,
        }
    }

    /// Describes a runtime that was not.
    pub(in crate::cli) fn not_tried(ty: &'static str, state: &'static str, error: ErrorBody) -> Self {
        let error = Some(error);
        Self { ty, state, error, engine: None, isolation: None, elapsed: None, checks: Vec::new() }
    }
}

impl SelftestCheck {
    fn of(row: &Tested) -> Self {
        Self {
            check: row.check.name(),
            claim: row.claim.map(crate::runtime::Level::name),
            by: row.by.clone(),
            outcome: row.outcome.name(),
            seen: row.seen.clone(),
            overshoot: row.overshoot.map(Into::into),
        }
    }
}
