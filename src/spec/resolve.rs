//! How limits combine: written ones replace defaults, and are ceilings for what comes later.

use std::cmp::Ordering;

use super::{Bound, Limit, LimitName, LimitValue, Limits, LimitsConfig, Mode, OnUnsupported, Problem, Provenance};

impl Limits {
    /// Combines the levels into the limits in force.
    ///
    /// What the spec, a flag or a case writes replaces what was there, the later in `more` the
    /// earlier. What a spawn or a command asks may only tighten what was written; a default is no
    /// ceiling. A command may ask only for limits [per command](LimitName::is_per_command).
    ///
    /// # Errors
    /// Everything that asks for more than it may, each with the path `limits.<name>`.
    pub fn resolve(
        mode: Mode,
        spec: &LimitsConfig,
        more: &[(Provenance, &LimitsConfig)],
    ) -> Result<Self, Vec<Problem>> {
        let mut limits = Self::defaults(mode);
        let mut problems = Vec::new();
        for &(from, config) in std::iter::once(&(Provenance::Spec, spec)).chain(more) {
            limits.apply(from, config, &mut problems);
        }
        if problems.is_empty() { Ok(limits) } else { Err(problems) }
    }

    /// Puts one more level on limits that are resolved already: what a spawn or a command asks.
    ///
    /// # Errors
    /// As [`resolve`](Self::resolve).
    pub fn tighten(&self, from: Provenance, config: &LimitsConfig) -> Result<Self, Vec<Problem>> {
        let mut limits = self.clone();
        let mut problems = Vec::new();
        limits.apply(from, config, &mut problems);
        if problems.is_empty() { Ok(limits) } else { Err(problems) }
    }

    fn apply(&mut self, from: Provenance, config: &LimitsConfig, problems: &mut Vec<Problem>) {
        for name in LimitName::ALL {
            let value = match config.get(name) {
                Limit::Unset => continue,
                Limit::None => None,
                Limit::Set(value) => Some(value),
            };
            match check(name, self.get(name), Bound { value, from }) {
                Ok(()) => self.set(name, Bound { value, from }),
                Err(problem) => problems.push(problem),
            }
        }
        self.output_overflow = config.output_overflow.unwrap_or(self.output_overflow);
        if let Some(asked) = config.on_unsupported {
            match check_policy(self.on_unsupported, self.policy_from, asked, from) {
                Ok(()) => (self.on_unsupported, self.policy_from) = (asked, from),
                Err(problem) => problems.push(problem),
            }
        }
    }
}

/// Says whether values of this level replace what was written, rather than tighten it.
fn replaces(from: Provenance) -> bool {
    match from {
        Provenance::Default | Provenance::Host | Provenance::Spec | Provenance::Flag | Provenance::Case => true,
        Provenance::Spawn | Provenance::Command => false,
    }
}

fn check(name: LimitName, ceiling: Bound, asked: Bound) -> Result<(), Problem> {
    let path = format!("limits.{name}");
    if asked.from == Provenance::Command && !name.is_per_command() {
        return Err(Problem::new(path, "is fixed when a runtime is spawned; a command cannot change it")
            .with_hint("ask for it in the spec or at the spawn"));
    }
    // A ceiling of the host is no ceiling here: `HostPolicy::bound` refuses what is above it, by its line.
    let is_default = matches!(ceiling.from, Provenance::Default | Provenance::Host);
    if replaces(asked.from) || is_default || !is_above(asked.value, ceiling.value) {
        return Ok(());
    }
    let text = |value: Option<LimitValue>| value.map_or("no limit".to_owned(), |value| value.to_string());
    let (more, most) = (text(asked.value), text(ceiling.value));
    let message = format!("the {} asks for {more}, above the {most} of the {}", asked.from.name(), ceiling.from.name());
    Err(Problem::new(path, message)
        .with_hint(format!("ask for at most {most}, or raise the limit where it is written")))
}

/// Says whether one value grants more than another; none is no limit, above everything.
pub(crate) fn is_above(asked: Option<LimitValue>, ceiling: Option<LimitValue>) -> bool {
    let order = match (asked, ceiling) {
        (_, None) => return false,
        (None, Some(_)) => return true,
        (Some(LimitValue::Time(asked)), Some(LimitValue::Time(ceiling))) => asked.cmp(&ceiling),
        (Some(LimitValue::Bytes(asked)), Some(LimitValue::Bytes(ceiling)))
        | (Some(LimitValue::Count(asked)), Some(LimitValue::Count(ceiling))) => asked.cmp(&ceiling),
        (Some(LimitValue::Cores(asked)), Some(LimitValue::Cores(ceiling))) => asked.total_cmp(&ceiling),
        // One limit has one unit; two are no pair that could be compared, so nothing is granted.
        (Some(_), Some(_)) => return true,
    };
    order == Ordering::Greater
}

