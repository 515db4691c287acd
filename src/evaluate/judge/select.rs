//! Which cases of a suite are judged.

use globset::{Glob, GlobSet, GlobSetBuilder};

use crate::error::{ErrorKind, ExecutionError};
use crate::evaluate::{Case, EvaluateError, Suite};

/// Which cases are judged: all of them, or those whose id and group are asked for.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Selection {
    /// Globs of ids; `*` stands for anything. Default: every id.
    pub cases: Vec<String>,
    /// Names of groups. Default: every group.
    pub groups: Vec<String>,
}

impl Selection {
    /// Takes the cases that are asked for, in their order.
    ///
    /// # Errors
    /// A glob that is none, a group that no case is in, and a choice that leaves nothing.
    pub(super) fn take(&self, suite: &Suite) -> Result<Vec<Case>, ExecutionError> {
        let globs = self.globs()?;
        for group in &self.groups {
            if suite.group(group).is_none() {
                let known: Vec<&str> = suite.groups.iter().map(|group| group.name.as_str()).collect();
                let message = format!("no case is in the group `{group}`");
                return Err(
                    ExecutionError::new(ErrorKind::Spec, message).with_hint(format!("groups: {}", known.join(", ")))
                );
            }
        }
        // An id may hold the signs of a glob itself: `big[n=10]`.
        let named = |case: &Case| globs.is_match(&case.id) || self.cases.contains(&case.id);
        let is_asked = |case: &&Case| {
            (self.cases.is_empty() || named(case)) && (self.groups.is_empty() || self.groups.contains(&case.group))
        };
        let taken: Vec<Case> = suite.cases.iter().filter(is_asked).cloned().collect();
        if taken.is_empty() {
            let some: Vec<&str> = suite.cases.iter().take(10).map(|case| case.id.as_str()).collect();
            return Err(EvaluateError::NothingChosen { asked: format!("ids begin with: {}", some.join(", ")) }.into());
        }
        Ok(taken)
    }

    fn globs(&self) -> Result<GlobSet, ExecutionError> {
        let wrong = |error: globset::Error| ExecutionError::new(ErrorKind::Spec, error);
        let mut set = GlobSetBuilder::new();
        // The id of a case may be no glob at all.
        for glob in self.cases.iter().filter_map(|glob| Glob::new(glob).ok()) {
            set.add(glob);
        }
        set.build().map_err(wrong)
    }
}
