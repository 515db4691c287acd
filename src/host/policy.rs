//! What the owner of a host allows: a value that embedding programs build, and that the command reads from host files.

use std::collections::{BTreeMap, BTreeSet};

use crate::error::{ErrorKind, ExecutionError};
use crate::spec::{Bound, ByteSize, LimitName, LimitValue, Limits, Provenance, is_above};

/// A value, and the place that sets it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ruled<T> {
    /// The value.
    pub value: T,
    /// Who says so: `/etc/bailiwick/host.yaml:3`.
    pub by: String,
}

/// What is allowed on a host. Default: everything.
#[derive(Clone, Debug, Default, PartialEq)]
#[non_exhaustive]
pub struct HostPolicy {
    /// The runtimes that may be used. Default: all.
    pub runtimes: Option<Ruled<BTreeSet<String>>>,
    /// The most that limits may allow; a default above is lowered, whoever asks for more is refused. Default: none.
    pub ceilings: BTreeMap<LimitName, Ruled<LimitValue>>,
    /// How many commands may run at once in a process. Default: no bound.
    pub max_running: Option<Ruled<usize>>,
    /// What the cache of compiled modules may take. Default: 4 GiB.
    pub cache_size: Option<Ruled<ByteSize>>,
}

impl<T> Ruled<T> {
    /// Sets a value in somebody's name.
    pub fn new(value: T, by: impl Into<String>) -> Self {
        Self { value, by: by.into() }
    }
}

impl HostPolicy {
    /// Refuses a runtime that is not allowed here.
    ///
    /// # Errors
    /// Of kind `Forbidden`, with the place that forbids it.
    pub fn check_runtime(&self, ty: &str) -> Result<(), ExecutionError> {
        let Some(Ruled { value: allowed, by }) = &self.runtimes else { return Ok(()) };
        if allowed.contains(ty) {
            return Ok(());
        }
        let allowed: Vec<&str> = allowed.iter().map(String::as_str).collect();
        let message = format!("{by} does not allow the runtime `{ty}` on this host");
        Err(ExecutionError::new(ErrorKind::Forbidden, message)
            .with_hint(format!("allowed: {}", if allowed.is_empty() { "none".to_owned() } else { allowed.join(", ") })))
    }

    /// Holds limits against the ceilings: lowers defaults, and refuses what was written above.
    ///
    /// # Errors
    /// Of kind `Forbidden`: everything that is above, each with the place that forbids it.
    pub fn bound(&self, mut limits: Limits) -> Result<Limits, ExecutionError> {
        for (name, ceiling) in &self.ceilings {
            let Bound { value, from } = limits.get(*name);
            if matches!(from, Provenance::Default | Provenance::Host) && is_above(value, Some(ceiling.value)) {
                limits.set(*name, Bound { value: Some(ceiling.value), from: Provenance::Host });
            }
        }
        self.check(&limits, |_| true)?;
        Ok(limits)
    }

    /// Lowers every limit to its ceiling, whoever set it: for lines that nobody gave limits of their own.
    pub(crate) fn lower(&self, mut limits: Limits) -> Limits {
        for (name, ceiling) in &self.ceilings {
            if is_above(limits.get(*name).value, Some(ceiling.value)) {
                limits.set(*name, Bound { value: Some(ceiling.value), from: Provenance::Host });
            }
        }
        limits
    }

    /// Holds what one level asked for against the ceilings, on limits that were [`bound`](Self::bound) before it.
    ///
    /// # Errors
    /// As [`bound`](Self::bound).
    pub fn check_level(&self, limits: &Limits, level: Provenance) -> Result<(), ExecutionError> {
        self.check(limits, |from| from == level)
    }

    fn check(&self, limits: &Limits, concerns: impl Fn(Provenance) -> bool) -> Result<(), ExecutionError> {
        let mut above = Vec::new();
        for (name, Ruled { value: ceiling, by }) in &self.ceilings {
            let Bound { value, from } = limits.get(*name);
            if concerns(from) && is_above(value, Some(*ceiling)) {
                let asked = value.map_or("no limit".to_owned(), |value| value.to_string());
                above
                    .push(format!("{by} allows at most {ceiling} of {name}, and the {} asks for {asked}", from.name()));
            }
        }
        if above.is_empty() {
            return Ok(());
        }
        Err(ExecutionError::new(ErrorKind::Forbidden, above.join("; "))
            .with_hint("ask for less, or have the owner of this host raise the ceiling"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::spec::{Limit, LimitsConfig, Mode};

    fn policy() -> HostPolicy {
        let ceiling = Ruled::new(LimitValue::Bytes(1 << 20), "the test:1");
        HostPolicy { ceilings: BTreeMap::from([(LimitName::Memory, ceiling)]), ..HostPolicy::default() }
    }

    #[test]
    fn a_default_is_lowered_and_what_is_written_above_is_forbidden() {
        let lowered = policy().bound(Limits::defaults(Mode::Evaluation)).unwrap();
        let bound = lowered.get(LimitName::Memory);
        assert_eq!((bound.value, bound.from), (Some(LimitValue::Bytes(1 << 20)), Provenance::Host));
        assert_eq!(lowered.get(LimitName::Disk), Limits::defaults(Mode::Evaluation).get(LimitName::Disk));
        for (memory, fits) in
            [(Limit::Set(ByteSize(1 << 20)), true), (Limit::Set(ByteSize((1 << 20) + 1)), false), (Limit::None, false)]
        {
            let written = LimitsConfig { memory, ..LimitsConfig::default() };
            for limits in [
                Limits::resolve(Mode::Evaluation, &written, &[]).unwrap(),
                lowered.tighten(Provenance::Spawn, &written).unwrap(),
            ] {
                let bound = policy().bound(limits);
                assert_eq!(bound.is_ok(), fits, "{bound:?}");
                if let Err(error) = bound {
                    assert_eq!(error.kind(), ErrorKind::Forbidden);
                    assert!(error.to_string().starts_with("the test:1 allows at most 1MiB of memory"), "{error}");
                }
            }
        }
    }

    #[test]
    fn a_runtime_that_is_not_listed_is_forbidden() {
        let mut policy = policy();
        policy.check_runtime("local").unwrap();
        policy.runtimes = Some(Ruled::new(BTreeSet::from(["wasi".to_owned()]), "the test:2"));
        policy.check_runtime("wasi").unwrap();
        let error = policy.check_runtime("local").unwrap_err();
        assert_eq!((error.kind(), error.hint()), (ErrorKind::Forbidden, Some("allowed: wasi")));
    }
}