fn check_policy(
    now: OnUnsupported,
    written: Provenance,
    asked: OnUnsupported,
    from: Provenance,
) -> Result<(), Problem> {
    let path = "limits.on_unsupported";
    let weakens = now == OnUnsupported::Refuse && asked == OnUnsupported::BestEffort;
    match from {
        Provenance::Command => {
            Err(Problem::new(path, "is fixed when a runtime is spawned; a command cannot change it"))
        }
        Provenance::Spawn if weakens && written != Provenance::Default => Err(Problem::new(
            path,
            format!("the spawn asks for `best_effort`, but the {} says `refuse`", written.name()),
        )),
        Provenance::Default
        | Provenance::Host
        | Provenance::Spec
        | Provenance::Flag
        | Provenance::Case
        | Provenance::Spawn => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::spec::{ByteSize, OutputOverflow, Span};
    use proptest::prelude::*;
    use std::time::Duration;

    fn wall(seconds: u64) -> LimitsConfig {
        LimitsConfig { wall_time: Limit::Set(Span(Duration::from_secs(seconds))), ..Default::default() }
    }

    fn wall_of(limits: &Limits) -> (Option<u64>, Provenance) {
        let bound = limits.get(LimitName::WallTime);
        (limits.time(LimitName::WallTime).map(|time| time.as_secs()), bound.from)
    }

    #[test]
    fn a_written_value_is_a_ceiling_and_a_default_is_none() {
        let none = LimitsConfig::default();
        let resolve = |spec: &LimitsConfig, more: &[_]| Limits::resolve(Mode::Evaluation, spec, more);
        assert_eq!(wall_of(&resolve(&none, &[]).unwrap()), (Some(60), Provenance::Default));
        // 120 s above the default 60 s are granted, not clamped.
        let more = wall(120);
        let spawned = resolve(&none, &[(Provenance::Spawn, &more)]).unwrap();
        assert_eq!(wall_of(&spawned), (Some(120), Provenance::Spawn));
        let problems = resolve(&wall(60), &[(Provenance::Command, &more)]).unwrap_err();
        assert_eq!(problems[0].path, "limits.wall_time");
        assert!(problems[0].message.contains("command asks for 120.000 s, above the 60.000 s of the spec"));
        let lifted = LimitsConfig { wall_time: Limit::None, ..Default::default() };
        assert!(resolve(&wall(60), &[(Provenance::Spawn, &lifted)]).is_err());
        let less = wall(9);
        assert_eq!(wall_of(&resolve(&lifted, &[(Provenance::Spawn, &less)]).unwrap()), (Some(9), Provenance::Spawn));
    }

    #[test]
    fn flags_and_cases_are_of_the_specs_level() {
        let (case, flag) = (wall(120), wall(90));
        let more = [(Provenance::Flag, &flag), (Provenance::Case, &case)];
        let limits = Limits::resolve(Mode::Evaluation, &wall(60), &more).unwrap();
        assert_eq!(wall_of(&limits), (Some(120), Provenance::Case));
    }

    #[test]
    fn a_command_cannot_touch_what_its_runtime_was_spawned_with() {
        let config = LimitsConfig {
            memory: Limit::Set(ByteSize(1)),
            on_unsupported: Some(OnUnsupported::Refuse),
            output_overflow: Some(OutputOverflow::Truncate),
            ..Default::default()
        };
        let none = LimitsConfig::default();
        let problems = Limits::resolve(Mode::Evaluation, &none, &[(Provenance::Command, &config)]).unwrap_err();
        let paths: Vec<_> = problems.iter().map(|problem| problem.path.as_str()).collect();
        assert_eq!(paths, ["limits.memory", "limits.on_unsupported"]);
        let spawned = Limits::resolve(Mode::Evaluation, &none, &[(Provenance::Spawn, &config)]).unwrap();
        assert_eq!(spawned.output_overflow, OutputOverflow::Truncate);
    }

    #[test]
    fn a_spawn_cannot_weaken_a_written_policy() {
        let say = |policy| LimitsConfig { on_unsupported: Some(policy), ..Default::default() };
        let weak = say(OnUnsupported::BestEffort);
        let resolve = |spec: &LimitsConfig| Limits::resolve(Mode::Agent, spec, &[(Provenance::Spawn, &weak)]);
        assert!(resolve(&say(OnUnsupported::Refuse)).is_err());
        assert_eq!(resolve(&LimitsConfig::default()).unwrap().on_unsupported, OnUnsupported::BestEffort);
    }

    fn level() -> impl Strategy<Value = Limit<u64>> {
        prop_oneof![Just(Limit::Unset), Just(Limit::None), (1_u64..1000).prop_map(Limit::Set)]
    }

    proptest! {
        /// The obvious model: fold the levels by hand, with no limit as the largest number.
        #[test]
        fn resolution_is_the_fold_of_its_levels(
            spec in level(), case in level(), spawn in level(), command in level(), agent in any::<bool>(),
        ) {
            let config = |fuel| LimitsConfig { fuel, ..Default::default() };
            let (spec_c, case_c, spawn_c, command_c) = (config(spec), config(case), config(spawn), config(command));
            let more = [(Provenance::Case, &case_c), (Provenance::Spawn, &spawn_c), (Provenance::Command, &command_c)];
            let mode = if agent { Mode::Agent } else { Mode::Evaluation };
            let result = Limits::resolve(mode, &spec_c, &more);

            let number = |limit| match limit { Limit::Unset => None, Limit::None => Some(u64::MAX), Limit::Set(n) => Some(n) };
            let written = number(case).or(number(spec));
            let asked: Vec<u64> = [spawn, command].into_iter().filter_map(number).collect();
            let mut ceiling = written.unwrap_or(u64::MAX);
            let fits = asked.iter().all(|asked| { let fits = *asked <= ceiling; ceiling = ceiling.min(*asked); fits });
            match result {
                Ok(limits) => {
                    prop_assert!(fits);
                    let spec_level = Limits::resolve(mode, &spec_c, &more[..1]).unwrap();
                    let stepwise = spec_level.tighten(Provenance::Spawn, &spawn_c).unwrap();
                    prop_assert_eq!(&stepwise.tighten(Provenance::Command, &command_c).unwrap(), &limits);
                    let value = asked.last().copied().or(written).filter(|value| *value != u64::MAX);
                    prop_assert_eq!(limits.amount(LimitName::Fuel), value);
                }
                Err(problems) => prop_assert!(!fits && !problems.is_empty()),
            }
        }
    }
}
