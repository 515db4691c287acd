//! Counts, points, and whether a submission has passed.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::evaluate::{Group, GroupScoring, PassPolicy, Verdict};

/// What the verdicts of a run come to.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
pub struct Score {
    /// Whether every case was judged: no `IE`, no `SK`.
    pub complete: bool,
    /// The points; absent where the run is not complete.
    pub score: Option<f64>,
    /// The most points that there were to get.
    pub possible: f64,
    /// Whether the submission has passed.
    pub passed: bool,
    /// By which policy.
    pub policy: PassPolicy,
    /// How many cases there are.
    pub total: usize,
    /// How many cases have each verdict, those that none has left out.
    pub verdicts: BTreeMap<Verdict, usize>,
    /// The same by group.
    pub groups: Vec<GroupScore>,
}

/// What the verdicts of one group come to.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
pub struct GroupScore {
    /// Its name.
    pub name: String,
    /// What its points were multiplied with.
    pub weight: f64,
    /// How its cases become points.
    pub scoring: GroupScoring,
    /// How many cases it has.
    pub cases: usize,
    /// How many of them are accepted.
    pub accepted: usize,
    /// The points; absent where one of its cases was not judged.
    pub score: Option<f64>,
    /// The most points that there were to get.
    pub possible: f64,
}

impl Score {
    /// Counts: of each case its group, its points and its verdict.
    pub fn of<'a>(
        policy: PassPolicy,
        groups: &[Group],
        cases: impl IntoIterator<Item = (&'a str, f64, Verdict)>,
    ) -> Self {
        let mut tallies: Vec<Tally<'_>> = groups.iter().map(Tally::new).collect();
        let mut verdicts = BTreeMap::new();
        for (group, points, verdict) in cases {
            *verdicts.entry(verdict).or_insert(0) += 1;
            if let Some(tally) = tallies.iter_mut().find(|tally| tally.group.name == group) {
                tally.add(points, verdict);
            }
        }
        let count = verdicts.values().sum();
        let is_open = |verdict: &Verdict| !verdict.is_judged();
        let complete = count > 0 && !verdicts.keys().any(is_open);
        let groups: Vec<GroupScore> = tallies.iter().filter(|tally| tally.cases > 0).map(Tally::score).collect();
        let sum = groups.iter().filter_map(|group| group.score).sum();
        Self {
            complete,
            score: complete.then_some(sum),
            possible: groups.iter().map(|group| group.possible).sum(),
            passed: passes(policy, &verdicts, &groups),
            policy,
            total: count,
            verdicts,
            groups,
        }
    }

    /// Gives how many cases have a verdict.
    pub fn count(&self, verdict: Verdict) -> usize {
        self.verdicts.get(&verdict).copied().unwrap_or_default()
    }
}

struct Tally<'a> {
    group: &'a Group,
    cases: usize,
    accepted: usize,
    judged: usize,
    points: f64,
    possible: f64,
}

impl<'a> Tally<'a> {
    fn new(group: &'a Group) -> Self {
        Self { group, cases: 0, accepted: 0, judged: 0, points: 0.0, possible: 0.0 }
    }

    fn add(&mut self, points: f64, verdict: Verdict) {
        self.cases += 1;
        self.judged += usize::from(verdict.is_judged());
        self.possible += points;
        if verdict == Verdict::Ac {
            self.accepted += 1;
            self.points += points;
        }
    }

    fn score(&self) -> GroupScore {
        let points = match self.group.scoring {
            GroupScoring::Each => self.points,
            GroupScoring::All if self.accepted == self.cases => self.points,
            GroupScoring::All => 0.0,
        };
        GroupScore {
            name: self.group.name.clone(),
            weight: self.group.weight,
            scoring: self.group.scoring,
            cases: self.cases,
            accepted: self.accepted,
            score: (self.judged == self.cases).then_some(points * self.group.weight),
            possible: self.possible * self.group.weight,
        }
    }
}

