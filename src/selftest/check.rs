//! The checks: what each is called, what it shows, and what of the enforcement table it is held against.

use crate::runtime::{Capability, EnforcementTable, Level, Subject};
use crate::spec::LimitName;

/// One check of the self-test.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Check {
    /// A limit lets through what stays below it and ends or refuses what goes past it.
    Limit(LimitName),
    /// Output past its limit is cut, counted and declared where the guest may run on.
    OutputCut,
    /// No file of the host is read, by no spelling of its path.
    HostFilesUnread,
    /// No file of the host is written.
    HostFilesUnwritten,
    /// No symlink that the guest makes leads out of the workspace.
    LinksLeadNowhere,
    /// No address of the host can be connected to, and there is no way out.
    Network,
    /// The host follows no symlink of the guest's when it reads files back.
    HostFollowsNoLink,
    /// No variable of the host's environment is seen.
    Environment,
    /// What a guest prints arrives byte for byte on the right stream.
    OutputIntact,
    /// How a guest ended is told truly: codes, signals and traps, a program that is not there.
    TrueEndings,
    /// What a guest prints or exits with is never taken for a result.
    NoForgery,
    /// Nothing of a command is alive when it has ended, was stopped by a limit, or was killed.
    NothingRuns,
    /// Nothing is left behind: descriptors, processes, directories, what an engine holds.
    NothingLeft,
}

/// What is claimed of a check.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Claim {
    /// How well the table says it is held; `None`: it is promised for every runtime.
    pub(super) level: Option<Level>,
    /// By what means, or why not.
    pub(super) by: String,
}

impl Check {
    /// Lists every check, in the order of a report.
    pub fn all() -> Vec<Self> {
        let limits = LimitName::ALL.into_iter().map(Self::Limit);
        let rest = [
            Self::OutputCut,
            Self::HostFilesUnread,
            Self::HostFilesUnwritten,
            Self::LinksLeadNowhere,
            Self::Network,
            Self::HostFollowsNoLink,
            Self::Environment,
            Self::OutputIntact,
            Self::TrueEndings,
            Self::NoForgery,
            Self::NothingRuns,
            Self::NothingLeft,
        ];
        limits.chain(rest).collect()
    }

    /// Gives the word used in JSON and in tables.
    pub fn name(self) -> &'static str {
        match self {
            Self::Limit(limit) => limit.name(),
            Self::OutputCut => "output_cut",
            Self::HostFilesUnread => "host_files_unread",
            Self::HostFilesUnwritten => "host_files_unwritten",
            Self::LinksLeadNowhere => "links_lead_nowhere",
            Self::Network => "network",
            Self::HostFollowsNoLink => "host_follows_no_link",
            Self::Environment => "environment",
            Self::OutputIntact => "output_intact",
            Self::TrueEndings => "true_endings",
            Self::NoForgery => "no_forgery",
            Self::NothingRuns => "nothing_runs",
            Self::NothingLeft => "nothing_left",
        }
    }

    /// Gives the row of the table that the check is held against; `None`: it is promised for every runtime.
    pub fn subject(self) -> Option<Subject> {
        match self {
            Self::Limit(limit) => Some(Subject::Limit(limit)),
            Self::OutputCut => Some(Subject::Limit(LimitName::Output)),
            Self::HostFilesUnread | Self::HostFilesUnwritten | Self::LinksLeadNowhere => {
                Some(Subject::Capability(Capability::Files))
            }
            Self::Network => Some(Subject::Capability(Capability::Network)),
            Self::HostFollowsNoLink
            | Self::Environment
            | Self::OutputIntact
            | Self::TrueEndings
            | Self::NoForgery
            | Self::NothingRuns
            | Self::NothingLeft => None,
        }
    }

    /// Says whether nothing else may run beside the check, since it measures how fast a guest is ended or computes.
    pub(super) fn is_timed(self) -> bool {
        matches!(self, Self::Limit(LimitName::WallTime | LimitName::CpuTime | LimitName::Cpus))
    }

    /// Reads what a table claims of the check.
    pub(super) fn claim(self, table: &EnforcementTable) -> Claim {
        let (level, by) = match self.subject() {
            Some(subject) => {
                let (level, by) = table.claim(subject);
                (Some(level), by)
            }
            // Where there are no processes, none can be left.
            None if self == Self::NothingRuns => match table.claim(Subject::Limit(LimitName::Processes)) {
                (level @ Level::ByConstruction, by) => (Some(level), by),
                (Level::Enforced | Level::BestEffort | Level::Unsupported, _) => (None, "every runtime"),
            },
            None => (None, "every runtime"),
        };
        Claim { level, by: by.to_owned() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_name_is_one_check_and_every_limit_has_one() {
        let names: std::collections::BTreeSet<&str> = Check::all().into_iter().map(Check::name).collect();
        assert_eq!(names.len(), Check::all().len());
        assert!(LimitName::ALL.into_iter().all(|limit| names.contains(limit.name())));
    }

    #[test]
    fn what_no_row_speaks_of_is_not_claimed_and_what_all_promise_is() {
        let table = EnforcementTable::default();
        assert_eq!(Check::Network.claim(&table).level, Some(Level::Unsupported));
        assert_eq!(Check::NothingRuns.claim(&table).level, None);
        let table = table.limit(LimitName::Processes, Level::ByConstruction, "none");
        assert_eq!(Check::NothingRuns.claim(&table).level, Some(Level::ByConstruction));
    }
}
