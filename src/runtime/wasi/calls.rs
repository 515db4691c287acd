//! The bounds of what a guest may ask of the host: how many calls, how many random bytes, how much to start with.

use std::collections::BTreeMap;

use wasmtime::Engine;

use crate::runtime::SolutionRuntimeError;
use crate::spec::{ByteSize, Problem, SpecError};

/// The most random bytes that one call gives.
pub(super) const MAX_RANDOM: u32 = 1 << 20;
/// The most bytes that arguments and environment may take together, each with the zero byte that ends it.
pub(super) const MAX_START: usize = 1 << 20;

/// The host calls of one guest.
///
/// Every function of preview 1 is counted but `proc_exit`. A component is counted at each of its calls that reaches
/// the state of WASI, some of them more than once.
#[derive(Debug)]
pub(super) struct Calls {
    made: u64,
    most: Option<u64>,
    engine: Engine,
    pub(super) random_denied: bool,
}

/// A guest made more host calls than it may.
#[derive(Debug, thiserror::Error)]
#[error("more than the {most} host calls that `wasi.host_calls` allows")]
pub(super) struct TooManyCalls {
    most: u64,
}

impl Calls {
    pub(super) fn new(engine: &Engine, most: Option<u64>) -> Self {
        Self { made: 0, most, engine: engine.clone(), random_denied: false }
    }

    /// Counts a call. The first one too many wakes the guest's epoch callback, which asks [`check`](Self::check).
    pub(super) fn count(&mut self) {
        self.made = self.made.saturating_add(1);
        if self.most.is_some_and(|most| self.made > most) {
            self.engine.increment_epoch();
        }
    }

    /// Says whether the guest may go on.
    pub(super) fn check(&self) -> Result<(), TooManyCalls> {
        match self.most {
            Some(most) if self.made > most => Err(TooManyCalls { most }),
            _ => Ok(()),
        }
    }
}

/// Gives the facts for the result of a guest that met a bound and went on: `over` is how many calls it was allowed.
pub(super) fn notes(over: Option<u64>, random_denied: bool) -> Vec<String> {
    let over = over.map(|most| format!("the guest made {}", TooManyCalls { most }));
    let random = random_denied.then(|| {
        let most = ByteSize(MAX_RANDOM.into());
        format!("the guest was refused random bytes: one call gives at most {most}")
    });
    over.into_iter().chain(random).collect()
}

/// Refuses what would be too much to start with: every guest copies all of it, some at every look.
pub(super) fn check_start(args: &[String], env: &BTreeMap<String, String>) -> Result<(), SolutionRuntimeError> {
    let args: usize = args.iter().map(|arg| arg.len() + 1).sum();
    // The `=` and the zero byte.
    let env: usize = env.iter().map(|(name, value)| name.len() + value.len() + 2).sum();
    if args + env <= MAX_START {
        return Ok(());
    }
    let size = |bytes: usize| ByteSize(bytes as u64);
    let message = format!("its arguments take {} and its environment {}", size(args), size(env));
    let problem = Problem::new("command", message)
        .with_hint(format!("together they may take {}: pass more in a file or on standard input", size(MAX_START)));
    Err(SolutionRuntimeError::Invalid {
        source: SpecError::Invalid { origin: "command".to_owned(), problems: vec![problem] },
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_guest_starts_with_is_bounded_to_the_byte() {
        let args = |bytes: usize| vec!["x".repeat(bytes - 1)];
        check_start(&args(MAX_START), &BTreeMap::new()).unwrap();
        check_start(&args(MAX_START + 1), &BTreeMap::new()).unwrap_err();
        let env = BTreeMap::from([("N".to_owned(), "v".to_owned())]);
        check_start(&args(MAX_START - 4), &env).unwrap();
        check_start(&args(MAX_START - 3), &env).unwrap_err();
    }

    #[test]
    fn the_call_after_the_last_is_one_too_many() {
        let engine = Engine::default();
        let mut calls = Calls::new(&engine, Some(2));
        for _ in 0..2 {
            calls.count();
            calls.check().unwrap();
        }
        assert!(notes(None, false).is_empty());
        calls.count();
        assert_eq!(calls.check().unwrap_err().to_string(), "more than the 2 host calls that `wasi.host_calls` allows");
        assert_eq!(notes(Some(2), true).len(), 2);
    }
}
