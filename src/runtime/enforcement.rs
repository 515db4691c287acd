//! What a runtime holds on this host, and what follows for the limits that were asked for.

use crate::error::{ErrorKind, ExecutionError};
use crate::spec::{Bound, LimitName, Limits, OnUnsupported, Provenance};

/// How well something is held.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Level {
    /// It holds.
    Enforced,
    /// It cannot be exceeded because the guest has no such thing.
    ByConstruction,
    /// It is sampled or held in part.
    BestEffort,
    /// Nothing holds it.
    Unsupported,
}

/// Something other than a limit that a runtime may offer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(missing_docs, reason = "each name says it; `docs/enforcement.md` has the table")]
pub enum Capability {
    Files,
    Network,
    Ports,
    Mounts,
    Tty,
    Shell,
    ReadOnlyAssets,
}

/// What a row of the table speaks of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Subject {
    /// A limit.
    Limit(LimitName),
    /// A capability.
    Capability(Capability),
}

/// One row: what, how well, by what means.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EnforcementRow {
    /// What the row speaks of.
    pub subject: Subject,
    /// How well it is held.
    pub level: Level,
    /// By what means, or why not.
    pub by: String,
}

/// Everything that a runtime says of its walls on this host.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct EnforcementTable {
    /// The rows; a limit without one is unsupported.
    pub rows: Vec<EnforcementRow>,
}

/// A limit that was asked for and is not, or not fully, held.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unheld {
    /// Which limit.
    pub limit: LimitName,
    /// Why, or by what means it is only watched.
    pub reason: String,
}

/// What came of the limits when they met the table.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct InForce {
    pub(crate) limits: Limits,
    pub(crate) best_effort: Vec<Unheld>,
    pub(crate) unenforced: Vec<Unheld>,
}

impl InForce {
    /// Keeps in the list what an earlier meeting dropped: its value is gone from the limits since.
    pub(crate) fn with_dropped(mut self, earlier: &[Unheld]) -> Self {
        let is_listed = |unheld: &&Unheld| !self.unenforced.iter().any(|listed| listed.limit == unheld.limit);
        let more: Vec<Unheld> = earlier.iter().filter(is_listed).cloned().collect();
        self.unenforced.extend(more);
        self.unenforced.sort_by_key(|unheld| unheld.limit);
        self
    }
}

impl EnforcementTable {
    /// Adds a row for a limit.
    #[must_use]
    pub fn limit(mut self, name: LimitName, level: Level, by: impl Into<String>) -> Self {
        self.rows.push(EnforcementRow { subject: Subject::Limit(name), level, by: by.into() });
        self
    }

    /// Adds a row for a capability.
    #[must_use]
    pub fn capability(mut self, capability: Capability, level: Level, by: impl Into<String>) -> Self {
        self.rows.push(EnforcementRow { subject: Subject::Capability(capability), level, by: by.into() });
        self
    }

    /// Says how well something is held, and by what means or why not. Without a row nothing holds it.
    pub fn claim(&self, subject: Subject) -> (Level, &str) {
        let row = self.rows.iter().find(|row| row.subject == subject);
        let without = match subject {
            Subject::Limit(_) => "this runtime has nothing that holds it",
            Subject::Capability(_) => "this runtime does not have it",
        };
        row.map_or((Level::Unsupported, without), |row| (row.level, row.by.as_str()))
    }

    /// Says whether the runtime has a capability, and if not, why.
    pub(crate) fn lacks(&self, capability: Capability) -> Option<&str> {
        match self.claim(Subject::Capability(capability)) {
            (Level::Unsupported | Level::ByConstruction, why) => Some(why),
            (Level::Enforced | Level::BestEffort, _) => None,
        }
    }

    /// Holds the limits against the table: refuses a written one that nothing holds, drops and lists a default.
    pub(crate) fn admit(&self, mut limits: Limits, runtime: &str) -> Result<InForce, ExecutionError> {
        let (mut best_effort, mut unenforced, mut refused) = (Vec::new(), Vec::new(), Vec::new());
        for name in LimitName::ALL {
            let Bound { value: Some(_), from } = limits.get(name) else { continue };
            let (level, by) = self.claim(Subject::Limit(name));
            let unheld = Unheld { limit: name, reason: by.to_owned() };
            match level {
                Level::Enforced | Level::ByConstruction => {}
                Level::BestEffort => best_effort.push(unheld),
                Level::Unsupported => {
                    if from != Provenance::Default && limits.on_unsupported == OnUnsupported::Refuse {
                        refused.push(format!("{name}: {by}"));
                    }
                    limits.set(name, Bound { value: None, from });
                    unenforced.push(unheld);
                }
            }
        }
        if refused.is_empty() {
            return Ok(InForce { limits, best_effort, unenforced });
        }
        let message = format!("the runtime `{runtime}` cannot hold what the limits ask for: {}", refused.join("; "));
        Err(ExecutionError::new(ErrorKind::Unenforceable, message)
            .with_hint("drop the limit, choose another runtime, or set `limits.on_unsupported: best_effort`"))
    }
}

impl Level {
    /// Gives the word used in JSON and in tables.
    pub fn name(self) -> &'static str {
        match self {
            Self::Enforced => "enforced",
            Self::ByConstruction => "by construction",
            Self::BestEffort => "best effort",
            Self::Unsupported => "unsupported",
        }
    }
}

impl Subject {
    /// Gives the word used in JSON and in tables.
    pub fn name(self) -> &'static str {
        match self {
            Self::Limit(limit) => limit.name(),
            Self::Capability(Capability::Files) => "files",
            Self::Capability(Capability::Network) => "network",
            Self::Capability(Capability::Ports) => "ports",
            Self::Capability(Capability::Mounts) => "mounts",
            Self::Capability(Capability::Tty) => "tty",
            Self::Capability(Capability::Shell) => "shell",
            Self::Capability(Capability::ReadOnlyAssets) => "read-only assets",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::spec::{LimitValue, Mode};

    fn table() -> EnforcementTable {
        LimitName::ALL
            .into_iter()
            .filter(|name| *name != LimitName::Disk)
            .fold(EnforcementTable::default(), |table, name| table.limit(name, Level::Enforced, "test"))
    }

    #[test]
    fn a_default_that_nothing_holds_is_dropped_and_listed() {
        let in_force = table().admit(Limits::defaults(Mode::Evaluation), "test").unwrap();
        assert_eq!(in_force.limits.get(LimitName::Disk).value, None);
        assert_eq!(in_force.unenforced.len(), 1);
        assert_eq!(in_force.unenforced[0].limit, LimitName::Disk);
    }

    #[test]
    fn a_written_limit_that_nothing_holds_is_refused_unless_best_effort() {
        let mut limits = Limits::defaults(Mode::Evaluation);
        limits.set(LimitName::Disk, Bound { value: Some(LimitValue::Bytes(5)), from: Provenance::Spec });
        let refused = table().admit(limits.clone(), "test").unwrap_err();
        assert_eq!(refused.kind(), ErrorKind::Unenforceable);
        assert!(refused.to_string().contains("disk"), "{refused}");
        limits.on_unsupported = OnUnsupported::BestEffort;
        assert_eq!(table().admit(limits, "test").unwrap().unenforced[0].limit, LimitName::Disk);
    }
}
