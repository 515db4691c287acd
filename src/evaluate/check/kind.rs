//! A checker, ready to use: everything that a file may have said wrongly is behind it.

use super::{CheckName, Mismatch, ProgramCheck};

/// A checker, ready to use.
#[derive(Clone, Debug)]
pub enum Check {
    /// One that compares, here and now.
    Compare(Comparison),
    /// One that is a program, which the evaluation runs.
    Program(Box<ProgramCheck>),
}

/// A checker that compares what came with what was expected.
#[derive(Clone, Debug)]
pub struct Comparison {
    name: CheckName,
}

impl Check {
    /// Gives the name used in files and reports.
    pub fn name(&self) -> &'static str {
        match self {
            Self::Compare(comparison) => comparison.name().name(),
            Self::Program(_) => CheckName::Program.name(),
        }
    }
}

impl Comparison {
    /// Gives the checker's name.
    pub fn name(&self) -> CheckName {
        self.name
    }

    /// Compares what came, none where there is no such file, with what was expected, empty where the checker has it.
    ///
    /// # Errors
    /// The first difference.
    pub fn compare(&self, _expected: &[u8], _actual: Option<&[u8]>) -> Result<(), Mismatch> {
        Err(Mismatch::new("is compared by a checker that is not there yet"))
    }
}
