//! What is wrong with the files of a suite: all of it, each with its file and line.

use crate::evaluate::EvaluateError;
use crate::spec::Problem;

/// The problems found so far.
#[derive(Debug, Default)]
pub(in crate::evaluate) struct Problems {
    lines: Vec<String>,
    hints: Vec<String>,
}

impl Problems {
    /// The most that are told.
    const MOST: usize = 200;

    pub(in crate::evaluate) fn add(&mut self, origin: &str, problem: &Problem) {
        let place = if problem.position.is_some() { "" } else { " " };
        let line = format!("{origin}:{place}{problem}");
        if self.lines.len() >= Self::MOST || self.lines.contains(&line) {
            return;
        }
        self.lines.push(line);
        if let Some(hint) = &problem.hint
            && !self.hints.contains(hint)
        {
            self.hints.push(hint.clone());
        }
    }

    pub(in crate::evaluate) fn into_result(self) -> Result<(), EvaluateError> {
        match self.lines.is_empty() {
            true => Ok(()),
            false => Err(EvaluateError::Invalid { problems: self.lines, hints: self.hints }),
        }
    }
}