/// Nothing passes on zero cases, nor while the host failed at one.
fn passes(policy: PassPolicy, verdicts: &BTreeMap<Verdict, usize>, groups: &[GroupScore]) -> bool {
    let count = |verdict| verdicts.get(&verdict).copied().unwrap_or(0);
    let judged: usize = verdicts.iter().filter(|(verdict, _)| verdict.is_judged()).map(|(_, count)| count).sum();
    if count(Verdict::Ie) > 0 || judged == 0 {
        return false;
    }
    let all = |takes: &dyn Fn(&GroupScore) -> bool| {
        let taken = groups.iter().filter(|group| takes(group));
        let (cases, accepted) = taken.fold((0, 0), |(cases, good), group| (cases + group.cases, good + group.accepted));
        (cases > 0 && cases == accepted, accepted > 0)
    };
    let is_core = |group: &GroupScore| group.name == Group::CORE;
    match policy {
        PassPolicy::Any => true,
        PassPolicy::AnyCase => all(&|_| true).1,
        PassPolicy::AllCases => all(&|_| true).0,
        PassPolicy::AllNonErrorCases => all(&|group| group.name != Group::ERROR).0,
        PassPolicy::CoreCases | PassPolicy::AllCoreCases => all(&is_core).0,
        PassPolicy::AnyCoreCases => all(&is_core).1,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use Verdict::{Ac, Ie, Sk, Wa};

    const ALL: [PassPolicy; 7] = [
        PassPolicy::Any,
        PassPolicy::AnyCase,
        PassPolicy::AllCases,
        PassPolicy::AllNonErrorCases,
        PassPolicy::CoreCases,
        PassPolicy::AnyCoreCases,
        PassPolicy::AllCoreCases,
    ];

    fn score(policy: PassPolicy, cases: &[(&'static str, Verdict)]) -> Score {
        let groups = ["core", "error", "regression"].map(Group::new);
        Score::of(policy, &groups, cases.iter().map(|(group, verdict)| (*group, 2.0, *verdict)))
    }

    fn passing(cases: &[(&'static str, Verdict)]) -> Vec<&'static str> {
        ALL.into_iter().filter(|policy| score(*policy, cases).passed).map(PassPolicy::name).collect()
    }

    #[test]
    fn no_policy_passes_on_nothing_or_where_the_host_failed() {
        assert_eq!(passing(&[]), Vec::<&str>::new());
        assert_eq!(passing(&[("core", Ac), ("error", Ie)]), Vec::<&str>::new());
        assert_eq!(passing(&[("core", Sk)]), Vec::<&str>::new());
    }

    #[test]
    fn each_policy_looks_at_its_own_cases() {
        assert_eq!(passing(&[("core", Ac), ("error", Ac)]).len(), 7);
        assert_eq!(passing(&[("core", Wa)]), ["any"]);
        let mixed = passing(&[("core", Ac), ("error", Wa)]);
        assert_eq!(mixed, ["any", "any-case", "all-non-error-cases", "core-cases", "any-core-cases", "all-core-cases"]);
        assert_eq!(passing(&[("regression", Ac)]), ["any", "any-case", "all-cases", "all-non-error-cases"]);
        assert_eq!(passing(&[("core", Ac), ("core", Wa)]), ["any", "any-case", "any-core-cases"]);
    }

    #[test]
    fn a_score_is_there_only_when_every_case_was_judged() {
        let whole = score(PassPolicy::Any, &[("core", Ac), ("core", Wa), ("error", Ac)]);
        assert_eq!((whole.complete, whole.score, whole.possible), (true, Some(4.0), 6.0));
        for open in [Ie, Sk] {
            let part = score(PassPolicy::Any, &[("core", Ac), ("error", open)]);
            assert_eq!((part.complete, part.score), (false, None));
            assert_eq!((part.groups[0].score, part.groups[1].score), (Some(2.0), None));
        }
        assert_eq!(score(PassPolicy::Any, &[]).score, None);
    }

    #[test]
    fn a_group_that_counts_together_gives_all_or_nothing() {
        let mut subtask = Group::new("a");
        (subtask.scoring, subtask.weight) = (GroupScoring::All, 3.0);
        let of =
            |verdict| Score::of(PassPolicy::Any, std::slice::from_ref(&subtask), [("a", 1.0, Ac), ("a", 1.0, verdict)]);
        assert_eq!((of(Ac).score, of(Wa).score, of(Wa).possible), (Some(6.0), Some(0.0), 6.0));
    }
}
