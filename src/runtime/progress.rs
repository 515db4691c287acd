//! Long work that says how far it has come.

/// Who is told how far long work has come.
pub trait Progress: Send + Sync {
    /// Says what is being done: `compiling python`.
    fn step(&self, what: &str);
}

/// Tells nobody.
#[derive(Clone, Copy, Debug, Default)]
pub struct NoProgress;

impl Progress for NoProgress {
    fn step(&self, _: &str) {}
}
